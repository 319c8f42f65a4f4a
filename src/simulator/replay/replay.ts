/**
 * The mind that plays recorded runs: each request is held against its record, and answered with the turn that was
 * recorded there, word for word, with the tokens that were billed for it, at the speed that it had.
 *
 * A request says which run it belongs to by the header `x-banyan-run`, or else by `metadata.user_id`; with a single
 * run neither is needed. Where the record ends with someone else's words, the answer is empty, so that an agent
 * that asks once more comes to rest.
 */
import { ApiError, invalid } from "../api-error.ts";
import type { MessagesRequest } from "../messages-api.ts";
import type { Mind, MindContext, Reply, ReplyBlock } from "../mind.ts";
import { locate } from "./compare.ts";
import type { RecordedRun } from "./recorded-run.ts";
import { outputTokensOf, type RecordedTurn, type Said, turnsOf } from "./turns.ts";

const RUN_HEADER = "x-banyan-run";

export interface ReplayOptions {
  /** How many times as fast as recorded; endless, the default, is at once. */
  readonly speed?: number;
}

interface Playable {
  readonly run: RecordedRun;
  readonly turns: readonly RecordedTurn[];
}

export function replayMind(
  runs: Iterable<RecordedRun>,
  { speed = Number.POSITIVE_INFINITY }: ReplayOptions = {},
): Mind {
  const byId = new Map<string, Playable>();
  for (const run of runs) byId.set(run.id, { run, turns: turnsOf(run) });
  return {
    reply(request, context) {
      const { run, turns } = find(byId, request, context);
      const index = locate(request, run, turns);
      const said = turns[index]?.said;
      if (!said) return REST;
      requireRoom(request, run, said);
      return replyOf(said, { pauses: pausesAfter(turns, index), speed });
    },
  };
}

const REST: Reply = {
  content: [],
  stopReason: "end_turn",
  usage: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
};

function find(byId: ReadonlyMap<string, Playable>, { metadata }: MessagesRequest, { headers }: MindContext): Playable {
  const only = byId.size === 1 ? [...byId.keys()][0] : undefined;
  const id = headers[RUN_HEADER] ?? only ?? metadata?.user_id;
  if (!id) throw invalid(`replay: say which run with the header ${RUN_HEADER} or with metadata.user_id`);
  const playable = byId.get(id);
  if (!playable) throw new ApiError("not_found_error", `replay: no recorded run ${JSON.stringify(id)}`);
  return playable;
}

/** The API never gives more than was asked for, so the record cannot be played to someone who asks for less. */
function requireRoom({ max_tokens: tokensMax }: MessagesRequest, run: RecordedRun, said: Said): void {
  const tokens = outputTokensOf(said);
  if (tokens <= tokensMax) return;
  throw invalid(`max_tokens: ${tokensMax} is less than the ${tokens} tokens of message ${said.index} of ${run.id}`);
}

function pausesAfter(turns: readonly RecordedTurn[], index: number): boolean {
  const next = turns[index + 1];
  return next?.said !== undefined && next.texts.length === 0 && next.results.size === 0;
}

function replyOf({ message, usage, durationMs }: Said, { pauses, speed }: { pauses: boolean; speed: number }): Reply {
  const content: ReplyBlock[] = [];
  if (message.reasoning) content.push({ type: "thinking", thinking: message.reasoning });
  if (message.content !== "") content.push({ type: "text", text: message.content });
  for (const { id, name, input } of message.tool_calls ?? []) content.push({ type: "tool_use", id, name, input });
  const calls = (message.tool_calls?.length ?? 0) > 0;
  const timed = durationMs !== undefined && Number.isFinite(speed);
  return {
    content,
    stopReason: calls ? "tool_use" : pauses ? "pause_turn" : "end_turn",
    whole: true,
    ...(usage && { usage }),
    ...(timed && { durationMs: durationMs / speed }),
  };
}
