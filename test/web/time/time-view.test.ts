/** The picture over time in a real browser, by itself: what keys, pointer and scrubber do, and what it says in words. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GeneratedFleet, STATUSES } from "../../support/generated-fleet.ts";
import { pastOfGenerated } from "../../support/generated-past.ts";
import { openPage, startBrowser } from "../support/browser.ts";
import { servePage } from "../support/page-server.ts";
import { livelyFleet } from "./page/lively.ts";

const ROOT = join(import.meta.dirname, "../../..");
let browser: Browser;
let folder: string;
let server: Awaited<ReturnType<typeof servePage>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "banyan-picture-"));
  const env = { ...process.env, NODE_ENV: "production" };
  const args = ["build", "test/web/time/page", "--config", "vite.config.ts", "--logLevel", "error", "--outDir", folder];
  const built = promisify(execFile)("vite", [...args, "--emptyOutDir"], { cwd: ROOT, env });
  [browser] = await Promise.all([startBrowser(), built]);
  server = await servePage(folder, new GeneratedFleet({ agents: 1, depth: 1, seed: 1 }));
}, 60_000);

afterAll(async () => {
  await browser?.close();
  await server?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function openPicture(query: string, theme: "dark" | "light" = "dark") {
  const opened = await openPage(browser, `${server.url}/?theme=${theme}&${query}`, { theme });
  await opened.page.locator(".scrubber output").waitFor();
  return opened;
}

const harness = (page: Page) => page.evaluate<{ selected: number; opened: number }>("({ ...harness, fleet: 0 })");
const told = (page: Page) => page.locator("#time-selected").textContent();

/** Of all pixels of the canvas, to see whether anything moved. */
const picture = async (page: Page) =>
  createHash("sha256")
    .update(await page.evaluate<string>("document.querySelector('.picture canvas').toDataURL()"))
    .digest("hex");

/** Two frames later all is drawn that was asked for. */
const drawn = (page: Page) =>
  page.evaluate(
    "document.fonts.ready.then(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))",
  );

describe("the picture over time", () => {
  test.each(["dark", "light"] as const)("passes WCAG AA in %s", async (theme) => {
    await using opened = await openPicture("agents=300&depth=6", theme);
    await opened.page.evaluate(axe.source);
    const found = await opened.page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
      "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })",
    );
    expect(found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
    expect(opened.complaints).toEqual([]);
  });

  test("arrows go to child, sibling and parent, each is told in words, and Enter opens", async () => {
    await using opened = await openPicture("agents=300&depth=6");
    const { page } = opened;
    await page.locator(".picture").focus();
    await page.keyboard.press("ArrowDown");
    expect(await harness(page)).toMatchObject({ selected: 0 });
    await page.keyboard.press("ArrowDown");
    expect(await harness(page)).toMatchObject({ selected: 1 });
    await expect.poll(() => told(page)).toMatch(/^lead-0 \/ .*-1, .*level 1, \$.*below, age \d+m/);
    await page.keyboard.press("ArrowRight");
    const sibling = (await harness(page)).selected;
    expect(sibling).toBeGreaterThan(1);
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("ArrowUp");
    expect(await harness(page)).toMatchObject({ selected: 0, opened: -1 });
    await page.keyboard.press("Enter");
    expect(await harness(page)).toMatchObject({ opened: 0 });
    expect(await page.locator("#time-summary").textContent()).toMatch(/^300 agents on 6 levels: \d+ /);
    expect(opened.complaints).toEqual([]);
  });

  test("the letters do what the arrows do, wherever the focus is, and brackets go through the past", async () => {
    await using opened = await openPicture("agents=300&depth=6");
    const { page } = opened;
    await drawn(page);
    const selected = async () => (await harness(page)).selected;
    for (const [key, arrow] of [
      ["j", "ArrowDown"],
      ["j", "ArrowDown"],
      ["l", "ArrowRight"],
      ["j", "ArrowDown"],
      ["l", "ArrowRight"],
      ["h", "ArrowLeft"],
      ["k", "ArrowUp"],
    ] as const) {
      const from = await selected();
      await page.keyboard.press(key);
      const to = await selected();
      expect(to).not.toBe(from);
      if (from < 0) continue;
      const back = { ArrowDown: "ArrowUp", ArrowUp: "", ArrowRight: "ArrowLeft", ArrowLeft: "ArrowRight" }[arrow];
      if (back === "") continue;
      await page.keyboard.press(back);
      expect(await selected()).toBe(from);
      await page.keyboard.press(arrow);
      expect(await selected()).toBe(to);
    }
    await expect.poll(() => told(page)).toMatch(/level 1/);
    const whole = await picture(page);
    // The frame around the picture is over its canvas, or nobody would see where the focus is.
    await page.locator(".picture").focus();
    const frame = "getComputedStyle(document.querySelector('.picture'), '::after').borderTopWidth";
    expect(await page.evaluate(frame)).toBe("2px");
    await page.keyboard.press("{");
    await expect.poll(() => told(page)).toMatch(/^\d\d:\d\d:\d\d, \d+ agents alive: lead-0 \/ .* level 1/);
    expect(await page.getByRole("slider").getAttribute("aria-valuetext")).toContain(" ago: ");
    await page.keyboard.press("]");
    for (const key of ["}", "]"]) await page.keyboard.press(key);
    expect(await page.getByRole("slider").getAttribute("aria-valuetext")).toMatch(/^now: /);
    await drawn(page);
    expect(await picture(page)).toBe(whole);
    await page.keyboard.press("+");
    await page.keyboard.press("L");
    await drawn(page);
    expect(await picture(page)).not.toBe(whole);
    await page.keyboard.press("Enter");
    expect(await harness(page)).toMatchObject({ opened: await selected() });
    expect(opened.complaints).toEqual([]);
  });

  test("keys, wheel and drag come closer and go back to the whole", async () => {
    await using opened = await openPicture("agents=1000&depth=8");
    const { page } = opened;
    const button = page.getByRole("button", { name: "Whole fleet" });
    await drawn(page);
    const whole = await picture(page);
    expect(await button.isDisabled()).toBe(true);
    await page.locator(".picture").focus();
    for (const key of ["+", "+"]) await page.keyboard.press(key);
    await drawn(page);
    expect(await picture(page)).not.toBe(whole);
    expect(await button.isDisabled()).toBe(false);
    await page.keyboard.press("0");
    await drawn(page);
    expect(await button.isDisabled()).toBe(true);
    expect(await picture(page)).toBe(whole);
    await page.mouse.move(600, 400);
    await page.mouse.wheel(0, -600);
    await drawn(page);
    const close = await picture(page);
    await page.mouse.down();
    await page.mouse.move(500, 380, { steps: 4 });
    await page.mouse.up();
    await drawn(page);
    expect(await picture(page)).not.toBe(close);
    expect(await harness(page)).toMatchObject({ selected: -1 });
    await button.click();
    await button.and(page.locator(":disabled")).waitFor();
    await page.getByRole("button", { name: "Cost" }).click();
    await drawn(page);
    expect(await picture(page)).not.toBe(whole);
    expect(opened.complaints).toEqual([]);
  });

  test("the pointer shows who lies there, a click selects it, and a double click opens it", async () => {
    await using opened = await openPicture("agents=10&depth=4");
    const { page } = opened;
    await drawn(page);
    await page.mouse.move(640, 86);
    await page.locator(".hint .name", { hasText: "lead-0" }).waitFor();
    expect(await page.locator(".hint").textContent()).toMatch(/waits for children.*With all below\$.*Age1h.*Below9/);
    await page.mouse.click(640, 86);
    expect(await harness(page)).toMatchObject({ selected: 0, opened: -1 });
    await page.mouse.dblclick(640, 86);
    expect(await harness(page)).toMatchObject({ opened: 0 });
    expect(opened.complaints).toEqual([]);
  });

  test("the scrubber shows who lived then, and goes back to now", async () => {
    await using opened = await openPicture("agents=300&depth=6");
    const { page } = opened;
    const slider = page.getByRole("slider", { name: "Moment that is shown" });
    await slider.focus();
    for (let turn = 0; turn < 6; turn++) await page.keyboard.press("PageDown");
    const said = (await slider.getAttribute("aria-valuetext")) ?? "";
    const [, alive = "0"] = /^\d\d:\d\d:\d\d, \d+m.* ago: (\d+) alive$/.exec(said) ?? [];
    const counted = await page.evaluate<number>(
      `(() => { const { fleet } = harness; const all = [...fleet.spawnedMs.slice(0, fleet.count)];
        const first = Math.min(...all); const then = first + 0.4 * (fleet.timeMs - first);
        return all.filter((ms, agent) => ms <= then && (fleet.endedMs[agent] === 0 || fleet.endedMs[agent] > then)).length; })()`,
    );
    expect(Number(alive)).toBe(counted);
    expect(await page.locator(".tally").textContent()).toContain(`${counted}alive`);
    await page.getByRole("button", { name: "Back to now" }).click();
    expect(await slider.getAttribute("aria-valuetext")).toMatch(/^now: /);
    expect(opened.complaints).toEqual([]);
  });

  test("the journals say what everybody did then, once they have read", async () => {
    server.answers.history = () => [];
    server.answers.moment = ({ at }) => ({
      time: at,
      statuses: STATUSES,
      waits: [],
      agents: Array.from({ length: 7 }, (_, agent) => `agent${String(agent).padStart(15, "0")}`),
      status: Array(7).fill(STATUSES.indexOf("queued")),
      waiting: Array(7).fill(-1),
      held: Array(7).fill(0),
      costUsd: Array(7).fill(0.5),
    });
    await using opened = await openPicture("agents=300&depth=6&journals=1");
    const { page } = opened;
    await page.getByRole("slider", { name: "Moment that is shown" }).focus();
    await page.keyboard.press("PageDown");
    await page.locator(".tally", { hasText: /^7queued$/ }).waitFor();
    expect(await page.getByText("only births and ends are known").count()).toBe(0);
    expect(await page.locator(".scrubber output").textContent()).toContain(" alive, $3.50 spent, ");
    await page.locator(".picture").focus();
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => told(page)).toMatch(/queued, level 0, \$3\.50 with 6 agents below/);
    await page.getByRole("button", { name: "Cost" }).click();
    await drawn(page);
    expect(server.asked.filter(({ name }) => name === "moment")).toHaveLength(1);
    expect(opened.complaints).toEqual([]);
  });

  test("what agents did before is drawn in their cells, and what rewinds took back is hatched and told", async () => {
    const generated = livelyFleet(300, 6, 7);
    const before = server.asked.length;
    server.answers.history = ({ agents }) => [pastOfGenerated(generated, agents as string[])];
    await using without = await openPicture("agents=300&depth=6");
    await drawn(without.page);
    const bare = await picture(without.page);
    await using opened = await openPicture("agents=300&depth=6&journals=1");
    const { page } = opened;
    await expect.poll(() => picture(page)).not.toBe(bare);
    await page.locator(".picture").focus();
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => told(page)).toMatch(/level 0, rewound (once|twice|\d times), /);
    // Who is known is not asked for again.
    await drawn(page);
    await page.mouse.move(640, 86);
    await page.locator(".hint", { hasText: /(Since|From) \d\d:\d\d:\d\d.*: [a-z ]+(, taken back since)?\./ }).waitFor();
    await page.locator(".hint", { hasText: /It was rewound .*: what that took back is hatched\./ }).waitFor();
    const since = server.asked.slice(before);
    const asked = since.filter(({ name }) => name === "history").map(({ input }) => input.agents as string[]);
    expect(asked[0]?.length).toBeGreaterThan(3);
    expect(new Set(asked.flat()).size).toBe(asked.flat().length);
    expect(opened.complaints).toEqual([]);
  });
});
