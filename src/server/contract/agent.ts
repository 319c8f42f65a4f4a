/** One agent in detail, its events, its conversation and what it made. */
import { z } from "zod";
import { assistantPart, content, json } from "../../agent/content.ts";
import { type AgentEvent, artifactReference, budget, EVENTS, execution, rights, sender } from "../../agent/events.ts";
import { count, id, position, seq, time } from "./shapes.ts";
import { treeRow } from "./tree.ts";

/** A background process of an agent. */
export const processRow = z.strictObject({
  id,
  agent: id,
  /** The agent's path of names. */
  path: z.string(),
  name: z.string(),
  argv: z.array(z.string()),
  phase: z.enum(["starting", "running", "stopping", "backingOff", "ended"]),
  pid: count.nullable(),
  /** All its probes have had a good answer. */
  ready: z.boolean(),
  restarts: count,
  /** Since when it stands so; of one that waits to be started again, until when. */
  time,
  /** How its newest run that is over ended. */
  end: z.string().nullable(),
  /** Output of its newest run, and, once that is over, under which digest `artifact` has it. */
  bytes: count,
  digest: z.string().nullable(),
});
export type ProcessRow = z.infer<typeof processRow>;

/** Everything that there is to know of an agent but its conversation. */
export const agentDetail = treeRow.extend({
  /** Names from its root down: `/lead/worker`. */
  path: z.string(),
  mode: z.enum(["task", "chat"]),
  execution,
  rights,
  tenant: z.string(),
  budget: budget.nullable(),
  /** The agent whose hold covers it, if one does. */
  heldBy: id.nullable(),
  /** Where its past is another's. */
  origin: z.strictObject({ agent: id, seq }).nullable(),
  output: content.nullable(),
  made: z.array(artifactReference),
  children: z.array(id),
  /** Messages that it has not read. */
  unread: count,
  checkpoints: z.array(z.strictObject({ name: z.string(), seq, time, pinned: z.boolean() })),
  /** Calls that wait for a person: see `answer`. */
  asks: z.array(z.strictObject({ callId: z.string(), tool: z.string() })),
  /** Its background processes, in the order of their starts. */
  processes: z.array(processRow),
  /** Where history of its tree is, besides the journal's database; `place` is empty for the archive in the data folder. */
  archives: z.array(z.strictObject({ place: z.string(), parts: count, records: count, bytes: count, time })),
});
export type AgentDetail = z.infer<typeof agentDetail>;

const everyEvent = Object.values(EVENTS) as unknown as [(typeof EVENTS)["agent.created"]];

/** An event where it stands. Follow on from its `position`. */
export const loggedEvent = z.strictObject({
  agent: id,
  seq,
  position,
  time,
  event: z.discriminatedUnion("type", everyEvent) as unknown as z.ZodType<AgentEvent>,
});
export type LoggedEvent = z.infer<typeof loggedEvent>;

const meta = z.record(z.string(), json).optional();

/**
 * One step of a conversation. `seq` is a restore point: give it to `fork` or `rewind`. A long text is its head, with the
 * digest under which `artifact` has the whole.
 */
export const transcriptEntry = z.discriminatedUnion("role", [
  z.strictObject({
    role: z.literal("user"),
    seq,
    time,
    from: sender,
    text: content,
    report: z.string().optional(),
    meta,
  }),
  z.strictObject({
    role: z.literal("assistant"),
    seq,
    time,
    parts: z.array(assistantPart),
    interrupted: z.boolean(),
    meta,
  }),
  z.strictObject({
    role: z.literal("tools"),
    seq,
    time,
    results: z.array(
      z.strictObject({ callId: z.string(), name: z.string(), outcome: z.string(), text: content, meta }),
    ),
  }),
]);
export type TranscriptEntry = z.infer<typeof transcriptEntry>;

/** An artifact, with whose it is. */
export const artifactRow = artifactReference.extend({ agent: id, path: z.string() });
export type ArtifactRow = z.infer<typeof artifactRow>;

/** What an artifact's name stood for, once. */
export const artifactVersion = artifactReference.extend({
  agent: id,
  /** From 1, in the order in which they were written. */
  version: count,
  /** The event that wrote it, and the tool call behind it; of an output, the process and the call that started it. */
  seq,
  time,
  callId: z.string().nullable(),
  process: id.nullable(),
  /** Who put it, when the agent did not. */
  by: sender.nullable(),
  /** The name stands for this one now. */
  current: z.boolean(),
});
export type ArtifactVersion = z.infer<typeof artifactVersion>;

/** How an agent stands after a command. */
export const standing = z.strictObject({ agent: id, name: z.string(), status: treeRow.shape.status });
export type Standing = z.infer<typeof standing>;
