/** What is said of many agents at once: what they cost, and how the process that runs them does. */
import { z } from "zod";
import { failure } from "../../agent/events.ts";
import { usage } from "../../agent/usage.ts";
import { poolHealth, throttled } from "./pool.ts";
import { count, id, position, time, usd } from "./shapes.ts";

export const COST_GROUPS = ["agent", "level", "model", "status"] as const;
export type CostGroup = (typeof COST_GROUPS)[number];

const cost = {
  agents: count,
  turns: count,
  /** Tokens by class; `input` excludes what was read from or written to the prompt cache. */
  usage,
  costUsd: usd,
  /** The part of the cost that is an upper bound. */
  estimatedUsd: usd,
};

export const costReport = z.strictObject({
  /** Dearest first. Agents that were cancelled or failed are among them. */
  groups: z.array(
    z.strictObject({
      /** The agent's path of names, the level, the model or the status. */
      key: z.string(),
      /** Only by agent. */
      agent: id.nullable(),
      ...cost,
      /** Only by agent: with all below it. */
      subtreeCostUsd: usd.nullable(),
    }),
  ),
  total: z.strictObject({ ...cost, /** Reserved for calls in flight. */ reservedUsd: usd }),
});
export type CostReport = z.infer<typeof costReport>;

/** The process that runs the agents; or, for data that no process runs, the data alone. */
export const stats = z.strictObject({
  /** Of the process that has the data open for work; null when none has. */
  pid: count.nullable(),
  /** The order of all events: where it stands. */
  position,
  trees: count,
  agents: count,
  live: count,
  byStatus: z.record(z.string(), count),
  /** Agents with a slot to work, and those that wait for one. */
  working: count,
  waitingForSlot: count,
  /** Models that living agents need and the process does not have; they wait until it has. */
  missingModels: z.array(z.strictObject({ model: z.string(), agents: count })),
  /** Providers that the process has called, by family of models: their limits as they tell them, and who calls and waits. */
  providers: z.array(
    z.strictObject({
      family: z.string(),
      limits: z
        .array(
          z.strictObject({
            rate: z.enum(["requests", "inputTokens", "outputTokens", "tokens"]),
            limit: count,
            left: z.int(),
            /** Milliseconds in which the limit flows back. */
            perMs: count,
          }),
        )
        .readonly(),
      inFlight: count,
      waiting: count,
      /** Calls that may be in flight at once; null while nothing bounds them. */
      callsMax: count.nullable(),
      breaker: z.enum(["closed", "open", "halfOpen"]),
      /** Failed calls that may be made again now. */
      retriesLeft: count,
    }),
  ),
  /** Sessions, and agents that wait for one. */
  pool: poolHealth,
  /** Forks and spawns that wait for their turn. */
  throttled,
  /** Agents that could not be read when the data was opened. */
  damaged: z.array(z.strictObject({ agent: id, error: failure })),
  /** Resident memory of the process. */
  memoryBytes: count,
});
export type Stats = z.infer<typeof stats>;

/** Something that went wrong and was nobody's answer. */
export const fault = z.strictObject({
  time,
  agent: id,
  code: z.string(),
  message: z.string(),
  /** Faults since the one before that were counted alone. */
  left: count.optional(),
});
export type FaultRow = z.infer<typeof fault>;
