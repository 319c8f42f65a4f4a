/**
 * The tool port: what an agent can do besides talking.
 *
 * T1  A tool sees only what its agent's rights allow, and rights only shrink from parent to child.
 * T2  A tool says what to do when the process died while it ran: `rerun` (safe to repeat), `report` (tell the model that it
 *     was interrupted), `ask` (wait for a person).
 * T3  A tool's failure is a result that the model reads, never the end of the agent.
 */
import type { Json } from "../agent/content.ts";
import type { ArtifactReference, Meta, Rights, WaitsFor } from "../agent/events.ts";
import type { ProcessPolicy } from "../agent/process-policy.ts";
import type { Clock } from "../base/clock.ts";
import type { AgentId } from "../base/ids.ts";
import type { Digest } from "../blobs/blobs.ts";
import type { Ran } from "../processes/launch.ts";

export type UnknownOutcomePolicy = "rerun" | "report" | "ask";

export interface Tool {
  readonly name: string;
  readonly description: string;
  /** JSON schema of an object. */
  readonly inputSchema: { readonly [key: string]: Json };
  readonly onUnknownOutcome: UnknownOutcomePolicy;
  /** Set for a tool that waits instead of working: the runtime answers it, and `run` only checks the input. */
  readonly waitsFor?: WaitsFor;
  /** Longest time it may take, in milliseconds; LIMITS.toolMsMax when it does not say. */
  readonly timeMsMax?: number;
  /**
   * Carries out one call and resolves to what the model reads.
   * @throws BanyanError, or anything else: the model reads the message (T3). Must stop when `context.signal` is aborted.
   */
  run(input: Json, context: ToolContext): Promise<string | ToolAnswer>;
}

/** A result with something beside it that is journaled and never shown to the model. */
export interface ToolAnswer {
  readonly text: string;
  readonly meta: Meta;
}

/** What a tool is given. Everything that it can reach is here. */
export interface ToolContext {
  readonly agent: AgentId;
  readonly callId: string;
  readonly rights: Rights;
  /** Canonical path of the runtime's own data: in no root, wherever it lies. */
  readonly hidden?: string | undefined;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly artifacts: ArtifactAccess;
  readonly agents: AgentAccess;
  readonly processes: ProcessAccess;
}

/** The artifacts that an agent may see: its own tree's. */
export interface ArtifactAccess {
  /** Stores bytes under a name of this agent, replacing what had it. Durable when it resolves. */
  write(name: string, bytes: Uint8Array, mediaType: string): Promise<ArtifactReference>;
  /** An artifact of this agent, or of the named agent (see `AgentAccess.send`) of its tree. @throws ARTIFACT_NOT_FOUND */
  find(name: string, agent?: string): ArtifactReference;
  /** All of this agent's, then its descendants', with the agent's path of names. */
  list(): readonly { readonly path: string; readonly artifact: ArtifactReference }[];
  /** Bytes by digest, as results that were cut refer to them. @throws BLOB_NOT_FOUND */
  read(digest: Digest, range?: { from: number; to: number }): AsyncIterable<Uint8Array>;
}

/** What an agent may do with other agents of its tree. */
export interface AgentAccess {
  /** Spawns a child with the caller's model, tools and rights, and returns its name, unique among its siblings. Safe to repeat for one call. */
  spawn(request: SpawnRequest): Promise<{ name: string }>;
  /** Puts a message into an inbox. `to`: a child's name, `parent`, a sibling's name, a path of names from the root
   * (`/lead/worker`), or an agent id of the same tree. Safe to repeat for one call. @throws AGENT_NOT_FOUND */
  send(to: string, text: string): Promise<void>;
  children(): readonly { readonly name: string; readonly status: string; readonly activity: string }[];
}

/** The programs of the agent itself: those that it waits for, and those in the background. */
export interface ProcessAccess {
  /**
   * Runs one to its end; nothing that it started runs then. @throws COMMAND_REFUSED, TOOL_FAILED, OUT_OF_ROOT, SANDBOX_NONE,
   * PROCESSES_NONE; the signal's reason when it is aborted
   */
  run(request: RunRequest, signal: AbortSignal): Promise<Ran>;
  /** Starts one; it is durable, and on its way, when this resolves. @throws COMMAND_REFUSED, TOOL_FAILED, NAME_INVALID */
  start(request: ProcessRequest): Promise<ProcessInfo>;
  /** In the order of their starts. */
  list(): Promise<readonly ProcessInfo[]>;
  /** The newest of its output, and the number of the first line of that; 0 when it is not known. @throws PROCESS_NOT_FOUND */
  output(name: string): Promise<{ readonly text: string; readonly firstLine: number; readonly info: ProcessInfo }>;
  /** Text to its input, and with `end` no more. @throws PROCESS_NOT_FOUND, TOOL_FAILED */
  write(name: string, text: string, end: boolean): Promise<void>;
  /** Ends it for good: asks it to, and after `graceMs` does. Resolves when it is gone. @throws PROCESS_NOT_FOUND */
  stop(name: string, graceMs: number): Promise<ProcessInfo>;
}

export interface RunRequest {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly timeMsMax: number;
}

export interface ProcessRequest {
  readonly name: string;
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly policy: ProcessPolicy;
}

/** How a process stands. */
export interface ProcessInfo {
  readonly id: string;
  readonly name: string;
  readonly argv: readonly string[];
  readonly phase: "starting" | "running" | "stopping" | "backingOff" | "ended";
  readonly pid: number | undefined;
  /** All its probes have had a good answer. */
  readonly ready: boolean;
  readonly restarts: number;
  /** Since when it stands so, in milliseconds since the epoch. */
  readonly time: number;
  /** How its newest run that is over ended, in words. */
  readonly end: string | undefined;
  /** Output of its newest run: bytes, and, once it is over, the digest of them all. */
  readonly bytes: number;
  readonly digest: string | undefined;
}

export interface SpawnRequest {
  readonly name: string;
  readonly task: string;
  readonly instructions?: string;
  /** Names of tools, a subset of the caller's; all of them when absent. */
  readonly tools?: readonly string[];
  readonly budgetUsd?: number;
  /** For a tool of the caller's session: the type of agent that it asked for, and which of the session's tools that has. */
  readonly subagent?: { readonly type: string; readonly ownTools: readonly string[] };
}
