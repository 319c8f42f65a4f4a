/**
 * The events of an agent's journal: the contract from which the journal's documentation, the metrics and every view
 * are made. An event is a fact; it is never changed, and an event type once released keeps its meaning.
 *
 * E1  Every type has a version. A reader refuses a version that it does not know.
 * E2  An event says all that the fold needs: folding reads no clock, no setting and no other journal.
 */
import { z } from "zod";
import { ERRORS, type ErrorCode } from "../base/errors.ts";
import { isId } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";
import { assistantPart, content, json } from "./content.ts";
import { budget, execution, rights } from "./execution.ts";
import { LABEL_LENGTH_MAX, label, name, REASON_LENGTH_MAX } from "./labels.ts";
import { PROCESS_ENDS, processArgv, processPolicy } from "./process-policy.ts";
import { usage } from "./usage.ts";

export { type Budget, budget, type Execution, execution, type Rights, rights } from "./execution.ts";
export { LABEL_LENGTH_MAX, NAME_SYNTAX, name, REASON_LENGTH_MAX } from "./labels.ts";

export const EVENT_VERSION = 1;

const id = z.string().refine(isId, "not an id");
const seq = z.int().positive();
const usd = z.number().nonnegative();
const count = z.int().nonnegative();
const level = z.int().min(0).max(LIMITS.levelsMax);
const errorCode = z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]);
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);

/** The tenant of trees that are nobody's in particular. Nothing warm is shared between tenants. */
export const DEFAULT_TENANT = "default";

export const failure = z.strictObject({ code: errorCode, message: z.string() });
export type Failure = z.infer<typeof failure>;

export const sender = z.strictObject({
  kind: z.enum(["person", "agent", "runtime"]),
  /** The agent's id, or who the person says to be. */
  id: z.string().max(256).optional(),
  /** How the receiver knows the sender: `parent`, a child's name, a path of names. */
  name: z.string().max(4_096).optional(),
});
export type Sender = z.infer<typeof sender>;

export const MEDIA_TYPE_SYNTAX = /^[a-z0-9][a-z0-9.+-]*\/[a-z0-9][a-z0-9.+-]*(; ?charset=[a-z0-9-]+)?$/i;

export const artifactReference = z.strictObject({
  name,
  digest,
  bytes: count,
  mediaType: z.string().max(256),
});
export type ArtifactReference = z.infer<typeof artifactReference>;

const toolOutcome = z.enum(["ok", "error", "unknown", "denied", "interrupted"]);
export type ToolOutcome = z.infer<typeof toolOutcome>;

/** What a call may wait for. */
const waitsFor = z.enum(["children", "message", "process"]);
export type WaitsFor = z.infer<typeof waitsFor>;

/** Which process of the system it is: numbers are used again, the time of its start tells two apart. */
const systemProcess = {
  pid: z.int().positive(),
  /** Start since boot, in the system's ticks; absent where the system does not say. */
  startTicks: count.optional(),
};

/** Why the model stopped. `paused`: it wants to be called again to go on. */
const finish = z.enum(["stop", "length", "toolCalls", "contentFilter", "paused", "other"]);
export type Finish = z.infer<typeof finish>;

/** What came with a message besides its text, such as a recorded time or speaker. Never shown to the model. */
const meta = z.record(z.string(), json);
export type Meta = z.infer<typeof meta>;

const event = <Type extends string, Shape extends z.ZodRawShape>(type: Type, says: string, shape: Shape) =>
  z.strictObject({ type: z.literal(type), ...shape }).describe(says);

export const EVENTS = {
  "agent.created": event("agent.created", "The agent exists. Always its first event, unless it is a fork.", {
    parent: id.nullable(),
    root: id,
    level,
    name,
    execution,
    instructions: content,
    /** Definitions of the tools exactly as the model is shown them: the digest of their JSON text in the blobs. */
    toolset: digest,
    tools: z.array(z.string()),
    /** `task`: it completes with its final answer. `chat`: it then waits for the next message. */
    mode: z.enum(["task", "chat"]),
    /** Its first turn needs no message. */
    speaksFirst: z.boolean().optional(),
    rights,
    /** Absent for DEFAULT_TENANT. The same in the whole tree. */
    tenant: name.optional(),
    budget: budget.optional(),
    /** Identifies the spawn, so that one repeated after a crash is the same spawn. */
    callId: z.string().optional(),
  }),
  "agent.forked": event(
    "agent.forked",
    "The agent's past is another's, up to a sequence. Always a fork's first event.",
    {
      origin: z.strictObject({ agent: id, seq }),
      parent: id.nullable(),
      root: id,
      level,
      name,
      execution: execution.optional(),
      budget: budget.optional(),
      rights: rights.optional(),
      /** With its subtree: which fork stands for which child of the origin. Living children not named are not part of it. */
      children: z.record(id, id),
      by: sender,
    },
  ),
  "message.received": event(
    "message.received",
    "A message reached the inbox. The agent reads it before its next turn.",
    {
      id: z.string().min(1).max(LABEL_LENGTH_MAX),
      from: sender,
      content,
      meta: meta.optional(),
    },
  ),
  "turn.started": event("turn.started", "A model call is about to start; its worst case is reserved.", {
    turn: seq,
    attempt: z.int().positive(),
    /** Messages that enter the conversation with this turn, by id, in order. */
    took: z.array(z.string()),
    reservedUsd: usd,
  }),
  "turn.ended": event("turn.ended", "The model answered, or was interrupted: what it said, used and cost.", {
    turn: seq,
    outcome: z.enum(["done", "interrupted"]),
    messageId: id,
    parts: z.array(assistantPart),
    finish,
    usage,
    costUsd: usd,
    /** The provider gave no usage: it is an upper bound. */
    estimated: z.boolean().optional(),
    /** The model that answered, when it is not the one asked for. */
    model: z.string().optional(),
    meta: meta.optional(),
  }),
  "turn.failed": event(
    "turn.failed",
    "The model call gave no answer. It is tried again at `retryTime`, if there is one.",
    {
      turn: seq,
      error: failure,
      usage,
      costUsd: usd,
      estimated: z.boolean().optional(),
      /** Milliseconds since the epoch. */
      retryTime: count.optional(),
      /** The provider put the call off (rate limit, overload): it does not count against the attempts. */
      putOff: z.boolean().optional(),
    },
  ),
  "turn.postponed": event("turn.postponed", "The next call waits until its provider has room for it.", {}),
  "turn.withdrawn": event("turn.withdrawn", "The call was called off before it started; nothing was spent.", {
    turn: seq,
  }),
  "turn.lost": event(
    "turn.lost",
    "The process died during the call: what it cost is unknown, at most what was reserved.",
    {
      turn: seq,
      costUsd: usd,
    },
  ),
  "tool.started": event("tool.started", "A tool is about to run for a call.", {
    callId: z.string(),
    /** The call waits for this instead of working: the agent gives its slot back. */
    waitsFor: waitsFor.optional(),
  }),
  "tool.asked": event(
    "tool.asked",
    "A person must say what to do: the call may not run without, or its outcome is unknown.",
    {
      callId: z.string(),
      question: z.string(),
      /** It was to run, and has done nothing: it may not without. */
      unrun: z.boolean().optional(),
    },
  ),
  "tool.answered": event(
    "tool.answered",
    "A person said what to do with a call: run it (again), or report it as it stands.",
    {
      callId: z.string(),
      decision: z.enum(["rerun", "report"]),
      by: sender,
      /** Why; the model is told. */
      reason: z.string().max(REASON_LENGTH_MAX).optional(),
    },
  ),
  "tool.ended": event("tool.ended", "A call has its result.", {
    callId: z.string(),
    outcome: toolOutcome,
    content,
    /** Reports of children that the result carries, by inbox message id: they are not delivered again. */
    took: z.array(z.string()).optional(),
    meta: meta.optional(),
  }),
  "child.spawned": event("child.spawned", "A child exists. Durable in one append with the child's own first event.", {
    child: id,
    name,
    callId: z.string().optional(),
  }),
  "child.ended": event("child.ended", "A child ended. Its report waits in the inbox until it is read.", {
    child: id,
    /** The child's event that ended it: a child that goes on may end again. */
    seq,
    status: z.enum(["completed", "failed", "cancelled"]),
    output: content,
    artifacts: z.array(artifactReference),
    error: failure.optional(),
    costUsd: usd,
  }),
  "child.revived": event(
    "child.revived",
    "A child that had ended goes on; one that a rewind took back is a child again.",
    { child: id },
  ),
  "artifact.written": event("artifact.written", "The agent produced named bytes, or a person put them with it.", {
    artifact: artifactReference,
    /** The call that wrote it, or that started the process. */
    callId: z.string().optional(),
    /** The process whose output it is. */
    process: id.optional(),
    /** Who put it, when the agent did not. */
    by: sender.optional(),
  }),
  "artifact.linked": event(
    "artifact.linked",
    "Someone made a link by which whoever has it may read an artifact for a while.",
    {
      name,
      digest,
      /** When it ends. */
      endTime: z.int().nonnegative(),
      by: sender,
    },
  ),
  "process.started": event(
    "process.started",
    "A background process is about to run; it waits for this to be durable.",
    {
      id,
      name,
      argv: processArgv,
      /** Relative to the agent's folder. */
      cwd: z.string().max(LIMITS.pathLengthMax),
      ...systemProcess,
      policy: processPolicy,
      callId: z.string().optional(),
    },
  ),
  "process.ended": event(
    "process.ended",
    "A background process runs no more. It is started again at `restartTime`, if there is one.",
    {
      id,
      how: z.enum(PROCESS_ENDS),
      code: z.int().optional(),
      signal: z.string().max(32).optional(),
      /** Why, where that is not said by `how`. */
      why: z.string().max(REASON_LENGTH_MAX).optional(),
      /** All that the run put out. */
      output: z.strictObject({ digest, bytes: count }).optional(),
      /** Milliseconds since the epoch. */
      restartTime: count.optional(),
      /** It would have been started again, had it not been so too often. */
      gaveUp: z.boolean().optional(),
    },
  ),
  "process.restarted": event("process.restarted", "A background process is about to run again.", {
    id,
    ...systemProcess,
  }),
  "checkpoint.named": event("checkpoint.named", "A restore point got a name.", {
    name: label,
    at: seq,
    /** It is never forgotten, until it is unpinned. */
    pinned: z.literal(true).optional(),
    by: sender.optional(),
  }),
  "checkpoint.pinned": event("checkpoint.pinned", "A named restore point is not to be forgotten.", {
    name: label,
    by: sender,
  }),
  "checkpoint.unpinned": event("checkpoint.unpinned", "A named restore point may be forgotten again.", {
    name: label,
    by: sender,
  }),
  "checkpoint.forgotten": event(
    "checkpoint.forgotten",
    "Names of restore points were let go; the events that they stood for are all there.",
    { names: z.array(label).max(LIMITS.checkpointsMax), by: sender },
  ),
  "files.saved": event("files.saved", "What stood in the agent's folder was kept: see `banyan checkpoint`.", {
    root: z.string(),
    /** The text that names every file of it. */
    tree: digest,
    files: count,
    bytes: count,
    /** Files that were left out. */
    left: count,
    /** Contents that the tree kept before it does not have. */
    added: z.array(digest).max(LIMITS.workTreeFilesMax),
  }),
  "files.restored": event(
    "files.restored",
    "The agent's folder was put back to what was kept of it, or could not be.",
    {
      tree: digest,
      written: count,
      removed: count,
      /** What stood in the way and was not kept: it was left as it is. */
      spared: count,
      error: failure.optional(),
    },
  ),
  "budget.set": event("budget.set", "The bounds of the subtree changed.", { budget, by: sender }),
  "agent.interrupted": event("agent.interrupted", "Someone had the call or the tools in flight stopped.", {
    by: sender,
    /** Those of all below the agent too. */
    subtree: z.boolean(),
  }),
  "hold.set": event("hold.set", "A pause: no model call starts in the subtree until it is released.", {
    by: sender,
    reason: z.string().max(REASON_LENGTH_MAX),
  }),
  "hold.released": event("hold.released", "The pause is over, unless one above still covers the agent.", {
    by: sender,
  }),
  "agent.rewound": event(
    "agent.rewound",
    "The conversation is again what it was after `to`. What was spent stays spent.",
    {
      to: z.int().nonnegative(),
      by: sender,
      /** The folder is to be put back to this tree too, before anything else is done. */
      tree: digest.optional(),
    },
  ),
  "agent.revived": event("agent.revived", "An agent that had ended goes on.", { by: sender }),
  "agent.completed": event("agent.completed", "The final answer.", { output: content }),
  "agent.failed": event("agent.failed", "The agent cannot go on.", { error: failure }),
  "agent.cancelled": event("agent.cancelled", "Someone cut it, or its parent ended.", {
    by: sender,
    reason: z.string().max(REASON_LENGTH_MAX),
  }),
} as const;

export type EventType = keyof typeof EVENTS;
export type EventOf<Type extends EventType> = z.infer<(typeof EVENTS)[Type]>;
export type AgentEvent = { [Type in EventType]: EventOf<Type> }[EventType];

/** An event where it stands in its agent's journal. */
export interface Recorded<E extends AgentEvent = AgentEvent> {
  readonly seq: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly event: E;
}
