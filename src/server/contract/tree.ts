/** How an agent looks in a list or a tree. */
import { z } from "zod";
import { failure } from "../../agent/events.ts";
import { STATUSES, WAITS } from "../../agent/status.ts";
import { usage } from "../../agent/usage.ts";
import { count, id, seq, time, usd } from "./shapes.ts";

/** Over an agent and all below it. */
const sums = z.strictObject({
  agents: count,
  /** Those that have not ended. */
  live: count,
  turns: count,
  usage,
  costUsd: usd,
  /** The part of the cost that is an upper bound: lost, cut and interrupted calls. */
  estimatedUsd: usd,
  /** Reserved for calls in flight. */
  reservedUsd: usd,
});

/** One agent of a tree, with the sums of its subtree. Parents come before their children, siblings in the order of spawning. */
export const treeRow = z.strictObject({
  id,
  parentId: id.nullable(),
  level: count,
  name: z.string(),
  /** `held` when a hold covers it, its own or one above. */
  status: z.enum(STATUSES),
  waitingFor: z.enum(WAITS).nullable(),
  /** The hold is its own. */
  holds: z.boolean(),
  model: z.string(),
  /** Of an agent that Claude Code's own Agent tool asked for: the type that it was asked for as. */
  subagent: z.string().optional(),
  turns: count,
  usage,
  costUsd: usd,
  estimatedUsd: usd,
  subtree: sums,
  /** Its newest doing, in one line. */
  activity: z.string(),
  error: failure.nullable(),
  artifacts: count,
  seq,
  createdTime: time,
  /** Of its newest event. */
  time,
});
export type TreeRow = z.infer<typeof treeRow>;
