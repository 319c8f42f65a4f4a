/** The dashboard on the real server, with a fleet that lives. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { seededRandom, systemRandom } from "../../src/base/random.ts";
import { fleetModel } from "../../src/cli/fleet/model.ts";
import { taskOf } from "../../src/cli/fleet/plan.ts";
import { Banyan } from "../../src/runtime/banyan.ts";
import { AccessTokens } from "../../src/server/access-tokens.ts";
import { startHttp } from "../../src/server/http-server.ts";
import { spawning } from "../../src/tools/kits.ts";
import { buildPage, openPage, startBrowser } from "./support/browser.ts";

const AGENTS = 12;

test("a person logs in with a token, watches a fleet grow, and pauses it with two keys", async () => {
  await using built = await buildPage();
  const folder = await mkdtemp(join(tmpdir(), "banyan-live-"));
  const clock = systemClock();
  const browser = await startBrowser();
  try {
    await using banyan = await Banyan.open(folder);
    const tokens = new AccessTokens(folder, { clock, random: systemRandom });
    const token = tokens.first() ?? "";
    await using http = await startHttp(banyan.runtime, { port: 0, tokens, page: built.folder });
    const character = { turns: 60, failing: 0, asking: 0 };
    const model = fleetModel({ clock, random: seededRandom(1), character, answerMs: 60_000 });
    const task = taskOf({ agents: AGENTS, levels: 4, seed: 1 });
    await banyan.spawn({ name: "fleet", model, task, tools: [spawning()] });

    await using opened = await openPage(browser, `${http.url}/#/tree`);
    const { page } = opened;
    await page.getByLabel("Token").fill(token);
    await page.getByRole("button", { name: "Open" }).click();
    await page.locator("output", { hasText: `${AGENTS} agents` }).waitFor();
    await page.locator("[role=treegrid]").focus();
    await page.keyboard.press("j");
    await page.keyboard.press("p");
    await page.getByRole("button", { name: "Pause", exact: true }).click();
    await page.locator("#row-0", { hasText: "held" }).waitFor();
    await page.locator("#row-1", { hasText: "held" }).waitFor();
    await page.keyboard.press("Enter");
    await page.locator(".step").first().waitFor();
    expect(opened.complaints).toEqual([]);
  } finally {
    await browser.close();
    await rm(folder, { recursive: true, force: true });
  }
}, 60_000);
