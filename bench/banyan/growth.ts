/**
 * How figures grow with the number of agents: each at every size, and the exponent of the power law through them (0: does not
 * grow; 1: in proportion). At rest, 10 to 100,000 agents: opening, listing, memory. At work, 10 to 10,000: the CPU of a turn.
 */
import { join } from "node:path";
import { connect } from "../../src/client.ts";
import { Banyan } from "../../src/index.ts";
import { median, slope } from "../core/figures.ts";
import { payloadModel } from "../core/payload-model.ts";
import type { Figure } from "../core/workloads.ts";
import { mixOf, plant } from "../size/grove.ts";
import { startServer } from "../size/server-process.ts";
import { work } from "./contender.ts";

const AT_REST = [10, 100, 1_000, 10_000, 100_000];
const AT_WORK = [10, 100, 1_000, 10_000];
const TURNS = 5;
/** Turns that are timed at each size, or more. */
const TURNS_MIN = 10_000;
const STARTS = 3;

/** Agents that rest on disk: from the start of a process to its listening, `tree` as a client has it whole, memory. */
export async function atRest(folder: string): Promise<Figure[]> {
  const series = new Series();
  for (const size of AT_REST) {
    const own = join(folder, String(size));
    const startMs = performance.now();
    const { agents } = await plant(own, mixOf(size));
    if (size === AT_REST.at(-1)) series.once("plant 100,000 agents", (performance.now() - startMs) / 1_000, "s");
    const [starts, opens, trees, memory]: [number[], number[], number[], number[]] = [[], [], [], []];
    for (let at = 0; at < STARTS; at += 1) {
      await using server = await startServer(own);
      starts.push(server.startMs);
      opens.push(server.ready.sinceStartMs);
      memory.push(server.ready.rssMb);
      await using client = await connect(own);
      const beforeMs = performance.now();
      const rows = await client.tree().toArray();
      trees.push(performance.now() - beforeMs);
      if (rows.length !== agents) throw new Error(`${rows.length} rows of ${agents} agents`);
    }
    series.add("process start to ready", agents, median(starts), "ms");
    series.add("tree listing, whole", agents, median(trees), "ms");
    series.add("resident memory", agents, median(memory), "MB");
  }
  return series.figures();
}

/** Agents that all take turns at once, as many turns at every size. */
export async function atWork(folder: string): Promise<Figure[]> {
  const series = new Series();
  for (const agents of AT_WORK) {
    const model = payloadModel(TURNS - 1);
    await using banyan = await Banyan.open(join(folder, String(agents)), { runningMax: 20_000, tools: [work] });
    await turnsOf(banyan, model, Math.min(agents, 100));
    const rounds = Math.ceil(TURNS_MIN / (agents * TURNS));
    let [ms, cpuUs] = [0, 0];
    for (let at = 0; at < rounds; at += 1) {
      const took = await turnsOf(banyan, model, agents);
      ms += took.ms;
      cpuUs += took.cpuUs;
    }
    const turns = rounds * agents * TURNS;
    series.add("CPU a turn", agents, cpuUs / turns, "us");
    series.add("time a turn", agents, (ms * 1_000) / turns, "us");
    series.add("resident memory", agents, process.memoryUsage.rss() / 1e6, "MB");
  }
  return series.figures();
}

/** The agents are there, under a hold, before the time starts: what is measured is their turns. */
async function turnsOf(banyan: Banyan, model: ReturnType<typeof payloadModel>, agents: number) {
  const leads = [];
  const all = [];
  for (let at = 0; at < agents; at += 100) {
    const lead = await banyan.spawn({ name: "lead", model, mode: "chat" });
    await lead.pause();
    leads.push(lead);
    const count = Math.min(100, agents - at);
    all.push(...(await Promise.all(Array.from({ length: count }, () => lead.spawn({ task: "go", tools: [work] })))));
  }
  const [before, startMs] = [process.cpuUsage(), performance.now()];
  const ended = all.map((agent) => agent.result());
  await Promise.all(leads.map((lead) => lead.resume()));
  await Promise.all(ended);
  const { user, system } = process.cpuUsage(before);
  return { ms: performance.now() - startMs, cpuUs: user + system };
}

/** Figures by size, and how they grow. */
class Series {
  readonly #points = new Map<string, [size: number, value: number][]>();
  readonly #figures: Figure[] = [];
  readonly #units = new Map<string, string>();

  once(figure: string, value: number, unit: string): void {
    this.#figures.push({ figure, value, unit });
  }

  add(figure: string, size: number, value: number, unit: string): void {
    this.#points.set(figure, [...(this.#points.get(figure) ?? []), [size, value]]);
    this.#units.set(figure, unit);
    this.once(`${figure}, ${size.toLocaleString("en")} agents`, value, unit);
  }

  figures(): Figure[] {
    const slopes = [...this.#points].map(([figure, points]) => {
      return { figure: `${figure}, log-log slope`, value: slope(points), unit: "" };
    });
    return [...this.#figures, ...slopes];
  }
}
