/** Restore points: in a list, in detail, and two compared. */
import { z } from "zod";
import { artifactReference } from "../../agent/events.ts";
import { STATUSES, WAITS } from "../../agent/status.ts";
import { usage } from "../../agent/usage.ts";
import { transcriptEntry } from "./agent.ts";
import { count, digest, id, seq, time, usd } from "./shapes.ts";

const status = z.enum(STATUSES);

/** A restore point that stands out. Give its `seq`, or its `name`, to `rewind`, `fork` and the others. */
export const checkpointRow = z.strictObject({
  seq,
  /** Whose journal has the event: the agent, or one that it was forked from. */
  holder: id,
  /** When it was named, or when the agent came to rest. */
  time,
  name: z.string().nullable(),
  /** Why it is listed: it has a name, a fork begins there, or the agent came to rest there. */
  kind: z.enum(["named", "fork", "status"]),
  /** How the agent stood then. */
  status,
  /** Never forgotten. */
  pinned: z.boolean(),
  /** A rewind took it out of the conversation: fork there, it cannot be rewound to. */
  cut: z.boolean(),
  /** Of the message that the conversation ends with there. */
  messageId: z.string().nullable(),
  turns: count,
  costUsd: usd,
});
export type CheckpointRow = z.infer<typeof checkpointRow>;

/** An agent as it stood at a restore point. */
export const checkpointDetail = z.strictObject({
  seq,
  /** Of the event. */
  time,
  /** Names that the agent has for it. */
  names: z.array(z.string()),
  pinned: z.boolean(),
  status,
  waitingFor: z.enum(WAITS).nullable(),
  turns: count,
  usage,
  costUsd: usd,
  /** Entries of the conversation, and the newest of them. */
  entries: count,
  last: transcriptEntry.nullable(),
  unread: count,
  children: z.array(z.strictObject({ agent: id, name: z.string(), ended: z.boolean() })),
  made: z.array(artifactReference),
  /** The tree of the files in its folder, if they were kept: `rewind` with `files` puts them back. */
  tree: digest.nullable(),
});
export type CheckpointDetail = z.infer<typeof checkpointDetail>;

/** What happened after one restore point, up to another one. */
export const checkpointDiff = z.strictObject({
  from: count,
  to: count,
  events: count,
  elapsedMs: count,
  turns: count,
  usage,
  costUsd: usd,
  /** What was said and read, oldest first, long texts by their beginnings; `left` more are not told. */
  messages: z.array(z.strictObject({ seq, role: z.enum(["user", "assistant"]), text: z.string() })),
  left: count,
  /** Calls that ended, by tool. */
  tools: z.array(z.strictObject({ name: z.string(), calls: count, failed: count })),
  spawned: z.array(z.strictObject({ agent: id, name: z.string() })),
  ended: z.array(z.strictObject({ agent: id, status: z.string(), costUsd: usd })),
  /** The newest of each name. */
  artifacts: z.array(artifactReference),
  processes: z.array(z.string()),
  /** Restore points to which it went back meanwhile. */
  rewoundTo: z.array(count),
  /** What became of the files in its folder; null when they were not kept at both points. `filesLeft` more are not told. */
  files: z.array(z.strictObject({ path: z.string(), change: z.enum(["added", "changed", "removed"]) })).nullable(),
  filesLeft: count,
});
export type CheckpointDiffRow = z.infer<typeof checkpointDiff>;

/** Which named checkpoints are kept: so many newest ones, and the newest of so many hours, days, weeks and months. */
export const keepPolicy = z.strictObject({
  last: count.optional(),
  hourly: count.optional(),
  daily: count.optional(),
  weekly: count.optional(),
  monthly: count.optional(),
  /** All that are no older, in milliseconds. */
  withinMs: count.optional(),
});

/** A named checkpoint under a policy. */
export const rotatedCheckpoint = z.strictObject({
  agent: id,
  name: z.string(),
  seq,
  time,
  /** Why it is kept: a rule of the policy, `pin`, `fork` or `verified`. Empty for one that is forgotten. */
  keptBy: z.array(z.string()),
});
export type RotatedCheckpoint = z.infer<typeof rotatedCheckpoint>;
