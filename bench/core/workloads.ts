/**
 * W1 to W4, the same code for every contender.
 *
 * W1  100 agents, 50 turns each, all at once.
 * W2  An agent's newest state, loaded by itself, and with W1 beside it in the same process.
 * W3  1,000 agents until each had its first turn.
 * W4  100 forks of an agent of 500 turns.
 *
 * Loading packages and opening the store are not timed. The work is checked: whoever can load must find every message.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Contender, Fleet, Workload } from "./contender.ts";
import { median, quantile } from "./figures.ts";
import { bytesBelow, rssPeakMb, rssPeakMbOf, timed } from "./measure.ts";
import { messagesAfter, TURN_BYTES } from "./payload.ts";

/** What one workload gave: its figures, and what stands beside them in every line. */
export interface Outcome {
  readonly figures: readonly Figure[];
  readonly cpuSeconds: number;
  readonly serverCpuSeconds: number;
  readonly rssMb: number;
  readonly serverRssMb: number;
  readonly diskMb: number;
}

export interface Figure {
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
}

const W1 = { agents: 100, turns: 50 };
const SPAWNS = 1_000;
const FORKS = 100;
const FORKED_TURNS = 500;
const LOADED_TURNS = [500, 2_000] as const;
const LOADS = 200;
/** Whoever needs longer for its loads gets no more; the number of loads stands in the figures. */
const LOADS_MS_MAX = 3_000;
const LOADS_MIN = 20;

interface Bench {
  readonly contender: Contender;
  readonly folder: string;
  readonly scale: number;
}

export const WORKLOADS: Readonly<Record<Workload, (bench: Bench) => Promise<Outcome>>> = {
  W1: throughput,
  W2: loads,
  W3: spawns,
  W4: forks,
};

async function throughput({ contender, folder, scale }: Bench): Promise<Outcome> {
  const work = { ...W1, agents: Math.round(W1.agents * scale) };
  const fleet = await contender.open(folder);
  const [agents, taken] = await timed(() => fleet.run(work), fleet.servers);
  await check(fleet, agents, work);
  const outcome = await close(fleet, folder, taken);
  // The turn in which an agent says its last words counts: it is a model call as well.
  const turns = work.agents * (work.turns + 1);
  const payloadMb = (work.agents * work.turns * TURN_BYTES) / 1e6;
  return {
    ...outcome,
    figures: [
      { figure: "turns per second", value: turns / taken.seconds, unit: "1/s" },
      { figure: "CPU a turn", value: ((taken.cpuSeconds + taken.serverCpuSeconds) / turns) * 1e6, unit: "us" },
      { figure: "peak memory", value: outcome.rssMb + outcome.serverRssMb, unit: "MB" },
      { figure: "disk over payload", value: outcome.diskMb / payloadMb, unit: "x" },
      { figure: "disk over payload, closed", value: (await bytesBelow(folder)) / 1e6 / payloadMb, unit: "x" },
    ],
  };
}

async function loads({ contender, folder, scale }: Bench): Promise<Outcome | never> {
  const figures: Figure[] = [];
  const outcomes: Outcome[] = [];
  for (const turns of LOADED_TURNS) {
    const own = join(folder, String(turns));
    await mkdir(own);
    const made = await contender.open(own);
    const agent = await prepared(made, turns);
    await made.close();
    const fleet = await contender.open(own);
    const load = async () => {
      const messages = await fleet.load?.(agent);
      if (messages !== messagesAfter(turns))
        throw new Error(`${contender.name} loaded ${messages} messages of ${messagesAfter(turns)}`);
    };
    const [alone, taken] = await timed(() => latencies(load, () => false), fleet.servers);
    let [done, worked] = [false, 0];
    const beside = (async () => {
      while (!done) worked += (await fleet.run({ ...W1, agents: Math.round(W1.agents * scale) })).length;
    })();
    // It goes on until the loads are done; at least one share of it has been done then.
    const besideW1 = await latencies(load, () => worked > 0);
    done = true;
    await beside;
    outcomes.push({ figures: [], ...(await close(fleet, own, taken)) });
    for (const [name, times] of [
      [`${turns} turns`, alone] as const,
      [`${turns} turns, W1 beside`, besideW1] as const,
    ]) {
      figures.push(
        { figure: `load p50, ${name}`, value: median(times), unit: "ms" },
        { figure: `load p99, ${name}`, value: quantile(times, 0.99), unit: "ms" },
        { figure: `loads, ${name}`, value: times.length, unit: "" },
      );
    }
  }
  const sum = (of: (outcome: Outcome) => number) => outcomes.reduce((all, outcome) => all + of(outcome), 0);
  return {
    figures,
    cpuSeconds: sum(({ cpuSeconds }) => cpuSeconds),
    serverCpuSeconds: sum(({ serverCpuSeconds }) => serverCpuSeconds),
    rssMb: rssPeakMb(),
    serverRssMb: Math.max(...outcomes.map(({ serverRssMb }) => serverRssMb)),
    diskMb: sum(({ diskMb }) => diskMb),
  };
}

/** Times of loads one after the other, in ms: as many as are wanted, or as fit into the time, and until `enough` once it is late. */
async function latencies(load: () => Promise<void>, enough: () => boolean): Promise<number[]> {
  const times: number[] = [];
  const startMs = performance.now();
  for (;;) {
    const beforeMs = performance.now();
    if (times.length >= LOADS) return times;
    const late = beforeMs - startMs > LOADS_MS_MAX;
    if (late && (times.length >= LOADS_MIN || enough())) return times;
    await load();
    times.push(performance.now() - beforeMs);
  }
}

async function spawns({ contender, folder, scale }: Bench): Promise<Outcome> {
  const work = { agents: Math.round(SPAWNS * scale), turns: 0 };
  const fleet = await contender.open(folder);
  const [agents, taken] = await timed(() => fleet.run(work), fleet.servers);
  await check(fleet, agents, work);
  const outcome = await close(fleet, folder, taken);
  return { ...outcome, figures: [{ figure: "spawns per second", value: agents.length / taken.seconds, unit: "1/s" }] };
}

async function forks({ contender, folder, scale }: Bench): Promise<Outcome> {
  const count = Math.round(FORKS * scale);
  const made = await contender.open(folder);
  const agent = await prepared(made, FORKED_TURNS);
  await made.close();
  const before = await bytesBelow(folder);
  const fleet = await contender.open(folder);
  const times: number[] = [];
  const [last, taken] = await timed(async () => {
    let fork = agent;
    for (let at = 0; at < count; at += 1) {
      const startMs = performance.now();
      fork = (await fleet.fork?.(agent)) ?? "";
      times.push(performance.now() - startMs);
    }
    return fork;
  }, fleet.servers);
  await check(fleet, [last], { turns: FORKED_TURNS });
  const outcome = await close(fleet, folder, taken);
  return {
    ...outcome,
    figures: [
      { figure: "fork, median", value: median(times), unit: "ms" },
      { figure: "fork, p99", value: quantile(times, 0.99), unit: "ms" },
      { figure: "fork on disk", value: ((await bytesBelow(folder)) - before) / count / 1e3, unit: "KB" },
    ],
  };
}

async function prepared(fleet: Fleet, turns: number): Promise<string> {
  if (fleet.prepare) return fleet.prepare(turns);
  const [agent] = await fleet.run({ agents: 1, turns });
  if (agent === undefined) throw new Error("no agent was made");
  return agent;
}

async function check(fleet: Fleet, agents: readonly string[], { turns }: { turns: number }): Promise<void> {
  const agent = agents.at(-1);
  if (agent === undefined) throw new Error("no agent ran");
  const messages = await fleet.load?.(agent);
  if (messages === undefined || messages === messagesAfter(turns)) return;
  throw new Error(`an agent has ${messages} messages after ${turns} turns, not ${messagesAfter(turns)}`);
}

async function close(fleet: Fleet, folder: string, taken: { cpuSeconds: number; serverCpuSeconds: number }) {
  const { cpuSeconds, serverCpuSeconds } = taken;
  const [diskMb, rssMb] = [(await bytesBelow(folder)) / 1e6, rssPeakMb()];
  const serverRssMb = rssPeakMbOf(fleet.servers ?? []);
  await fleet.close();
  return { cpuSeconds, serverCpuSeconds, rssMb, serverRssMb, diskMb };
}
