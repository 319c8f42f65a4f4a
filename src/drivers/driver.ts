/**
 * The driver port: what executes an agent's turns. What it promises, on every adapter:
 *
 * R1  A turn ends as data, never as an exception: done, interrupted, retryable or fatal. Policy sits above.
 * R2  Aborting the signal stops the call at once; what was said until then is kept.
 * R3  The prompt of a turn repeats that of the turn before, byte for byte, and adds to its end: across turns, forks
 *     and restarts.
 * R4  `worstCase` is an upper bound of what the next turn can use.
 * R5  A call is made only if `mayStart` says so at that very moment: what it takes to get there may have been long.
 */
import type { AssistantPart, ToolCall } from "../agent/content.ts";
import type { Execution, Failure, Finish, Meta } from "../agent/events.ts";
import type { State } from "../agent/state.ts";
import type { Usage } from "../agent/usage.ts";

export interface Driver {
  /** Opens a session for an agent. Cheap to call again after `close`. @throws MODEL_UNRESOLVED */
  open(state: State): Promise<Session>;
  /** Says why this execution cannot be opened here, or undefined when it can. */
  missing(execution: Execution): string | undefined;
}

export interface Session {
  /** Upper bounds, in tokens, of the next turn over this state. At once: it is asked for while an append is put together. */
  worstCase(state: State): TurnBound;
  /** One model call over the state's conversation. Only one at a time. */
  turn(state: State, options: TurnOptions): Promise<TurnOutcome>;
  /** The session's own tool of that name, if it has one: beside those that the agent was given. */
  ownTool?(name: string): OwnTool | undefined;
  /** Lets go of what it holds; twice is harmless. */
  close(): Promise<void>;
}

/** A tool that comes with what the session runs, and is carried out there. Never safe to repeat. */
export interface OwnTool {
  readonly name: string;
  /**
   * Resolves to what the model reads; rejects with why it failed. `state` has the call open, and its start is durable.
   * @throws MustAsk when a person must allow it: it has done nothing then, and is run again once they have
   */
  run(state: State, call: ToolCall, signal: AbortSignal): Promise<string>;
}

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
  /** A minute's worth. */
  readonly limit: number;
  readonly remaining: number;
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
