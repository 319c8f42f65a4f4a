/**
 * A reply made into the message that the API would send: blocks with ids, cut at `max_tokens`, and usage.
 */

import type { MessagesRequest } from "./messages-api.ts";
import type { Reply, ReplyBlock, StopReason } from "./mind.ts";
import type { PromptUsage } from "./prompt-cache.ts";
import { countTokens, firstTokens } from "./tokens.ts";

export interface Answer {
  readonly id: string;
  readonly model: string;
  readonly blocks: readonly AnswerBlock[];
  readonly stopReason: StopReason;
  readonly usage: WireUsage;
  /** As the simulator counts, which need not be what `usage` says. */
  readonly tokens: number;
}

/** `json` is the text of a tool's input, which `max_tokens` may have cut. */
export type AnswerBlock =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "thinking"; readonly thinking: string; readonly signature: string }
  | { readonly type: "tool_use"; readonly id: string; readonly name: string; readonly json: string };

export interface WireUsage {
  readonly input_tokens: number;
  readonly cache_creation_input_tokens: number;
  readonly cache_read_input_tokens: number;
  readonly cache_creation: { readonly ephemeral_5m_input_tokens: number; readonly ephemeral_1h_input_tokens: number };
  readonly output_tokens: number;
  readonly service_tier: "standard";
}

/** `digest` identifies the request; message and call ids follow from it, so that one request has one answer. */
export function answerTo(request: MessagesRequest, reply: Reply, prompt: PromptUsage, digest: string): Answer {
  const uncut = reply.content.map((block, at) => withId(block, digest, at));
  const { blocks, tokens, cut } = reply.whole ? measure(uncut) : cutAt(uncut, request.max_tokens);
  const calls = blocks.some((block) => block.type === "tool_use");
  return {
    id: `msg_${digest.slice(0, 24)}`,
    model: request.model,
    blocks,
    stopReason: cut ? "max_tokens" : (reply.stopReason ?? (calls ? "tool_use" : "end_turn")),
    usage: wireUsage(reply, prompt, tokens),
    tokens,
  };
}

/** The body of a response that is not streamed. */
export function messageOf({ id, model, blocks, stopReason, usage }: Answer): object {
  const content = blocks.map((block) =>
    block.type === "tool_use"
      ? { type: block.type, id: block.id, name: block.name, input: parsedInput(block.json) }
      : block,
  );
  const role = "assistant";
  return { id, type: "message", role, model, content, stop_reason: stopReason, stop_sequence: null, usage };
}

function withId(block: ReplyBlock, digest: string, at: number): AnswerBlock {
  switch (block.type) {
    case "text":
      return block;
    case "thinking":
      return { ...block, signature: block.signature ?? `sig_${digest.slice(0, 16)}_${at}` };
    case "tool_use": {
      const id = block.id ?? `toolu_${digest.slice(0, 20)}_${at}`;
      return { type: "tool_use", id, name: block.name, json: JSON.stringify(block.input) };
    }
  }
}

function textOf(block: AnswerBlock): string {
  return block.type === "text" ? block.text : block.type === "thinking" ? block.thinking : block.json;
}

/** A call costs its name too, and at least one token. */
function tokensOf(block: AnswerBlock): number {
  return countTokens(textOf(block)) + (block.type === "tool_use" ? countTokens(block.name) : 0);
}

function measure(blocks: readonly AnswerBlock[]) {
  return { blocks, tokens: blocks.reduce((sum, block) => sum + tokensOf(block), 0), cut: false };
}

function cutAt(blocks: readonly AnswerBlock[], tokensMax: number) {
  const out: AnswerBlock[] = [];
  let tokens = 0;
  for (const block of blocks) {
    const size = tokensOf(block);
    if (tokens + size <= tokensMax) {
      out.push(block);
      tokens += size;
      continue;
    }
    const room = tokensMax - tokens - (size - countTokens(textOf(block)));
    if (room > 0) out.push(shortened(block, firstTokens(textOf(block), room)));
    return { blocks: out, tokens: tokensMax, cut: true };
  }
  return { blocks: out, tokens, cut: false };
}

function shortened(block: AnswerBlock, text: string): AnswerBlock {
  if (block.type === "text") return { ...block, text };
  return block.type === "thinking" ? { ...block, thinking: text } : { ...block, json: text };
}

function parsedInput(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return {};
  }
}

function wireUsage({ usage }: Reply, prompt: PromptUsage, output: number): WireUsage {
  const written5m = usage ? usage.cacheWrite : prompt.cacheWrite5m;
  const written1h = usage ? 0 : prompt.cacheWrite1h;
  return {
    input_tokens: usage?.input ?? prompt.input,
    cache_creation_input_tokens: written5m + written1h,
    cache_read_input_tokens: usage?.cacheRead ?? prompt.cacheRead,
    cache_creation: { ephemeral_5m_input_tokens: written5m, ephemeral_1h_input_tokens: written1h },
    output_tokens: usage?.output ?? output,
    service_tier: "standard",
  };
}
