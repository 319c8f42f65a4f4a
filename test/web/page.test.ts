/** The dashboard in a real browser, under the policy that the server sends. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { STATUSES } from "../support/generated-fleet.ts";
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

describe("the dashboard", () => {
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

  test("the one failing agent among 10,000 is open with one key from the first page, and with two from the tree", async () => {
    const { server, name, sick } = await world(built.folder, 10_000);
    await using _served = server;
    await using opened = await openPage(browser, `${server.url}/`);
    const { page } = opened;
    await page.locator(`.trouble-row[data-agent="${sick}"]`).waitFor();
    expect(await page.locator("h1").first().textContent()).toBe("1 agent needs you");
    await page.keyboard.press("Enter");
    await page.locator(".agent h1", { hasText: name }).waitFor();
    await page.goto(`${server.url}/#/tree`);
    await page.locator("[role=row][aria-level]").first().waitFor();
    await page.keyboard.press("n");
    await page.locator(`#row-${sick}[aria-selected=true]`).waitFor();
    await page.keyboard.press("Enter");
    await page.locator(".agent h1", { hasText: name }).waitFor();
    expect(await page.locator(".row").count()).toBeLessThanOrEqual(200);
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

  test("what agents write is text: no markup, nothing that turns a line round or cannot be seen", async () => {
    const { server, id, sick } = await world(built.folder, 300, { hostile: true });
    await using _served = server;
    await using opened = await openPage(browser, `${server.url}/#/triage`);
    const { page } = opened;
    const row = page.locator(`.trouble-row[data-agent="${sick}"]`);
    await row.waitFor();
    expect(await row.textContent()).toContain("<img src=x onerror=document.title='taken'>");
    expect(await row.textContent()).toContain("evil⟨U+202E⟩gnp.exe␇");
    expect(await row.textContent()).toContain("</script><b>bold</b> ⟨U+2066⟩hidden");
    await page.goto(`${server.url}/#/agent/${id}`);
    await page.locator(".step").first().waitFor();
    expect(await page.locator(".steps").textContent()).toContain("<script>document.title = 'taken'</script>");
    expect(await page.locator("img, .text b, .text script").count()).toBe(0);
    expect(await page.title()).toBe("Banyan");
    expect(opened.complaints).toEqual([]);
  });

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

  test("what changes is shown; what is older than two seconds is said to be old; without a session a token is asked for", async () => {
    const { server, fleet } = await world(built.folder, 30);
    await using _served = server;
    await using opened = await openPage(browser, `${server.url}/#/tree`);
    const { page } = opened;
    await page.locator("#row-3").waitFor();
    server.tell(fleet.set(3, { status: STATUSES.indexOf("held"), waiting: "", hold: 1 }));
    await page.locator("#row-3", { hasText: "held" }).waitFor();
    server.silence();
    await page.getByRole("alert").filter({ hasText: "This is how things stood" }).waitFor();
    server.refuse();
    await page.getByLabel("Token").fill("a token");
    await page.getByRole("button", { name: "Open" }).click();
    await page.locator("#row-3").waitFor();
    expect(opened.complaints).toEqual([]);
  });
});
