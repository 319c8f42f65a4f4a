/** What is said of sessions, forks and spawns: who has them, and who waits. */
import { z } from "zod";
import { count, id } from "./shapes.ts";

/** Sessions that cost something. Counts of sessions by what they do, and of agents that wait for one. */
export const poolHealth = z.strictObject({
  ready: count,
  /** Ready ones that there should be. */
  target: count,
  warming: count,
  claimed: count,
  /** Of agents that rest; they may be closed. */
  parked: count,
  draining: count,
  waiting: count,
  /** Starts under way, and how many may be. */
  starting: count,
  startsMax: count,
  /** Charged for all of them, and the bound. */
  memoryBytes: z.number().nonnegative(),
  memoryBytesMax: z.number().nonnegative(),
  /** How claims were met: by the agent's own session, by a ready one, by one that was waited for, by a cold one. */
  claims: z.strictObject({ parked: count, ready: count, waited: count, cold: count }),
  /** Part of the claims that were met at once, by a parked or a ready one; null before the first. */
  hitRatio: z.number().min(0).max(1).nullable(),
  /** From asking to a session that has started, over the newest claims; null before the first. */
  claimWaitMs: z.strictObject({ p50: z.number(), p99: z.number() }).nullable(),
  /** Closed sessions by why. */
  evictions: z.record(z.string(), count),
});
export type PoolHealth = z.infer<typeof poolHealth>;

/** Rates are a minute's; null where there is no bound. */
const throttle = z.strictObject({
  treePerMinute: z.number().nullable(),
  tenantPerMinute: z.number().nullable(),
  passed: count,
  waiting: count,
  /** Those that were told that it takes too long. */
  refused: count,
  /** Trees with the most that wait. */
  trees: z.array(z.strictObject({ tenant: z.string(), tree: id, waiting: count })).readonly(),
});

export const throttled = z.strictObject({ forks: throttle, spawns: throttle });
