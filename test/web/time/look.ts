/**
 * Looks at the picture in a real browser: screenshots of fleets of any size, and how long frames take while one zooms and pans.
 *
 *     node test/web/time/look.ts shots FOLDER     10, 1,000 and 10,000 agents, 1280 and 1920 wide, light and dark
 *     node test/web/time/look.ts frames           10,000 agents at 500 changes a second
 *
 * `CHROMIUM` names the browser.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import react from "@vitejs/plugin-react";
import { chromium, type Page } from "playwright-core";
import { build, preview } from "vite";

/** Milliseconds between frames of the screen, and what the main thread spent in each, while the wheel turns and the pointer drags. */
const MEASURE = `(async () => {
  const canvas = document.querySelector(".picture canvas");
  const box = canvas.getBoundingClientRect();
  const gaps = [];
  const works = [];
  const tasks = [];
  new PerformanceObserver((list) => tasks.push(...list.getEntries().map((entry) => entry.duration))).observe({ type: "longtask" });
  let before = 0;
  const at = (x, y) => ({ bubbles: true, clientX: box.x + x, clientY: box.y + y, pointerId: 1, button: 0 });
  canvas.setPointerCapture = () => {};
  const channel = new MessageChannel();
  let began = 0;
  channel.port1.onmessage = () => works.push(performance.now() - began);
  for (let frame = 0; frame < 600; frame++) {
    const now = await new Promise((done) => requestAnimationFrame(done));
    began = performance.now();
    channel.port2.postMessage(0);
    if (before > 0) gaps.push(now - before);
    before = now;
    const turn = frame % 200;
    if (turn < 80) canvas.dispatchEvent(new WheelEvent("wheel", { ...at(700, 420), deltaY: turn < 40 ? -40 : 40, cancelable: true }));
    else {
      if (turn === 80) canvas.dispatchEvent(new PointerEvent("pointerdown", at(900, 420)));
      canvas.dispatchEvent(new PointerEvent("pointermove", at(900 + 200 * Math.sin(turn / 10), 420 + 60 * Math.cos(turn / 10))));
      if (turn === 199) canvas.dispatchEvent(new PointerEvent("pointerup", at(900, 420)));
    }
  }
  const part = (values, share) => values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? 0;
  const round = (value) => Math.round(value * 100) / 100;
  return {
    frames: gaps.length,
    gapMid: round(part(gaps, 0.5)), gapP95: round(part(gaps, 0.95)), gapMost: round(Math.max(...gaps)),
    workMid: round(part(works, 0.5)), workP95: round(part(works, 0.95)), workMost: round(Math.max(...works)),
    longTasks: tasks.length,
  };
})()`;

const [task = "frames", folder = "shots"] = process.argv.slice(2);
const root = join(import.meta.dirname, "page");
const work = await mkdtemp(join(tmpdir(), "picture-"));
const outDir = join(work, "page");
await build({ root, plugins: [react()], logLevel: "error", build: { outDir, target: "es2023" } });
const server = await preview({ root, logLevel: "error", build: { outDir }, preview: { port: 0, host: "127.0.0.1" } });
const address = server.httpServer.address();
const base = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/`;
const context = await chromium.launchPersistentContext(join(work, "profile"), {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
try {
  const page = await context.newPage();
  page.on("pageerror", (error) => console.log("page error:", error.message));
  if (task === "shots") await shoot(page);
  else await frames(page);
} finally {
  await context.close();
  await server.close();
  await rm(work, { recursive: true, force: true });
}

async function open(page: Page, width: number, query: string): Promise<void> {
  await page.setViewportSize({ width, height: width === 1280 ? 800 : 1080 });
  await page.goto(`${base}?${query}`);
  await page.locator(".scrubber output").waitFor();
  await settled(page);
}

/** What is asked of the journals has come, and two frames later everything is drawn. */
async function settled(page: Page): Promise<void> {
  await page.evaluate("new Promise((done) => setTimeout(done, 400))");
  await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
}

async function shoot(page: Page): Promise<void> {
  await mkdir(folder, { recursive: true });
  const shot = (name: string) => page.screenshot({ path: join(folder, `${name}.png`) });
  await page.emulateMedia({ reducedMotion: "reduce" });
  for (const [agents, depth] of [
    [10, 4],
    [1_000, 8],
    [10_000, 14],
  ] as const) {
    for (const width of [1280, 1920]) {
      for (const theme of ["dark", "light"]) {
        await open(page, width, `agents=${agents}&depth=${depth}&theme=${theme}&past=1`);
        await shot(`${agents}-${width}-${theme}-time`);
        if (width === 1920 && theme === "light") continue;
        await page.getByRole("button", { name: "Cost" }).click();
        await settled(page);
        await shot(`${agents}-${width}-${theme}-cost`);
        await page.getByRole("button", { name: "Time" }).click();
        const picture = page.locator(".picture");
        await picture.focus();
        for (const key of ["ArrowDown", "ArrowDown", "ArrowRight"]) await picture.press(key);
        await picture.press("z");
        await settled(page);
        await shot(`${agents}-${width}-${theme}-subtree`);
        await picture.press("0");
        const track = await page.locator(".track").boundingBox();
        if (track) await page.mouse.click(track.x + track.width * 0.6, track.y + track.height / 2);
        await page.mouse.move(width * 0.3, 300);
        await settled(page);
        await shot(`${agents}-${width}-${theme}-past`);
      }
    }
  }
}

async function frames(page: Page): Promise<void> {
  for (const along of ["Time", "Cost"]) {
    await open(page, 1920, "agents=10000&depth=14&rate=50&theme=dark&past=1");
    await page.getByRole("button", { name: along }).click();
    const session = await context.newCDPSession(page);
    await session.send("Performance.enable", { timeDomain: "threadTicks" });
    const cpuMs = async () => {
      const { metrics } = await session.send("Performance.getMetrics");
      return 1_000 * (metrics.find(({ name }) => name === "TaskDuration")?.value ?? 0);
    };
    const before = await cpuMs();
    const result = (await page.evaluate(MEASURE)) as Record<string, number>;
    const cpuPerFrame = ((await cpuMs()) - before) / (result.frames ?? 1);
    console.log(along.toLowerCase(), JSON.stringify({ ...result, cpuPerFrame: Number(cpuPerFrame.toFixed(2)) }));
  }
}
