/**
 * What the dashboard does with a lively fleet, in a real browser on a real server. Each figure is one JSON line, with the load of the machine.
 *
 * `node bench/web.ts [--agents 10000] [--depth 14] [--rate 500] [--minutes 10] [--samples 100] [--follow 240]`
 *
 * The page must have been built (`npm run build`). The server, which also runs the fleet, is a process of its own; so is the browser. Frames are
 * told apart by what goes on while they are drawn: scrolling through all rows, filtering letter by letter, zooming in and out.
 *
 * Two delays: from a command to the frame that shows what came of it, and from the time of an event, which is taken before it is on the disk, to
 * the frame that shows it: for `--follow` seconds, of all rows in a window of 3,000 pixels, none of which a command has touched.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Browser, chromium, type Page } from "playwright-core";
import { sleep, systemClock } from "../src/base/clock.ts";
import { type Client, connect } from "../src/client.ts";
import { quantile } from "./core/figures.ts";

const { values } = parseArgs({
  options: {
    agents: { type: "string", default: "10000" },
    depth: { type: "string", default: "14" },
    rate: { type: "string", default: "500" },
    minutes: { type: "string", default: "10" },
    samples: { type: "string", default: "100" },
    follow: { type: "string", default: "240" },
    chromium: { type: "string", default: "/usr/bin/chromium" },
  },
});
const [agents, minutes, samples] = [Number(values.agents), Number(values.minutes), Number(values.samples)];
const PHASE_MS = 10_000;
const READY_MS_MAX = 300_000;
const clock = systemClock();

/** In the page: every frame and every long task, under the name of what goes on. */
const RECORD = `
  window.record = { phase: "start", frames: {}, tasks: {}, rows: 0 };
  let last = 0;
  const frame = (now) => {
    if (last > 0) (record.frames[record.phase] ??= []).push(now - last);
    last = now;
    record.rows = Math.max(record.rows, document.getElementsByClassName("row").length);
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) (record.tasks[record.phase] ??= []).push(duration);
  }).observe({ type: "longtask", buffered: true });
`;

interface Recorded {
  readonly frames: Readonly<Record<string, number[]>>;
  readonly tasks: Readonly<Record<string, number[]>>;
  readonly rows: number;
}

async function measure(): Promise<void> {
  await using fleet = await startFleet();
  await using client = await connect({ url: fleet.url, token: fleet.token });
  await untilGrown(client);
  const browser = await chromium.launch({
    executablePath: values.chromium,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
  });
  try {
    const page = await openPage(browser, fleet);
    await page.locator("[role=row][aria-level]").first().waitFor();
    const cpu = await startCpu(page);
    const cpuMs: Record<string, number> = {};
    for (const [name, phase] of PHASES) {
      await setPhase(page, name);
      const before = await cpu();
      await phase(page);
      cpuMs[name] = (await cpu()) - before;
      await setPhase(page, "between");
    }
    const recorded = (await page.evaluate("record")) as Recorded;
    for (const [name] of PHASES) tellPhase(name, recorded, cpuMs[name] ?? 0);
    tell("row nodes in the page, most", recorded.rows, "");
    await tellEvents(page, client);
    await tellPixels(page, client);
    await tellHeap(page);
  } finally {
    await browser.close();
  }
}

interface Fleet extends AsyncDisposable {
  readonly url: string;
  readonly token: string;
}

async function startFleet(): Promise<Fleet> {
  const bin = fileURLToPath(new URL("../bin/banyan.js", import.meta.url));
  const words = ["simulate", "--fleet", values.agents, "--depth", values.depth, "--rate", values.rate, "--json"];
  const child: ChildProcess = spawn(process.execPath, [bin, ...words], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(child.stdout as NonNullable<typeof child.stdout>, "data");
  const { url, token } = JSON.parse(String(line)) as { url: string; token: string };
  return {
    url,
    token,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGINT");
      await once(child, "exit");
    },
  };
}

async function untilGrown(client: Client): Promise<void> {
  const startMs = clock.monotonic();
  while ((await client.stats()).agents < agents) {
    if (clock.monotonic() - startMs > READY_MS_MAX) throw new Error("the fleet does not get to its size");
    await sleep(clock, 500);
  }
}

/** First paint with nothing in the browser's cache, and when the first agents are on the screen. */
async function openPage(browser: Browser, { url, token }: Fleet): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    // What the bench asks of the page is code, which its policy would refuse.
    bypassCSP: true,
  });
  await context.request.post(`${url}/v1/session`, { data: { secret: token }, headers: { origin: url } });
  const page = await context.newPage();
  await page.addInitScript(RECORD);
  await page.goto(`${url}/#/tree`);
  await page.locator("[role=row][aria-level]").first().waitFor();
  const [paintMs, rowsMs] = (await page.evaluate(
    `[performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN, performance.now()]`,
  )) as [number, number];
  tell("first contentful paint", paintMs, "ms");
  tell("first rows of the tree on the screen", rowsMs, "ms");
  return page;
}

const PHASES: readonly (readonly [name: string, phase: (page: Page) => Promise<void>])[] = [
  ["scrolling", scroll],
  ["filtering", filter],
  ["zooming", zoom],
  ["watching", async () => sleep(clock, PHASE_MS)],
];

/** Through all agents, 60 pixels a frame: what a hand on a wheel does. */
async function scroll(page: Page): Promise<void> {
  await page.fill("#filter", "level>=0");
  await page.waitForFunction(`document.querySelector(".rows").scrollHeight > 28 * ${agents * 0.9}`);
  await page.evaluate(`new Promise((resolve) => {
    const grid = document.querySelector(".grid");
    const end = performance.now() + ${PHASE_MS};
    const step = (now) => {
      grid.scrollTop += 60;
      if (now < end) requestAnimationFrame(step);
      else resolve();
    };
    requestAnimationFrame(step);
  })`);
  await page.fill("#filter", "");
}

async function filter(page: Page): Promise<void> {
  const words = ["status:running level>6", "name:coder cost>0.002", "is:problem", "-status:running turns>1"];
  const endMs = clock.monotonic() + PHASE_MS;
  for (let index = 0; clock.monotonic() < endMs; index++) {
    await page.focus("#filter");
    await page.keyboard.type(words[index % words.length] ?? "", { delay: 60 });
    await page.keyboard.press("Escape");
  }
  await page.keyboard.press("Escape");
}

async function zoom(page: Page): Promise<void> {
  const endMs = clock.monotonic() + PHASE_MS;
  await page.keyboard.press("Home");
  while (clock.monotonic() < endMs) {
    for (const key of ["j", "j", "l", "z", "j", "Escape", "k"]) {
      await page.keyboard.press(key);
      await sleep(clock, 80);
    }
  }
}

function setPhase(page: Page, name: string): Promise<unknown> {
  return page.evaluate(`record.phase = ${JSON.stringify(name)}`);
}

/** What the page's own thread has used of a core so far, in milliseconds: the same whatever else the machine does. */
async function startCpu(page: Page): Promise<() => Promise<number>> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  return async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return 1_000 * (metrics.find((metric) => metric.name === "TaskDuration")?.value ?? 0);
  };
}

function tellPhase(name: string, { frames, tasks }: Recorded, cpuMs: number): void {
  const drawn = frames[name] ?? [];
  const long = tasks[name] ?? [];
  tell(`${name}: frame p50`, quantile(drawn, 0.5), "ms");
  tell(`${name}: frame p95`, quantile(drawn, 0.95), "ms");
  tell(`${name}: frames that took two or more`, drawn.filter((ms) => ms > 25).length / drawn.length, "of all");
  tell(`${name}: CPU of the page's thread a frame`, cpuMs / drawn.length, "ms");
  tell(`${name}: tasks over 50 ms`, long.length, "");
  tell(`${name}: longest task`, Math.max(0, ...long), "ms");
}

/** In the page: whenever a row shows another number of turns, and from which moment on that is on the screen. */
const FOLLOW = `
  window.seen = [];
  new MutationObserver((records) => {
    const changed = new Map();
    for (const { target } of records) {
      const cell = (target.nodeType === Node.TEXT_NODE ? target.parentElement : target)?.closest(".cell-turns");
      const row = cell?.closest(".rows > .row");
      if (row) changed.set(Number(row.dataset.agent), Number(cell.textContent.replace(/\\D/g, "")));
    }
    // The frame after the one in which it changed has it on the screen.
    if (changed.size > 0) requestAnimationFrame(() => {
      for (const [agent, turns] of changed) seen.push([agent, turns, performance.timeOrigin + performance.now()]);
    });
  }).observe(document.querySelector(".rows"), { subtree: true, characterData: true, childList: true });
  [...document.querySelectorAll(".rows > .row")].map((row) => [Number(row.dataset.agent), Number(row.querySelector(".cell-turns").textContent.replace(/\\D/g, ""))]);
`;

/** From the end of a turn, as its agent's journal has it, to the frame that counts it, for every turn of every row that is shown. */
async function tellEvents(page: Page, client: Client): Promise<void> {
  const followMs = Number(values.follow) * 1_000;
  await page.setViewportSize({ width: 1280, height: 3_000 });
  // Those without children: they take turns, while those above them wait.
  await page.fill("#filter", "agents:1");
  await page.waitForFunction(`document.querySelectorAll(".rows > .row").length > 80`);
  // Rows that are drawn when it begins stay where they are.
  await page.evaluate(`document.querySelector(".grid").scrollTop = 0`);
  await sleep(clock, 1_000);
  const ids: string[] = [];
  let [position, startMs] = [0, clock.now()];
  for await (const frame of client.fleet()) {
    if (frame.kind !== "agents") continue;
    for (const [index, id] of frame.agents.id.entries()) ids[frame.from + index] = id;
    position = frame.position;
  }
  const shown = (await page.evaluate(FOLLOW)) as [agent: number, turns: number][];
  startMs = clock.now();
  await sleep(clock, followMs);
  const endMs = clock.now() - 1_000;
  const seen = (await page.evaluate("seen")) as [agent: number, turns: number, atMs: number][];
  const tookMs: number[] = [];
  let missed = 0;
  for (const [agent, turnsBefore] of shown) {
    let turns = 0;
    for await (const { time, event } of client.logs({ agent: ids[agent] ?? "" })) {
      if (event.type !== "turn.ended") continue;
      turns += 1;
      if (turns <= turnsBefore || time < startMs || time > endMs) continue;
      const drawn = seen.find(([each, shownTurns]) => each === agent && shownTurns >= turns);
      if (drawn) tookMs.push(drawn[2] - time);
      else missed += 1;
    }
  }
  let after = position;
  for await (const frame of client.fleet()) after = "position" in frame ? frame.position : after;
  tell("events a second meanwhile", (after - position) / ((clock.now() - startMs) / 1_000), "");
  tell("event to pixel p50", quantile(tookMs, 0.5), "ms");
  tell("event to pixel p99", quantile(tookMs, 0.99), "ms");
  tell("event to pixel, longest", Math.max(0, ...tookMs), "ms");
  tell("events followed to the screen", tookMs.length, "");
  tell("events that were not shown", missed, "");
  await page.setViewportSize({ width: 1280, height: 800 });
}

/** From asking the server to pause an agent, which makes an event durable and tells the page, to the frame that shows it held. */
async function tellPixels(page: Page, client: Client): Promise<void> {
  await page.fill("#filter", "status:running level:2");
  await page.waitForFunction(`document.querySelectorAll(".rows .row").length > 3`);
  const tookMs: number[] = [];
  const ids = (await client.tree().toArray()).filter(({ status, level }) => status === "running" && level === 2);
  for (let index = 0; index < samples && ids.length > 0; index++) {
    const agent = ids[index % ids.length]?.id ?? "";
    await page.fill("#filter", `id:${agent}`);
    await page.waitForFunction(`document.querySelector("output").textContent.startsWith("1 of")`);
    for (const [verb, isHeld] of [
      ["pause", true],
      ["resume", false],
    ] as const) {
      const shown = page.evaluate(`new Promise((resolve) => {
        const look = () => {
          const row = [...document.querySelectorAll(".rows .row:not([data-dim=true])")].at(-1);
          const held = row?.querySelector(".cell-state")?.textContent === "held";
          // The frame after the one in which it changed has it on the screen.
          if (held === ${isHeld}) requestAnimationFrame(() => resolve(performance.timeOrigin + performance.now()));
          else requestAnimationFrame(look);
        };
        look();
      })`);
      const askedMs = clock.now();
      await client[verb]({ agent });
      tookMs.push(((await shown) as number) - askedMs);
    }
  }
  tell("command to pixel p50", quantile(tookMs, 0.5), "ms");
  tell("command to pixel p99", quantile(tookMs, 0.99), "ms");
  tell("commands followed to the screen", tookMs.length, "");
}

const HEAP_EVERY_MS = 15_000;

/** With the garbage collected: what stays, and by how much it grows a minute once everything has been seen once. */
async function tellHeap(page: Page): Promise<void> {
  await page.fill("#filter", "");
  await page.waitForFunction(`document.querySelector("output").textContent.endsWith("agents")`);
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const agentsNow = async () =>
    Number(await page.evaluate(`Number(document.querySelector("output").textContent.replace(/\\D/g, ""))`));
  const agentsAtFirst = await agentsNow();
  const points: {
    readonly minute: number;
    readonly mib: number;
    readonly nodes: number;
    readonly listeners: number;
  }[] = [];
  const startMs = clock.monotonic();
  for (;;) {
    // What only a finaliser lets go of goes with the second.
    for (let times = 0; times < 2; times++) await session.send("HeapProfiler.collectGarbage");
    const { usedSize } = await session.send("Runtime.getHeapUsage");
    const { metrics } = await session.send("Performance.getMetrics");
    const metric = (name: string) => metrics.find((each) => each.name === name)?.value ?? 0;
    const minute = (clock.monotonic() - startMs) / 60_000;
    points.push({ minute, mib: usedSize / 2 ** 20, nodes: metric("Nodes"), listeners: metric("JSEventListeners") });
    if (minute >= minutes) break;
    await sleep(clock, HEAP_EVERY_MS);
  }
  const settled = points.filter(({ minute }) => minute >= Math.min(1, minutes / 3));
  const [first, last] = [points[0], points.at(-1)];
  tell("heap in use at first", first?.mib ?? 0, "MiB");
  tell(`heap in use ${minutes} min later`, last?.mib ?? 0, "MiB");
  tell("heap in use, most", Math.max(...points.map(({ mib }) => mib)), "MiB");
  tell("heap: grows after the first minute by", growth(settled.map(({ minute, mib }) => [minute, mib])), "MiB/min");
  tell("heap: measured so often", points.length, "");
  tell("nodes of the document at first", first?.nodes ?? 0, "");
  tell(`nodes of the document ${minutes} min later`, last?.nodes ?? 0, "");
  tell(
    "listeners: grow after the first minute by",
    growth(settled.map((each) => [each.minute, each.listeners])),
    "/min",
  );
  tell("agents born meanwhile, which the page keeps", (await agentsNow()) - agentsAtFirst, "");
}

/** Of the straight line that fits best. */
function growth(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (at: 0 | 1) => points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [meanX, meanY] = [mean(0), mean(1)];
  const up = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return up / points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
}

function tell(figure: string, value: number, unit: string): void {
  const machine = `${cpus().length} cores, Node ${process.versions.node}`;
  console.log(JSON.stringify({ figure, value: Math.round(value * 1_000) / 1_000, unit, load: loadavg()[0], machine }));
}

await measure();
