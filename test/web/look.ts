/**
 * Looks at every page in a real browser: screenshots of fleets of three sizes, at two widths, light and dark.
 *
 *     node test/web/look.ts FOLDER [PART-OF-A-NAME]     all of them, or those whose name has that part: `tree-1000-1280-dark`
 *
 * `CHROMIUM` names the browser.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { GeneratedFleet, STATUSES } from "../support/generated-fleet.ts";
import { pastOfGenerated } from "../support/generated-past.ts";
import { answerAll } from "./support/answers.ts";
import { buildPage, openPage, startBrowser } from "./support/browser.ts";
import { servePage } from "./support/page-server.ts";

const SETTLED =
  ".trouble-row, .row[data-agent], .step, .points li, .chart canvas, .about section, tbody tr, .empty, .well, .scrubber output";

const [folder = "shots", part = ""] = process.argv.slice(2);
await mkdir(folder, { recursive: true });
await using built = await buildPage();
const browser = await startBrowser();
try {
  for (const agents of [0, 10, 1_000, 10_000]) await look(agents);
} finally {
  await browser.close();
}

async function look(agents: number): Promise<void> {
  const fleet = new GeneratedFleet({ agents, depth: 12, seed: 5, failed: 0.002, completed: 0.3 });
  const { columns } = fleet;
  const asks = Math.floor(agents / 2) + 1;
  if (agents > 0) fleet.set(asks, { status: STATUSES.indexOf("waiting"), waiting: "approval", endedMs: 0 });
  await using server = await servePage(built.folder, fleet);
  answerAll(server, fleet);
  server.answers.history = ({ agents: wanted }) => [pastOfGenerated(fleet, wanted as string[])];
  const id = columns.id[asks] ?? "";
  const places: readonly (readonly [name: string, hash: string, act?: (page: Page) => Promise<void>])[] = [
    ["triage", "#/triage"],
    ["tree", "#/tree"],
    ["filter", "#/tree?q=status:failed"],
    ["offers", "#/tree?q=stauts:failed", (page) => press(page, "/", "End", "Space", "-", "w")],
    ["beside", `#/tree?agent=${id}`, (page) => page.locator(".step").first().waitFor()],
    ["agent", `#/agent/${id}`],
    ["checkpoints", `#/agent/${id}/checkpoints`],
    ["spending", `#/agent/${id}/spending`],
    ["about", `#/agent/${id}/about`],
    ["time", "#/time", time],
    ["cost", "#/cost"],
    ["artifacts", "#/artifacts"],
    ["actions", `#/tree?agent=${id}`, (page) => press(page, ".")],
    ["rewind", `#/agent/${id}/checkpoints`, rewind],
  ];
  for (const width of [1280, 1920]) {
    for (const theme of ["dark", "light"] as const) {
      const wanted = places
        .map(([name, ...rest]) => [`${name}-${agents}-${width}-${theme}`, ...rest] as const)
        .filter(([name]) => name.includes(part) && (agents > 0 || /^(triage|tree|artifacts)-/.test(name)));
      if (wanted.length === 0) continue;
      await using opened = await openPage(browser, `${server.url}/#/triage`, { theme, width });
      await opened.page.locator("main h1, main .row, main .empty").first().waitFor();
      for (const [name, hash, act] of wanted) {
        await opened.page.goto(`${server.url}/${hash}`);
        await opened.page.reload();
        // What the page has asked the server for is there, and drawn.
        await opened.page.locator(SETTLED).first().waitFor();
        await act?.(opened.page);
        await opened.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
        await opened.page.screenshot({ path: join(folder, `${name}.png`) });
      }
      if (opened.complaints.length > 0) console.error(agents, width, theme, opened.complaints);
    }
  }
}

async function press(page: Page, ...keys: readonly string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
}

/** With what the agents did before: the page asks for it once it rests. */
async function time(page: Page): Promise<void> {
  await press(page, "j", "j");
  await page.evaluate("new Promise((done) => setTimeout(done, 600))");
}

async function rewind(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Rewind here…" }).last().click();
  await page.getByLabel("The messages and the files").check();
}
