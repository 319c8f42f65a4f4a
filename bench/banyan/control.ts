/**
 * The figures of control, each printed as a JSON line; conditions and results stand in docs/performance.md.
 * `node --expose-gc bench/banyan/control.ts [levels] [live] [hold]`
 */
import { mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { Banyan, spawning } from "../../src/index.ts";
import { quantile, round } from "../core/figures.ts";
import { fleet } from "./fleet.ts";

const BENCHES: Readonly<Record<string, (folder: string) => Promise<object>>> = { levels, live, hold };
const wanted = process.argv.slice(2);

for (const [name, bench] of Object.entries(BENCHES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const folder = await mkdtemp(join(tmpdir(), `banyan-${name}-`));
  try {
    console.log(JSON.stringify({ bench: name, ...(await bench(folder)), load: round(loadavg()[0] ?? 0) }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A chain of agents, each the child of the one before: the deepest answers first. One slot must be enough. */
async function levels(folder: string): Promise<object> {
  const { model, hanging } = fleet();
  await using banyan = await Banyan.open(folder, { runningMax: 1 });
  const startMs = performance.now();
  const root = await banyan.spawn({ name: "root", model, task: "chain 99", tools: [spawning()] });
  await until(() => hanging.size === 1);
  for (const go of hanging) go();
  const { status, agents } = await root.result();
  return { status, levels: agents, runningMax: 1, ms: round(performance.now() - startMs) };
}

/** 1,000 agents that wait for a child each: what one of them keeps on the heap and in the process. */
async function live(folder: string): Promise<object> {
  const { model, hanging } = fleet();
  await using banyan = await Banyan.open(folder, { runningMax: 10_000 });
  await banyan.spawn({ name: "warm", model, task: "chain 1", tools: [spawning()] });
  await until(() => hanging.size === 1);
  const before = memory();
  for (let at = 0; at < 1_000; at += 1)
    await banyan.spawn({ name: "parent", model, task: "chain 1", tools: [spawning()] });
  const waiting = () => banyan.roots().filter(({ status }) => status === "waiting").length;
  await until(() => hanging.size === 1_001 && waiting() === 1_001);
  const after = memory();
  const result = {
    waiting: waiting(),
    alsoRunning: hanging.size,
    // One that waits and one that is in a model call, together.
    heapKbAPair: round((after.heap - before.heap) / 1_000 / 1_024),
    rssKbAPair: round((after.rss - before.rss) / 1_000 / 1_024),
  };
  for (const go of hanging) go();
  return result;
}

/** A hold on a subtree of 10,000 agents that all call the model, and what follows its release. */
async function hold(folder: string): Promise<object> {
  const { model, calls, hanging } = fleet();
  await using banyan = await Banyan.open(folder, { runningMax: 20_000, childrenLiveMax: 200 });
  const root = await banyan.spawn({ name: "root", model, task: "tree 100 2", tools: [spawning()] });
  await until(() => hanging.size === 10_000);
  const startMs = performance.now();
  await root.pause();
  const pausedMs = performance.now() - startMs;
  const callsBefore = calls.length;
  for (const go of hanging) go();
  await until(() => banyan.runtime.coordinator.load.working === 0);
  const callsUnderHold = calls.length - callsBefore;
  const releaseMs = performance.now();
  const resumed = root.resume();
  await until(() => calls.length > callsBefore);
  const firstMs = (calls[callsBefore] ?? Number.NaN) - releaseMs;
  await resumed;
  await root.result();
  return {
    agents: root.head.childrenTotal * 100 + root.head.childrenTotal + 1,
    pausedMs: round(pausedMs),
    callsUnderHold,
    resumeToFirstCallMs: round(firstMs),
    resumeToCallP95Ms: round(await resumes(banyan)),
  };
}

/** One agent after the other is held and released: from the release to its next model call. */
async function resumes(banyan: Banyan): Promise<number> {
  const { model, calls, hanging } = fleet();
  const times: number[] = [];
  for (let round = 0; round < 100; round += 1) {
    const agent = await banyan.spawn({ name: "one", model, task: "hang" });
    await until(() => hanging.size === 1);
    await agent.pause();
    await agent.send("and then?");
    for (const go of hanging) go();
    await until(() => agent.head.turns === 1);
    const [before, startMs] = [calls.length, performance.now()];
    await agent.resume();
    await until(() => calls.length > before);
    times.push((calls[before] ?? Number.NaN) - startMs);
    await agent.result();
  }
  return quantile(times, 0.95);
}

function memory(): { heap: number; rss: number } {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  return { heap: heapUsed, rss };
}

function until(holds: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = () => (holds() ? resolve() : setImmediate(look));
    look();
  });
}
