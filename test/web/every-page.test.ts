/** Every page against the rules of accessibility that a program can check, in both themes. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildPage, openPage, startBrowser } from "./support/browser.ts";
import { violations, world } from "./support/world.ts";

let browser: Browser;
let built: Awaited<ReturnType<typeof buildPage>>;

beforeAll(async () => {
  [browser, built] = await Promise.all([startBrowser(), buildPage()]);
}, 60_000);

afterAll(async () => {
  await browser?.close();
  await built?.[Symbol.asyncDispose]();
});

test.each(["dark", "light"] as const)(
  "every page passes WCAG AA in %s",
  async (theme) => {
    await using given = await world(built.folder, 16).then(({ server, id }) => Object.assign(server, { id }));
    const places = [
      ["#/triage", ".trouble-row"],
      ["#/tree", "[role=row][aria-level]"],
      ["#/time", ".time canvas"],
      [`#/tree?agent=${given.id}`, ".step"],
      [`#/agent/${given.id}/checkpoints`, ".points li"],
      [`#/agent/${given.id}/spending`, ".chart canvas"],
      [`#/agent/${given.id}/about`, ".about section"],
      ["#/cost", "td.share"],
      ["#/artifacts", "tbody tr"],
    ] as const;
    await using opened = await openPage(browser, `${given.url}/#/triage`, { theme });
    for (const [hash, sign] of places) {
      await opened.page.goto(`${given.url}/${hash}`);
      await opened.page.locator(sign).first().waitFor();
      expect({ hash, violations: await violations(opened.page) }).toEqual({ hash, violations: [] });
    }
    await opened.page.goto(`${given.url}/#/tree`);
    await opened.page.locator("[role=row][aria-level]").first().waitFor();
    for (const keys of [["?"], ["j", "p"], ["j", "."]]) {
      for (const key of keys) await opened.page.keyboard.press(key);
      await opened.page.locator("[role=dialog], [role=menu]").first().waitFor();
      expect({ keys, violations: await violations(opened.page) }).toEqual({ keys, violations: [] });
      await opened.page.keyboard.press("Escape");
      await opened.page.locator("[role=dialog], [role=menu]").first().waitFor({ state: "detached" });
    }
    expect(opened.complaints).toEqual([]);
  },
  60_000,
);
