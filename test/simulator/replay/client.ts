/**
 * A client that goes through a recorded run: it sends what came in as recorded and keeps what the model said as it was
 * answered, the way a driver does: neighbours of one role joined, blank texts left out, the last words trimmed.
 */
import type { Provider } from "../../../src/simulator/provider.ts";
import type { RecordedMessage, RecordedRun } from "../../../src/simulator/replay/recorded-run.ts";
import { recordedOutputTokensMax } from "../../../src/simulator/replay/turns.ts";
import { ask, type TestMessage } from "../in-process.ts";

export interface Replayed {
  /** What the model said, in the form of the record. */
  readonly said: readonly RecordedMessage[];
  readonly stopReasons: readonly string[];
  readonly tokens: { input: number; output: number; cacheRead: number; cacheWrite: number };
}

// biome-ignore lint/suspicious/noExplicitAny: blocks of the wire
type Wire = any;

export async function replayRun(provider: Provider, run: RecordedRun): Promise<Replayed> {
  const messages: { role: "user" | "assistant"; content: Wire[] }[] = [];
  const add = (role: "user" | "assistant", blocks: Wire[]) => {
    const last = messages.at(-1);
    if (last?.role === role) last.content.push(...blocks);
    else messages.push({ role, content: blocks });
  };
  const said: RecordedMessage[] = [];
  const stopReasons: string[] = [];
  const tokens = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
  let open: string[] = [];
  const max_tokens = Math.max(1, recordedOutputTokensMax(run));
  if (run.messages[0]?.role === "assistant") add("user", [{ type: "text", text: "(begin)" }]);
  for (const [index, message] of run.messages.entries()) {
    if (message.role === "assistant") {
      const body = { messages: trimmed(messages), max_tokens, ...(run.system && { system: run.system }) };
      const { status, json } = await ask(provider, body, { headers: { "x-banyan-run": run.id } });
      if (status !== 200) throw new Error(`message ${index}: ${json.error.message}`);
      said.push(asRecorded(json.content));
      stopReasons.push(json.stop_reason);
      tokens.input += json.usage.input_tokens;
      tokens.output += json.usage.output_tokens;
      tokens.cacheRead += json.usage.cache_read_input_tokens;
      tokens.cacheWrite += json.usage.cache_creation_input_tokens;
      add("assistant", json.content);
      open = json.content.filter((block: Wire) => block.type === "tool_use").map(({ id }: Wire) => id);
      if (open.length > 0) add("user", resultsOf(run, index, open));
    } else if (message.role === "user" || !message.tool_call_id) {
      add("user", [{ type: "text", text: message.content }]);
    }
  }
  return { said, stopReasons, tokens };
}

/** Results until the assistant speaks again, as a real loop must give them all: stand-ins where none was recorded. */
function resultsOf(run: RecordedRun, asked: number, ids: readonly string[]): Wire[] {
  const results = new Map(ids.map((id) => [id, "(no result was recorded)"]));
  for (const message of run.messages.slice(asked + 1)) {
    if (message.role === "assistant") break;
    if (message.tool_call_id && results.has(message.tool_call_id)) results.set(message.tool_call_id, message.content);
  }
  return [...results].map(([tool_use_id, content]) => ({ type: "tool_result", tool_use_id, content }));
}

function trimmed(messages: readonly TestMessage[]): TestMessage[] {
  return messages.map(({ role, content }, index) => {
    const blocks = (content as Wire[]).filter((block) => block.type !== "text" || /\S/.test(block.text));
    const last = blocks.at(-1);
    const cut = index === messages.length - 1 && role === "assistant" && last?.type === "text";
    return { role, content: cut ? [...blocks.slice(0, -1), { ...last, text: last.text.trim() }] : blocks };
  });
}

function asRecorded(blocks: readonly Wire[]): RecordedMessage {
  const calls = blocks.filter(({ type }) => type === "tool_use").map(({ id, name, input }) => ({ id, name, input }));
  const thinking = blocks.find(({ type }) => type === "thinking")?.thinking;
  return {
    role: "assistant",
    content: blocks.find(({ type }) => type === "text")?.text ?? "",
    ...(calls.length > 0 && { tool_calls: calls }),
    ...(thinking && { reasoning: thinking }),
  };
}

/** What of a recorded message the Messages API can say. */
export function expressible({ role, content, tool_calls, reasoning }: RecordedMessage): RecordedMessage {
  return {
    role,
    content,
    ...(tool_calls?.length && { tool_calls: tool_calls.map(({ id, name, input }) => ({ id, name, input })) }),
    ...(reasoning && { reasoning }),
  };
}
