/**
 * A recorded run as a script for an agent: what it is told, what its model says, what its tools answer. The mapping
 * loses nothing, so that the agent's state can be turned back into the recorded messages (`messagesOf`).
 *
 * A tool message is a result when it directly follows the assistant message that made its call; any other one, such as
 * the second answer to one call, is told to the agent as a message and remembered for what it was.
 */

import type { Json } from "../agent/content.ts";
import type { Meta } from "../agent/events.ts";
import type { RecordedMessage, RecordedRun, RecordedUsage } from "./format.ts";

export interface Told {
  /** The same at every replay of the run, so that a message is delivered once. */
  readonly id: string;
  readonly text: string;
  readonly meta: Meta;
}

export interface Answered {
  readonly callId: string;
  readonly text: string;
  readonly meta: Meta;
}

export interface Act {
  readonly said: {
    readonly text: string;
    readonly reasoning: string;
    readonly calls: readonly Call[];
    readonly meta: Meta;
  };
  readonly usage: RecordedUsage | undefined;
  /** In the order of the record. */
  readonly results: readonly Answered[];
  /** Told before the next act. */
  readonly told: readonly Told[];
  /** The next message is the model's again: it goes on by itself. */
  readonly goesOn: boolean;
}

export interface Call {
  readonly id: string;
  readonly name: string;
  readonly input: Json;
}

export interface Script {
  readonly run: string;
  readonly instructions: string;
  /** Told before the first act; none when the model speaks first. */
  readonly opening: readonly Told[];
  readonly acts: readonly Act[];
  /** Names of all tools that are called. */
  readonly tools: readonly string[];
}

export function scriptOf(run: RecordedRun): Script {
  const { messages } = run;
  const opening: Told[] = [];
  const acts: { -readonly [Key in keyof Act]: Act[Key] extends readonly (infer Item)[] ? Item[] : Act[Key] }[] = [];
  const usageOf = usageByAct(run);
  let unanswered = new Set<string>();
  messages.forEach((message, index) => {
    const act = acts.at(-1);
    if (message.role === "assistant") {
      if (act && act.told.length === 0 && act.said.calls.length === 0) act.goesOn = true;
      const said = saidBy(message);
      acts.push({ said, usage: usageOf(acts.length), results: [], told: [], goesOn: false });
      unanswered = new Set(said.calls.map(({ id }) => id));
      return;
    }
    const callId = message.tool_call_id ?? "";
    if (act && message.role === "tool" && act.told.length === 0 && unanswered.delete(callId)) {
      act.results.push({ callId, text: message.content, meta: restOf(message, ["role", "content", "tool_call_id"]) });
      return;
    }
    const told = { id: `recorded-${index}`, text: message.content, meta: restOf(message, ["content"]) };
    if (act) act.told.push(told);
    else opening.push(told);
  });
  const tools = new Set(acts.flatMap(({ said }) => said.calls.map(({ name }) => name)));
  return { run: run.id, instructions: run.system ?? "", opening, acts, tools: [...tools].sort() };
}

function saidBy(message: RecordedMessage): Act["said"] {
  const { content, reasoning = "", tool_calls: calls = [] } = message;
  // What an empty field looked like is not to be told from the parts: it is remembered.
  const derived = ["role", "content", ...(reasoning ? ["reasoning"] : []), ...(calls.length > 0 ? ["tool_calls"] : [])];
  return { text: content, reasoning, calls, meta: restOf(message, derived) };
}

function restOf(message: RecordedMessage, without: readonly string[]): Meta {
  return Object.fromEntries(Object.entries(message).filter(([key]) => !without.includes(key))) as Meta;
}

/** One usage for each assistant message; where one is missing, the first message (a canned greeting) made no call. */
function usageByAct({ messages, usage }: RecordedRun): (act: number) => RecordedUsage | undefined {
  const calls = usage?.calls ?? [];
  const acts = messages.filter(({ role }) => role === "assistant").length;
  const shift = calls.length === acts - 1 ? 1 : 0;
  return (act) => calls[act - shift];
}
