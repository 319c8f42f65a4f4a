/** The page of an agent in a real browser: its transcript, its restore points, who waits for whom. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { STATUSES } from "../../support/generated-fleet.ts";
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

/** Goes on with Tab until the button of that name is in focus, and presses it. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 80; presses++) {
    const focus = await page.evaluate<string>("document.activeElement?.textContent ?? ''");
    if (focus === name) return page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
  }
  throw new Error(`no ${name} is reached with Tab`);
}

describe("the page of an agent", () => {
  test("a transcript folds its calls, loads what is long when it is asked for, and finds", async () => {
    const { server, id } = await world(built.folder, 50);
    await using _served = server;
    await using opened = await openPage(browser, `${server.url}/#/agent/${id}`);
    const { page } = opened;
    await page.locator("details.call").waitFor();
    expect(await page.locator("details.call").getAttribute("open")).toBeNull();
    await page.locator("details.call summary").click();
    await page.getByRole("button", { name: /Load all of it/ }).click();
    await page.getByText("all of what there is").waitFor();
    await page.getByLabel("Search the transcript").fill("needle");
    await page.getByText("1 found").waitFor();
    await page.getByLabel("Search the transcript").fill("");
    await page.getByText("3 steps").waitFor();
    await page.locator(".step").last().hover();
    await page.getByRole("button", { name: "rewind here" }).last().click();
    await page.locator("[role=dialog]").waitFor();
    await page.getByRole("button", { name: "Rewind" }).click();
    await page.locator(".notice").waitFor();
    expect(server.asked.find(({ name }) => name === "rewind")?.input).toEqual({ agent: id, to: 2 });
  });

  test("D3: a rewind says what it takes back and which files go back, and takes files only when that is chosen; by keyboard alone", async () => {
    const { server, id } = await world(built.folder, 50);
    await using _served = server;
    await using opened = await openPage(browser, `${server.url}/#/agent/${id}/checkpoints`);
    const { page } = opened;
    const dialog = page.locator("[role=dialog]");
    const rewinds = () => server.asked.filter(({ name }) => name === "rewind").map(({ input }) => input);
    const begin = async (event: number) => {
      await page
        .getByRole("group", { name: `event ${event}` })
        .getByRole("button", { name: "Rewind here…" })
        .focus();
      await page.keyboard.press("Enter");
    };
    await page.locator(".points li").first().waitFor();
    await begin(5);
    await dialog.getByText("No files were kept there").waitFor();
    await dialog.getByText("It takes back 2 messages and 2 turns; the $0.0400 that they cost stay spent.").waitFor();
    await dialog.getByText("It cancels 1 child spawned since: helper.").waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });

    await begin(2);
    await dialog.getByLabel("The messages only").focus();
    expect(await dialog.getByRole("list", { name: "Files that go back" }).count()).toBe(0);
    await page.keyboard.press("ArrowDown");
    const files = dialog.getByRole("list", { name: "Files that go back" });
    await files.waitFor();
    expect(await files.locator("li").allTextContents()).toEqual([
      "src/new.tsis removed",
      "src/<b>old</b>.tsis made again",
    ]);
    expect(await violations(page)).toEqual([]);
    expect(rewinds()).toEqual([]);
    await tabTo(page, "Rewind");
    await page.locator(".notice", { hasText: "its files too" }).waitFor();
    expect(rewinds()).toEqual([{ agent: id, to: 2, files: true }]);

    // What was chosen once is not chosen for the next.
    await begin(2);
    await tabTo(page, "Rewind");
    await dialog.waitFor({ state: "detached" });
    expect(rewinds().at(-1)).toEqual({ agent: id, to: 2 });
    expect(opened.complaints).toEqual([]);
  });

  test.each(["dark", "light"] as const)(
    "restore points are pinned, let go, named and compared, AA in %s",
    async (theme) => {
      const { server, id } = await world(built.folder, 50);
      await using _served = server;
      await using opened = await openPage(browser, `${server.url}/#/agent/${id}/checkpoints`, { theme });
      const { page } = opened;
      const asked = (wanted: string) => server.asked.filter(({ name }) => name === wanted).map(({ input }) => input);
      const point = (event: number) => page.getByRole("group", { name: `event ${event}` });
      await point(4).getByRole("button", { name: "Pin", exact: true }).click();
      await point(2).getByRole("button", { name: "Unpin" }).click();
      await expect.poll(() => asked("unpinCheckpoint")).toEqual([{ agent: id, checkpoint: "before" }]);
      expect(asked("pinCheckpoint")).toEqual([{ agent: id, checkpoint: 4 }]);
      expect(await point(4).getByRole("button", { name: "Rewind here…" }).isDisabled()).toBe(true);

      await point(5).getByRole("button", { name: "Name…" }).click();
      await page.getByLabel("Name of event 5").fill("the good one");
      await page.getByLabel(/^Pin it/).check();
      await page.keyboard.press("Enter");
      await page.locator(".notice", { hasText: "the good one" }).waitFor();
      expect(asked("checkpoint")).toEqual([{ agent: id, name: "the good one", at: 5, pin: true }]);

      await page.getByLabel("Compare", { exact: true }).selectOption({ label: "before, event 2" });
      await page.getByText("7 events in 1m 1s: 2 turns, $0.0400").waitFor();
      await page.getByLabel("with", { exact: true }).selectOption("5");
      await page.getByText("3 events in 1m 1s").waitFor();
      expect(await page.locator(".difference").textContent()).toContain("look_up: 3 calls, 1 failed");
      expect(await page.locator(".difference").textContent()).toContain("src/<b>old</b>.tsremoved");
      expect(asked("diffCheckpoints")).toEqual([
        { agent: id, from: 2 },
        { agent: id, from: 2, to: 5 },
      ]);
      expect(await violations(page)).toEqual([]);
      expect(opened.complaints).toEqual([]);
    },
  );

  test("it says whom the agent waits for, who waits for it, and whom it hears from", async () => {
    const { server, fleet, sick, parent } = await world(built.folder, 50);
    await using _served = server;
    const { columns } = fleet;
    for (const agent of [sick, parent]) {
      const waits = { status: STATUSES.indexOf("waiting"), waiting: "children", endedMs: 0, problem: "" };
      fleet.set(agent, agent === parent ? waits : { ...waits, waiting: "message" });
    }
    await using opened = await openPage(browser, `${server.url}/#/agent/${columns.id[sick]}/about`);
    const { page } = opened;
    const block = (title: string) =>
      page.locator(".about section", { has: page.getByRole("heading", { name: title, exact: true }) });
    await block("Waits for").getByText("a message, from whomever it comes").waitFor();
    const link = (title: string, agent: number) => block(title).getByRole("link", { name: columns.name[agent] ?? "" });
    await link("Hears from", 0).waitFor();
    await block("Agent").getByText("900 records of its tree in the archive of the data").waitFor();
    await link("Waited for by", parent).click();
    await page.locator(".agent h1", { hasText: columns.name[parent] ?? "" }).waitFor();
    await page.getByRole("link", { name: "About" }).click();
    await link("Waits for", sick).waitFor();
    expect(opened.complaints).toEqual([]);
  });
});
