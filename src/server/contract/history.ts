/** How the fleet stood at any moment. */
import { z } from "zod";
import { LIMITS } from "../../base/limits.ts";
import { count, id, time } from "./shapes.ts";

/** Parallel arrays. */
const looks = {
  /** Index in `statuses`; an agent under a hold of another's shows its own. */
  status: z.array(count),
  /** Index in `waits`, -1 for none. */
  waiting: z.array(z.int().min(-1)),
  /** 1 under a hold of its own. */
  held: z.array(z.union([z.literal(0), z.literal(1)])),
  /** Its own, without those below it; of an agent that goes on working as of its last change, so some seconds old. */
  costUsd: z.array(z.number().nonnegative()),
};
const words = { statuses: z.array(z.string()), waits: z.array(z.string()) };

/** Every agent that there was, in the order in which they were first heard of. */
export const moment = z.strictObject({ time, ...words, agents: z.array(id), ...looks });
export type Moment = z.infer<typeof moment>;

/** Whose changes are asked for. */
export const historyAgents = z.array(id).max(LIMITS.historyAgentsMax);

/** Changes of statuses, a piece of them. */
export const changesPiece = z.strictObject({
  ...words,
  /** Agents that are heard of for the first time; their numbers follow on from those of the pieces before. */
  agents: z.array(id),
  /** Number of the agent, and the event after which it stood so. One that comes again with the same sequence is the same. */
  agent: z.array(count),
  seq: z.array(count),
  time: z.array(time),
  ...looks,
  /** Which of these are rewinds, and since when all that the agent did was taken back: a moment of its own past, its first at most. */
  rewinds: z.array(z.strictObject({ change: count, to: time })),
});
export type ChangesPiece = z.infer<typeof changesPiece>;
