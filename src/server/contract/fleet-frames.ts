/**
 * The live feed of a fleet: all agents in columns, and then what changes of them, at most ten times a second. An agent is named by its ordinal, its place
 * in the feed's order: parents before their children, siblings in the order of spawning. An ordinal never changes within a feed.
 */
import { z } from "zod";
import { count, id, position, time } from "./shapes.ts";

const ordinal = count;
/** -1 for none. */
const ordinalOrNone = z.int().min(-1);
const usd = z.number().nonnegative();

/** Parallel arrays, one item an agent: what may change of it. */
const changing = {
  /** Index in `statuses`; `held` when a hold covers it. */
  status: z.array(count),
  /** What it waits for, "" when it does not. */
  waiting: z.array(z.string()),
  /** 1 when it has a hold of its own. */
  hold: z.array(z.union([z.literal(0), z.literal(1)])),
  /** 0 while it has not ended. */
  endedMs: z.array(time),
  /** Of its newest event. */
  lastMs: z.array(time),
  turns: z.array(count),
  /** Its own, without those below it. */
  costUsd: z.array(usd),
  tokensIn: z.array(count),
  tokensOut: z.array(count),
  /** What it may spend with all below it; 0 when it has no bound of its own. */
  budgetUsd: z.array(usd),
  /** Why it failed, or what it asks for; "" when nothing is the matter. */
  problem: z.array(z.string()),
};

export const agentColumns = z.strictObject({
  id: z.array(id),
  parent: z.array(ordinalOrNone),
  name: z.array(z.string()),
  /** 0 for a root. */
  level: z.array(count),
  /** Index in `models`. */
  model: z.array(count),
  /** The agent whose past it shares. */
  forkOf: z.array(ordinalOrNone),
  spawnedMs: z.array(time),
  ...changing,
});
export type AgentColumns = z.infer<typeof agentColumns>;

export const changedRows = z.strictObject({ agent: z.array(ordinal), ...changing });
export type ChangedRows = z.infer<typeof changedRows>;

/** A piece of all agents; the first one, from 0, begins anew and has the words of the columns. */
const agentsFrame = z.strictObject({
  kind: z.literal("agents"),
  /** Place in the order of all events which what follows includes. */
  position,
  time,
  /** Ordinal of the first agent of the piece, and how many agents there are in all pieces. */
  from: ordinal,
  total: count,
  /** Agents of ended trees that are left out of the feed, because there are too many. */
  omitted: count,
  statuses: z.array(z.string()).optional(),
  models: z.array(z.string()).optional(),
  agents: agentColumns,
});
export type AgentsFrame = z.infer<typeof agentsFrame>;

/** What became durable within a tenth of a second: agents that are new, whose ordinals follow on, and values as they are now. */
const changesFrame = z.strictObject({
  kind: z.literal("changes"),
  position,
  time,
  /** All of them again, when there are new ones. */
  models: z.array(z.string()).optional(),
  born: agentColumns.optional(),
  rows: changedRows.optional(),
});
export type ChangesFrame = z.infer<typeof changesFrame>;

export const fleetFrame = z.discriminatedUnion("kind", [
  agentsFrame,
  changesFrame,
  /** Nothing has happened for a second; what is known is as new as this. */
  z.strictObject({ kind: z.literal("beat"), time }),
  /** The reader was too slow, and changes are gone: all agents follow. */
  z.strictObject({ kind: z.literal("missed"), time }),
]);
export type FleetFrame = z.infer<typeof fleetFrame>;
