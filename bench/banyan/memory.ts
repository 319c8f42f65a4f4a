/**
 * What one agent more takes, by what it does: it waits for a message after its first turn, is in a model call, is held, or rests on disk
 * and is known from its summary. Each in a process of its own, for memory that one set free another would take.
 */
import { join } from "node:path";
import { Banyan } from "../../src/index.ts";
import type { Figure } from "../core/workloads.ts";
import { mixOf, plant } from "../size/grove.ts";
import { fleet } from "./fleet.ts";
import { until } from "./until.ts";

const AGENTS = 2_000;
const AT_REST = 20_000;

export const MEMORY = {
  "memory-waiting": (folder: string) => grown(folder, "leaf", false),
  "memory-running": (folder: string) => grown(folder, "hang", false),
  "memory-held": (folder: string) => grown(folder, "leaf", true),
  "memory-on-disk": atRest,
};

/** Agents of an earlier process, known from their summaries. */
async function atRest(folder: string): Promise<Figure[]> {
  // What opening brings with it is not theirs.
  const few = join(folder, "few");
  await plant(few, mixOf(100));
  await (await Banyan.open(few)).close();
  const many = join(folder, "many");
  const { agents } = await plant(many, mixOf(AT_REST));
  const before = used();
  await using _banyan = await Banyan.open(many);
  return each(before, used(), agents);
}

function each(before: Used, after: Used, agents: number): Figure[] {
  return [
    { figure: "heap an agent", value: (after.heap - before.heap) / agents / 1_024, unit: "KB" },
    { figure: "resident an agent", value: (after.rss - before.rss) / agents / 1_024, unit: "KB" },
  ];
}

/** Memory before and after so many agents are there and stand as they are to. */
async function grown(folder: string, task: string, held: boolean): Promise<Figure[]> {
  const { model, hanging } = fleet();
  await using banyan = await Banyan.open(folder, { runningMax: 2 * AGENTS });
  const options = { model, mode: "chat" as const };
  const standing = async (count: number) => {
    const calling = hanging.size + count;
    const agents = await Promise.all(Array.from({ length: count }, () => banyan.spawn({ ...options, task })));
    if (task === "hang") await until(() => hanging.size === calling);
    else await until(() => agents.every(({ status }) => status === "waiting"));
    if (held) await Promise.all(agents.map((agent) => agent.pause()));
  };
  // What the first ones bring with them is not theirs.
  await standing(100);
  const before = used();
  await standing(AGENTS);
  const after = used();
  for (const go of hanging) go();
  return each(before, after, AGENTS);
}

interface Used {
  readonly heap: number;
  readonly rss: number;
}

function used(): Used {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, rss };
}
