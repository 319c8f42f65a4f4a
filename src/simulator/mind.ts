/** The port of what answers: a mind is handed a valid request and says what the model would say. */
import type { MessagesRequest } from "./messages-api.ts";

export interface Mind {
  /** @throws ApiError to refuse the request; anything else becomes a 500 */
  reply(request: MessagesRequest, context: MindContext): Reply | Promise<Reply>;
}

export interface MindContext {
  /** Header names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
}

export interface Reply {
  readonly content: readonly ReplyBlock[];
  /** Derived from the content when absent: `tool_use` if it ends the turn with calls, else `end_turn`. */
  readonly stopReason?: StopReason;
  /** Tokens to report instead of the simulator's own count. */
  readonly usage?: ReplyUsage;
  /** How long the model took, in milliseconds; played out evenly. Without it the simulator's pace applies. */
  readonly durationMs?: number;
  /** The reply is given whole, whatever `max_tokens` says: it was checked against it already. */
  readonly whole?: boolean;
}

export type ReplyBlock =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "thinking"; readonly thinking: string; readonly signature?: string }
  /** Without an id it gets one that follows from the request. */
  | { readonly type: "tool_use"; readonly id?: string; readonly name: string; readonly input: object };

export type StopReason = "end_turn" | "max_tokens" | "tool_use" | "pause_turn" | "refusal";

/** `input` excludes what was read from or written to the cache. */
export interface ReplyUsage {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
}
