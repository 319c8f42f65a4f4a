/**
 * A recorded run as turns: what came in since the assistant last spoke, and what it said then. The last turn is what
 * came in after its last words; nothing is said in it.
 *
 * Recordings are not always what the Messages API can say. Decided here:
 * - A tool message without a call (group chats) came in as words of a user.
 * - Assistant messages in a row are turns without input: the one before ends with `pause_turn`.
 * - A call whose result was not recorded (it was interrupted) may get any result.
 * - Speaker, time, and marks of compaction and sub-agents cannot be said to a model; whoever replays keeps them himself.
 */

import type { ReplyUsage } from "../mind.ts";
import { countTokens } from "../tokens.ts";
import type { RecordedMessage, RecordedRun } from "./recorded-run.ts";

export interface RecordedTurn {
  readonly texts: readonly RecordedInput[];
  /** Results by the id of their call. */
  readonly results: ReadonlyMap<string, RecordedInput>;
  /** Undefined in the last turn. */
  readonly said: Said | undefined;
}

export interface RecordedInput {
  /** Place in the run's messages. */
  readonly index: number;
  readonly content: string;
}

export interface Said {
  readonly index: number;
  readonly message: RecordedMessage;
  readonly usage: ReplyUsage | undefined;
  /** Milliseconds since the message before it; undefined where times are not recorded or go back. */
  readonly durationMs: number | undefined;
}

export function turnsOf(run: RecordedRun): readonly RecordedTurn[] {
  const turns: RecordedTurn[] = [];
  let texts: RecordedInput[] = [];
  let results = new Map<string, RecordedInput>();
  let calls = new Set<string>();
  let assistants = 0;
  run.messages.forEach((message, index) => {
    const { role, content, tool_call_id: callId } = message;
    if (role === "assistant") {
      const usage = usageOf(run, assistants++);
      turns.push({ texts, results, said: { index, message, usage, durationMs: durationOf(run, index) } });
      [texts, results] = [[], new Map()];
      calls = new Set(message.tool_calls?.map(({ id }) => id));
    } else if (role === "tool" && callId !== undefined && calls.has(callId)) results.set(callId, { index, content });
    else if (content.trim() !== "") texts.push({ index, content });
  });
  return [...turns, { texts, results, said: undefined }];
}

/** The most output tokens that one recorded turn has; a replay must ask for at least as many. */
export function recordedOutputTokensMax(run: RecordedRun): number {
  return turnsOf(run).reduce((most, { said }) => Math.max(most, said ? outputTokensOf(said) : 0), 0);
}

/** As the provider billed it, or as the simulator counts where that is not known. */
export function outputTokensOf({ message, usage }: Said): number {
  if (usage) return usage.output;
  const calls = message.tool_calls ?? [];
  const callTokens = calls.map(({ name, input }) => countTokens(name) + countTokens(JSON.stringify(input)));
  return [message.content, message.reasoning ?? ""]
    .map(countTokens)
    .concat(callTokens)
    .reduce((sum, each) => sum + each, 0);
}

/**
 * Calls are recorded one for each assistant message, or one fewer where the first message is a canned greeting. Other
 * counts cannot be told apart, and count as not recorded.
 */
function usageOf({ messages, usage }: RecordedRun, nth: number): ReplyUsage | undefined {
  if (!usage) return undefined;
  const missing = messages.filter(({ role }) => role === "assistant").length - usage.calls.length;
  const greeting = missing === 1 && messages[0]?.role === "assistant";
  if (missing !== 0 && !greeting) return undefined;
  if (greeting && nth === 0) return { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
  const call = usage.calls[greeting ? nth - 1 : nth];
  return (
    call && { input: call.in, output: call.out, cacheRead: call.cache_read ?? 0, cacheWrite: call.cache_write ?? 0 }
  );
}

function durationOf({ messages }: RecordedRun, index: number): number | undefined {
  const ms = timeMs(messages[index]) - timeMs(messages[index - 1]);
  return ms >= 0 ? ms : undefined;
}

/** NaN where there is none, which no comparison holds for. */
function timeMs(message: RecordedMessage | undefined): number {
  const ts = message?.ts;
  if (typeof ts === "number") return ts * 1_000;
  return ts === undefined ? Number.NaN : Date.parse(ts);
}
