/** The dashboard in a real browser, under the policy that the server sends. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GeneratedFleet, STATUSES } from "../support/generated-fleet.ts";
import { buildPage, openPage, startBrowser } from "./support/browser.ts";
import { servePage } from "./support/page-server.ts";
import { world } from "./support/world.ts";

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

  test("a connection that breaks is taken up again by itself; a page that fell behind says so, and shows how things stand", async () => {
    const { server, fleet } = await world(built.folder, 30);
    await using _served = server;
    await using opened = await openPage(browser, `${server.url}/#/tree`);
    const { page } = opened;
    await page.locator("#row-3").waitFor();
    // What changes meanwhile is in what the page is given then.
    server.cut();
    fleet.set(3, { status: STATUSES.indexOf("held"), waiting: "", hold: 1 });
    await page.locator("#row-3", { hasText: "held" }).waitFor();
    await page.locator(".link", { hasText: /^live$/ }).waitFor();
    fleet.set(3, { status: STATUSES.indexOf("running"), waiting: "", hold: 0 });
    server.miss();
    await page.locator(".notice", { hasText: "This page fell behind" }).waitFor();
    await page.locator("#row-3", { hasText: "running" }).waitFor();
    expect(opened.complaints.filter((each) => !each.includes("net::ERR"))).toEqual([]);
  });

  test("a fleet without agents says how one begins, and shows the first one when it comes", async () => {
    const fleet = new GeneratedFleet({ agents: 0, depth: 3, seed: 1 });
    await using server = await servePage(built.folder, fleet);
    await using opened = await openPage(browser, `${server.url}/#/tree`);
    await opened.page.getByRole("heading", { name: "No agents yet" }).waitFor();
    server.tell(fleet.step(0, 1));
    await opened.page.locator("#row-0").waitFor();
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
