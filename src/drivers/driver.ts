/**
 * The driver port: what executes an agent's turns. What it promises, on every adapter:
 *
 * R1  A turn ends as data, never as an exception: done, interrupted, retryable or fatal. Policy sits above.
 * R2  Aborting the signal stops the call at once; what was said until then is kept.
 * R3  The prompt of a turn repeats that of the turn before, byte for byte, and adds to its end: across turns, forks
 *     and restarts.
 * R4  `worstCase` is an upper bound of what the next turn can use.
 * R5  A call is made only if `mayStart` says so at that very moment: what it takes to get there may have been long.
 *
 * Sessions live in the pool (src/coordinator/pool/, docs/decisions/pool.md). A driver whose sessions cost something (a process, memory,
 * a start that takes time) says so with `profile`; it promises then:
 *
 * R6  Equal keys of one tenant: what `warm` makes serves any agent of that profile, once. It has heard of no agent yet, spends nothing,
 *     and whoever opens a session with it closes it with the session.
 * R7  A session whose agent rests (no `turn` and no tool of its own under way) spends nothing, and may be closed at any moment. When its
 *     agent comes back to it, it goes on: what was journaled meanwhile, a rewind included, it finds in the state.
 * R8  All that takes a processor's time to start goes through `start`, in `open` or later, and nothing starts beside it.
 */
import type { AssistantPart, Json, ToolCall } from "../agent/content.ts";
import type { Execution, Failure, Finish, Meta } from "../agent/events.ts";
import type { State } from "../agent/state.ts";
import type { Usage } from "../agent/usage.ts";

export interface Driver {
  /** Opens a session for an agent. Cheap to call again after `close`. @throws MODEL_UNRESOLVED */
  open(state: State, options?: OpenOptions): Promise<Session>;
  /** Says why this execution cannot be opened here, or undefined when it can. */
  missing(execution: Execution): string | undefined;
  /**
   * What the agent's session takes. At once: it is asked for at every opening. Absent, or undefined: next to nothing. Such a session is
   * opened whenever its agent works, and closed whenever it rests.
   */
  profile?(state: State): Profile | undefined;
}

/** Agents of one profile have sessions that begin alike. */
export interface Profile {
  /**
   * Equal for agents that the same warm session can serve: a hash of all that it is started with (model, instructions, tools, folder,
   * rights, settings of the driver). The pool puts the tenant before it. An agent whose key has changed gets another session.
   */
  readonly key: string;
  /** Bytes that a session comes to, as long as none was measured. Above zero. */
  readonly memoryBytes: number;
  /** How long `warm` takes, as long as it was not measured. */
  readonly warmupMs: number;
  /** Whether this agent's session can begin with a warm one. False where it has a past that only a start of its own takes in. */
  readonly takesWarm: boolean;
  /**
   * Starts what a session of this profile can begin with. The pool has seen to it that it may start: it needs no `start`. Rejects soon
   * after the signal is aborted. Absent: none are kept warm.
   */
  warm?(signal: AbortSignal): Promise<Warm>;
}

/** What a session can begin with. It is its maker's own kind of thing; the pool only keeps it. */
export interface Warm extends Pooled {
  close(): Promise<void>;
}

/** What the pool asks of what it keeps. */
interface Pooled {
  /** Asked before it is used. One that says no, fails, or says nothing for LIMITS.poolHealthMsMax, is closed, and another serves. */
  healthy?(): boolean | Promise<boolean>;
  /** Resident bytes now, its processes included; undefined when that cannot be told. */
  memoryBytes?(): Promise<number | undefined>;
}

export interface OpenOptions {
  /** One that `warm` of the agent's profile made: the session's own from now on, unless `open` rejects. */
  readonly warm?: Warm | undefined;
  /** R8. Absent: everything may start at once. */
  readonly start?: StartGate | undefined;
}

/**
 * Runs what starts a session, when it may: only as many run at once as the machine has cores, and agents take turns. The session of an
 * agent that comes from the queue has its turn already, so that its first start is not waited for. Rejects with the signal's reason
 * when it is aborted before.
 */
export type StartGate = <T>(work: () => Promise<T>, signal?: AbortSignal) => Promise<T>;

export interface Session extends Pooled {
  /** Upper bounds, in tokens, of the next turn over this state. At once: it is asked for while an append is put together. */
  worstCase(state: State): TurnBound;
  /** One model call over the state's conversation. Only one at a time. */
  turn(state: State, options: TurnOptions): Promise<TurnOutcome>;
  /** The session's own tool of that name, if it has one: beside those that the agent was given. */
  ownTool?(name: string): OwnTool | undefined;
  /** The agent rests, and all that this state has is durable: it may get ready for what comes next. R7 holds. */
  rests?(state: State): void;
  /** Lets go of what it holds, a start under way included; twice is harmless. */
  close(): Promise<void>;
}

/** A tool that comes with what the session runs, and is carried out there. Never safe to repeat. */
export interface OwnTool {
  readonly name: string;
  /**
   * Resolves to what the model reads; rejects with why it failed. `state` has the call open, and its start is durable.
   * @throws OwnFailure, and MustAsk when a person must allow it: it has done nothing then, and is run again once they have
   */
  run(state: State, call: ToolCall, signal: AbortSignal, report?: string): Promise<string>;
  /**
   * Set where a call is another agent's work. That agent is spawned below, as told here, and the call waits for its end; `run` is called
   * then, with its report, to say what the model reads. @throws BanyanError for a call that cannot be met
   */
  readonly subagent?: (input: Json) => Subagent;
  /** The program that a call is to leave running, if it is such a call. It is started, and `run` is called with what to say of it. */
  readonly background?: (input: Json) => BackgroundProgram | undefined;
}

export interface BackgroundProgram {
  readonly argv: readonly string[];
  /** A number is added when a process of the agent's has it. */
  readonly name: string;
}

/** An agent that a session's own tool asks for. It has the execution, the tools and the rights of whoever asks, but for what is said here. */
export interface Subagent {
  readonly type: string;
  /** A number is added when a sibling has it. */
  readonly name: string;
  readonly task: string;
  readonly instructions: string;
  /** Of the session's own tools, those that it has as well. */
  readonly ownTools: readonly string[];
}

/** That a tool of the session's own failed, in the words in which the model reads it there. */
export class OwnFailure extends Error {}

/** Why a tool did not run; the message is what to ask a person. */
export class MustAsk extends Error {}

export interface TurnBound {
  readonly promptTokensMax: number;
  readonly outputTokensMax: number;
}

export interface TurnOptions {
  readonly signal: AbortSignal;
  /** R5. Always, when absent. */
  readonly mayStart?: () => boolean;
  /** Told of text as it streams; not journaled. */
  readonly onDelta?: (text: string) => void;
}

/** A rate that the provider limits; `tokens` is input and output together. */
export type RateKind = "requests" | "inputTokens" | "outputTokens" | "tokens";

export interface Rate {
  readonly limit: number;
  readonly remaining: number;
  /** Milliseconds in which the limit flows back. A minute, when absent. */
  readonly perMs?: number;
}

/** What the provider said of its limits, as of this call. */
export type ProviderLimits = { readonly [Kind in RateKind]?: Rate };

/** `usage` is the provider's; where it gave none it is an upper bound, and `estimated` is set. */
export type TurnOutcome = Ending & { readonly limits?: ProviderLimits };

type Ending =
  | {
      readonly outcome: "done" | "interrupted";
      readonly parts: readonly AssistantPart[];
      readonly finish: Finish;
      readonly usage: Usage;
      readonly estimated?: boolean;
      readonly model?: string;
      /** What the provider handed over beside the answer, under `banyan` in its metadata. */
      readonly meta?: Meta;
    }
  | {
      readonly outcome: "retryable";
      readonly error: Failure;
      /** What the provider said to wait; undefined when it did not say. */
      readonly afterMs?: number;
      /** Rate limit or overload: nothing is wrong with the call itself. */
      readonly putOff: boolean;
      readonly usage: Usage;
      readonly estimated?: boolean;
    }
  | { readonly outcome: "fatal"; readonly error: Failure; readonly usage: Usage; readonly estimated?: boolean }
  /** `mayStart` said no: nothing was sent and nothing spent. */
  | { readonly outcome: "withheld"; readonly usage: Usage; readonly estimated?: boolean };
