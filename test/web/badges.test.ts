/** Every mark of how things stand, on every page that has one: as it begins, as it changes, and after the connection was gone or had fallen behind. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { STATUSES } from "../support/generated-fleet.ts";
import { buildPage, openPage, startBrowser } from "./support/browser.ts";
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

type Shown = Awaited<ReturnType<typeof world>>;

interface Standing {
  readonly status: string;
  /** What the marks say of it. */
  readonly word: string;
  readonly waiting?: string;
  /** Whether a person is asked for, in the bar and in Triage. */
  readonly urgent: boolean;
}

const FAILED: Standing = { status: "failed", word: "failed", urgent: true };
const RUNNING: Standing = { status: "running", word: "running", urgent: false };
const ASKING: Standing = { status: "waiting", waiting: "approval", word: "approval", urgent: true };
const HELD: Standing = { status: "held", word: "held", urgent: false };

test("every badge shows the current state: from the first, as it changes, after a reconnect, and after falling behind", async () => {
  const shown = await world(built.folder, 30);
  const { server, fleet, sick } = shown;
  await using _served = server;
  await using opened = await openPage(browser, `${server.url}/#/triage`);
  const { page } = opened;
  const become = ({ status, waiting = "" }: Standing) =>
    fleet.set(sick, {
      status: STATUSES.indexOf(status),
      waiting,
      hold: status === "held" ? 1 : 0,
      endedMs: 0,
      problem: "",
    });
  await expectShown(page, shown, FAILED);
  for (const standing of [RUNNING, ASKING]) {
    server.tell(become(standing));
    await expectShown(page, shown, standing);
  }
  server.cut();
  become(HELD);
  await page.locator(".link", { hasText: /^live$/ }).waitFor();
  await expectShown(page, shown, HELD);
  become(ASKING);
  server.miss();
  await expectShown(page, shown, ASKING);
  expect(opened.complaints.filter((each) => !each.includes("net::ERR"))).toEqual([]);
});

async function expectShown(page: Page, { fleet, sick, id }: Shown, { status, word, urgent }: Standing): Promise<void> {
  const alike = fleet.columns.status.filter((each) => each === STATUSES.indexOf(status)).length;
  await page.locator(`.bar .mix[aria-label*=" ${alike} ${status}"]`).waitFor();
  await page.locator(".bar nav .pill", { hasText: "1" }).waitFor({ state: urgent ? "visible" : "detached" });
  await goTo(page, "#/triage");
  await page.locator(`.trouble-row[data-agent="${sick}"] .state`, { hasText: word }).waitFor({
    state: urgent ? "visible" : "detached",
  });
  await page
    .locator("h1", { hasText: urgent ? "1 agent needs you" : "Nothing needs you now" })
    .first()
    .waitFor();
  await goTo(page, "#/tree");
  await page.locator(`#row-${sick} .state`, { hasText: word }).first().waitFor();
  await goTo(page, `#/agent/${id}`);
  await page.locator(".agent header .state", { hasText: word }).first().waitFor();
}

/** Without loading the page again: it goes on with the stream that it has. */
async function goTo(page: Page, hash: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
}
