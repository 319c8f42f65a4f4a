/** The figures of depth and of control: chains of agents, and holds on large subtrees. */
import { Banyan, spawning } from "../../src/index.ts";
import { quantile } from "../core/figures.ts";
import type { Figure } from "../core/workloads.ts";
import { fleet } from "./fleet.ts";
import { until } from "./until.ts";

const LEVELS = 100;

/** A chain of agents, each the child of the one before: the deepest answers first. One slot must be enough. */
export async function levels(folder: string): Promise<Figure[]> {
  const { model, hanging } = fleet();
  await using banyan = await Banyan.open(folder, { runningMax: 1, levelsMax: LEVELS });
  const startMs = performance.now();
  const root = await banyan.spawn({ name: "root", model, task: `chain ${LEVELS - 1}`, tools: [spawning()] });
  await until(() => hanging.size === 1);
  for (const go of hanging) go();
  const { status, agents } = await root.result();
  if (status !== "completed") throw new Error(`the chain ended as ${status}`);
  return [
    { figure: "levels, with one slot for all", value: agents, unit: "" },
    { figure: "chain down and up again", value: performance.now() - startMs, unit: "ms" },
  ];
}

/** A hold on a subtree of 10,101 agents, 10,000 of them calling the model, and what follows its release. */
export async function hold(folder: string): Promise<Figure[]> {
  const { model, calls, hanging } = fleet();
  await using banyan = await Banyan.open(folder, { runningMax: 20_000, childrenLiveMax: 200, treeLiveMax: 20_000 });
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
  return [
    { figure: "hold on 10,101 agents, acknowledged", value: pausedMs, unit: "ms" },
    { figure: "model calls under the hold", value: callsUnderHold, unit: "" },
    { figure: "resume of 10,101 agents, to the first call", value: firstMs, unit: "ms" },
    { figure: "resume of one agent to its next call, p95", value: await resumes(banyan), unit: "ms" },
  ];
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
