/**
 * The state of an agent: what its journal folds to. Two parts, because they are used apart:
 *
 * - the head: who it is, how it stands, what it spent. Small, plain data, kept in memory for every agent and beside the
 *   journal as its summary. Rewinding never gives money back, so nothing in it but the status follows a rewind.
 * - the rest: the conversation, the inbox, the children. In memory only while the agent is at work.
 */
import type { AgentId } from "../base/ids.ts";
import type { AssistantPart, Content, ToolCall } from "./content.ts";
import type {
  ArtifactReference,
  Budget,
  EventOf,
  Execution,
  Failure,
  Finish,
  Meta,
  Rights,
  Sender,
  ToolOutcome,
  WaitsFor,
} from "./events.ts";
import type { List } from "./list.ts";
import type { ProcessPolicy } from "./process-policy.ts";
import type { Status, WaitingFor } from "./status.ts";
import type { Usage } from "./usage.ts";
import type { VersionedMap } from "./versioned-map.ts";

export interface Head {
  readonly agent: AgentId;
  readonly origin: { readonly agent: AgentId; readonly seq: number } | null;
  readonly parent: AgentId | null;
  readonly root: AgentId;
  readonly level: number;
  readonly name: string;
  readonly mode: "task" | "chat";
  readonly execution: Execution;
  readonly rights: Rights;
  /** Absent for DEFAULT_TENANT. */
  readonly tenant?: string | undefined;
  readonly budget: Budget | null;
  /** Sequence and time (ms since the epoch) of the newest event. */
  readonly seq: number;
  readonly time: number;
  readonly createdTime: number;
  /** What it is doing by itself; a hold is laid over it when it is shown (`shownStatus`). */
  readonly status: Status;
  readonly waitingFor: WaitingFor | null;
  /** A hold is set on this very agent. */
  readonly held: boolean;
  /** Model calls that were answered or interrupted. */
  readonly turns: number;
  readonly usage: Usage;
  /** What it cost, calls whose price is only known as an upper bound included. */
  readonly costUsd: number;
  /** The part of `costUsd` that is an upper bound: lost, cut and interrupted calls. */
  readonly estimatedUsd: number;
  /** Reserved for the call in flight. */
  readonly reservedUsd: number;
  readonly childrenLive: number;
  readonly childrenTotal: number;
  /** Background processes that have not ended for good. Absent while it never had one. */
  readonly processes?: number | undefined;
  /** One line for people. */
  readonly activity: string;
  /** Of an agent that has completed. Null in a head that was read from a summary: `Coordinator.output` finds it. */
  readonly output: Content | null;
  readonly error: Failure | null;
  readonly artifacts: readonly ArtifactReference[];
  /** It was interrupted and rests until there is something new to read; so that resuming a tree reads no agent that was not. */
  readonly interrupted: true | undefined;
}

export interface Message {
  readonly id: string;
  /** Sequence of the event that brought it. */
  readonly seq: number;
  readonly time: number;
  readonly from: Sender;
  readonly content: Content;
  readonly meta?: Meta | undefined;
  /** Set when it is a child's report. */
  readonly report?: Report;
}

export interface Report {
  readonly child: AgentId;
  readonly name: string;
  readonly status: "completed" | "failed" | "cancelled";
  readonly output: Content;
  readonly artifacts: readonly ArtifactReference[];
  readonly error?: Failure | undefined;
}

/** A tool call of the newest assistant message, until all of that message's calls have ended. */
export interface OpenCall {
  readonly call: ToolCall;
  readonly state: "asked" | "started" | "approval" | "ended";
  /** A person has allowed it. */
  readonly allowed?: true;
  /** Sequence of its first `tool.started`. */
  readonly startSeq?: number | undefined;
  readonly waitsFor?: WaitsFor | undefined;
  readonly result?: ToolResult | undefined;
}

export interface ToolResult {
  readonly callId: string;
  readonly name: string;
  readonly outcome: ToolOutcome;
  readonly content: Content;
  /** Sequences of its first `tool.started` (if it was started) and `tool.ended`. */
  readonly startSeq?: number | undefined;
  readonly seq: number;
  readonly waitsFor?: WaitsFor | undefined;
  readonly time: number;
  /** Children's reports that it carries, by message id. */
  readonly took: readonly string[];
  readonly meta?: Meta | undefined;
}

/** One step of the conversation. `seq` is the event that completed it: a restore point. */
export type Entry =
  | { readonly kind: "user"; readonly seq: number; readonly message: Message }
  | {
      readonly kind: "assistant";
      readonly seq: number;
      readonly time: number;
      readonly messageId: string;
      readonly parts: readonly AssistantPart[];
      readonly finish: Finish;
      readonly interrupted: boolean;
      readonly meta?: Meta | undefined;
    }
  | { readonly kind: "tools"; readonly seq: number; readonly results: readonly ToolResult[] };

export interface Child {
  readonly agent: AgentId;
  readonly name: string;
  readonly callId: string | undefined;
  /** Since when it is a child: the event that spawned it, or that revived it after a rewind had taken it back. */
  readonly spawnedSeq: number;
  /** A rewind went back to before it was spawned: it is being cancelled and is no child for the agent any more. */
  readonly cut: boolean;
  /** Sequence of the newest of its ends that the agent was told of: no end is told twice. 0 while there is none. */
  readonly toldSeq: number;
  /** How it ended, once it has; `takenSeq` is the event by which the agent read of it. */
  readonly ended?:
    | { readonly seq: number; readonly message: Message; readonly takenSeq?: number | undefined }
    | undefined;
}

/** A background process: as its journal knows it. */
export interface Process {
  readonly id: string;
  readonly name: string;
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly policy: ProcessPolicy;
  readonly callId: string | undefined;
  readonly startedSeq: number;
  readonly restarts: number;
  /** A rewind went back to before it was started: it is being stopped and is no process for the agent any more. */
  readonly cut: boolean;
  readonly phase:
    | { readonly is: "running"; readonly pid: number; readonly startTicks?: number | undefined; readonly time: number }
    | { readonly is: "backingOff"; readonly restartTime: number }
    | { readonly is: "ended"; readonly time: number };
  /** How its newest run that is over ended. */
  readonly last?: Omit<EventOf<"process.ended">, "type" | "id" | "restartTime"> | undefined;
}

/** A restore point that was given a name. */
export interface NamedCheckpoint {
  readonly name: string;
  readonly at: number;
  /** When it was named. */
  readonly time: number;
  readonly pinned?: true | undefined;
}

export interface State {
  readonly head: Head;
  readonly instructions: Content;
  readonly toolset: string;
  readonly tools: readonly string[];
  readonly speaksFirst: boolean;
  readonly entries: List<Entry>;
  /** Calls of the newest assistant entry; empty once all have ended. */
  readonly open: readonly OpenCall[];
  readonly inbox: readonly Message[];
  readonly children: VersionedMap<AgentId, Child>;
  /** In the order of their starts; the oldest that have ended are forgotten. Absent while it never had one. */
  readonly processes?: readonly Process[] | undefined;
  /** The model call in flight. */
  readonly turn: { readonly turn: number; readonly attempt: number; readonly reservedUsd: number } | null;
  /** Failed attempts at the turn to come. */
  readonly retry: {
    readonly attempts: number;
    readonly putOffs: number;
    readonly retryTime: number;
    /** How long it was put off when it failed: by the wall clock of then, which may have been set since. */
    readonly waitMsMax: number;
  } | null;
  /** It was interrupted, and goes on when there is something new to read. */
  readonly interrupted: boolean;
  /** Ids of the newest messages received, to drop one that is delivered twice. */
  readonly receivedIds: List<string>;
  readonly checkpoints: readonly NamedCheckpoint[];
  /** What was last kept of its folder, and where the folder is to be put back to first. Absent while nothing ever was. */
  readonly files?: { readonly tree: string; readonly seq: number; readonly restoring?: string | undefined } | undefined;
  /** Events that rewinds took out of the conversation: those after `after` and before `before`. */
  readonly cuts: readonly { readonly after: number; readonly before: number }[];
}
