/**
 * Takes docs/dashboard.png, the README's picture of the dashboard: a simulated fleet of a thousand agents after a minute, one subtree of it
 * paused, with an agent open that waits for a person. `npm run build && npm run picture:dashboard`; it needs Chromium.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { sleep, systemClock } from "../src/base/clock.ts";
import { connect } from "../src/client.ts";

const { values } = parseArgs({
  options: {
    chromium: { type: "string", default: "/usr/bin/chromium" },
    seconds: { type: "string", default: "75" },
    out: { type: "string", default: fileURLToPath(new URL("../docs/dashboard.png", import.meta.url)) },
  },
});
const clock = systemClock();
const bin = fileURLToPath(new URL("../bin/banyan.js", import.meta.url));
const words = ["simulate", "--fleet", "1000", "--depth", "12", "--rate", "400", "--seed", "5", "--json"];
const fleet = spawn(process.execPath, [bin, ...words], { stdio: ["ignore", "pipe", "inherit"] });
try {
  const [line] = await once(fleet.stdout, "data");
  const { url, token } = JSON.parse(String(line)) as { url: string; token: string };
  await sleep(clock, Number(values.seconds) * 1_000);
  await using client = await connect({ url, token });
  const rows = await client.tree().toArray();
  const branch = rows.findLast(({ level, subtree }) => level === 2 && subtree.agents > 10 && subtree.agents < 80);
  if (branch) await client.pause({ agent: branch.id, reason: "until the review" });

  const browser = await chromium.launch({ executablePath: values.chromium, args: ["--no-sandbox", "--disable-gpu"] });
  const context = await browser.newContext({ viewport: { width: 1440, height: 810 }, colorScheme: "dark" });
  await context.request.post(`${url}/v1/session`, { data: { secret: token }, headers: { origin: url } });
  const page = await context.newPage();
  await page.goto(`${url}/#/tree`);
  await page.locator("[role=row][aria-level]").first().waitFor();
  // Until there is a minute to say what is spent in.
  await sleep(clock, 15_000);
  await page.keyboard.press("n");
  await page.keyboard.press("Enter");
  await page.locator(".step").first().waitFor();
  await sleep(clock, 1_000);
  await page.screenshot({ path: values.out });
  await browser.close();
  console.log(values.out);
} finally {
  fleet.kill("SIGINT");
}
