/** The tree in a real browser: its keys, its filter, and what is asked before something is done. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildPage, openPage, startBrowser } from "../support/browser.ts";
import { violations, world } from "../support/world.ts";

let browser: Browser;
let built: Awaited<ReturnType<typeof buildPage>>;

beforeAll(async () => {
  [browser, built] = await Promise.all([startBrowser(), buildPage()]);
}, 60_000);

afterAll(async () => {
  await browser?.close();
  await built?.[Symbol.asyncDispose]();
});

describe("the tree", () => {
  test("a link to an agent shows it beside the tree, and where in the tree it stands", async () => {
    const { server, id, sick } = await world(built.folder, 60);
    await using _served = server;
    await using opened = await openPage(browser, `${server.url}/#/tree?agent=${id}`);
    const { page } = opened;
    await page.locator(`[role=row][aria-selected=true][data-agent='${sick}']`).waitFor();
    await page.locator(".step").first().waitFor();
    await page.keyboard.press("k");
    await page.locator(`[role=row][aria-selected=true]:not([data-agent='${sick}'])`).waitFor();
    expect(opened.complaints).toEqual([]);
  });

  test("keys: down, in, out, zoom, filter, page by page", async () => {
    const { server, fleet } = await world(built.folder, 600);
    await using _served = server;
    await using opened = await openPage(browser, `${server.url}/#/tree`);
    const { page } = opened;
    const selected = () => page.locator("[role=row][aria-selected=true]").getAttribute("data-agent");
    await page.locator("[role=row][aria-level]").first().waitFor();
    await page.keyboard.press("j");
    expect(await selected()).toBe("0");
    await page.keyboard.press("h");
    await page.locator("[role=row][aria-expanded=false]").first().waitFor();
    expect(await page.locator("[role=row][aria-level]").count()).toBe(1);
    await page.keyboard.press("l");
    await page.keyboard.press("l");
    expect(await selected()).toBe("1");
    await page.keyboard.press("z");
    await page.waitForURL(`**/#/tree?top=${fleet.columns.id[1]}`);
    await page.locator("[role=row][aria-level='1'][data-agent='1']").waitFor();
    await page.keyboard.press("Escape");
    await page.waitForURL("**/#/tree");
    await page.keyboard.press("/");
    await page.keyboard.type("status:failed");
    await page.locator("output", { hasText: "1 of 600" }).waitFor();
    await page.keyboard.press("Enter");
    await page.keyboard.press("G");
    expect(await page.locator("[role=row][aria-selected=true]").textContent()).toContain("the disk is full");
    await page.keyboard.press("/");
    await page.keyboard.type(" nonsense:1");
    await page.locator(".complaint", { hasText: "no field nonsense" }).waitFor();
    await page.keyboard.press("Escape");
    await page.locator("output", { hasText: "600 agents" }).waitFor();
    await page.keyboard.press("Enter");
    for (const [key, hash] of [
      ["1", "triage"],
      ["2", "tree"],
    ]) {
      await page.keyboard.press(key ?? "");
      await page.waitForURL(`**/#/${hash}`);
    }
    expect(opened.complaints).toEqual([]);
  });

  test.each(["dark", "light"] as const)(
    "F1: the filter says what could come next, by keyboard, and marks what means nothing where it stands; AA in %s",
    async (theme) => {
      const { server } = await world(built.folder, 600);
      await using _served = server;
      await using opened = await openPage(browser, `${server.url}/#/tree`, { theme });
      const { page } = opened;
      const field = page.locator("#filter");
      const offers = page.getByRole("option");
      await page.locator("[role=row][aria-level]").first().waitFor();
      await page.keyboard.press("/");
      await offers.filter({ hasText: "how it stands" }).waitFor();
      expect(await violations(page)).toEqual([]);
      await page.keyboard.type("st");
      await page.keyboard.press("ArrowDown");
      await page.locator("[role=option][aria-selected=true]", { hasText: "status:" }).waitFor();
      await page.keyboard.press("Tab");
      await offers.filter({ hasText: "status:failed1" }).waitFor();
      expect(await field.inputValue()).toBe("status:");
      await page.keyboard.type("fai");
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Enter");
      await page.locator("output", { hasText: "1 of 600" }).waitFor();
      expect(await field.inputValue()).toBe("status:failed ");
      await page.keyboard.type("level>");
      await page.getByText("how deep it stands; the root is 0").waitFor();
      await page.keyboard.type("many");
      await page.locator(".complaint", { hasText: "many is no number" }).waitFor();
      expect(await page.locator(".mirror u").allTextContents()).toEqual(["level>many"]);
      expect(await field.getAttribute("aria-invalid")).toBe("true");
      expect(await violations(page)).toEqual([]);
      // With nothing chosen Enter goes on to the tree.
      await page.keyboard.press("Enter");
      await page.locator("[role=treegrid]:focus").waitFor();
      expect(await offers.count()).toBe(0);
      expect(opened.complaints).toEqual([]);
    },
  );

  test("D1: pausing says how many agents it touches and what they have cost, before anything is asked of the server", async () => {
    const { server, fleet } = await world(built.folder, 400);
    await using _served = server;
    await using opened = await openPage(browser, `${server.url}/#/tree`);
    const { page } = opened;
    await page.locator("[role=row][aria-level]").first().waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("p");
    const dialog = page.locator("[role=dialog]");
    await dialog.waitFor();
    const cost = fleet.columns.costUsd.reduce((sum, each) => sum + each, 0);
    expect(await dialog.locator(".touches").textContent()).toContain("Agents400");
    expect(await dialog.locator(".touches").textContent()).toContain(`$${cost.toFixed(2)}`);
    expect(server.asked.filter(({ name }) => name === "pause")).toEqual([]);
    await page.getByLabel(/Why/).fill("lunch");
    await page.getByRole("button", { name: "Pause", exact: true }).click();
    await dialog.waitFor({ state: "detached" });
    expect(server.asked.find(({ name }) => name === "pause")?.input).toMatchObject({
      agent: fleet.columns.id[0],
      reason: "lunch",
    });
    expect(opened.complaints).toEqual([]);
  });
});
