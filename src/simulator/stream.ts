/** An answer as server-sent events, in the order and form of https://platform.claude.com/docs/en/build-with-claude/streaming. */
import type { Answer, AnswerBlock } from "./answer.ts";
import { pieces } from "./tokens.ts";

/** One event, encoded. */
export interface StreamEvent {
  readonly text: string;
  /** How much of the model's time it takes. */
  readonly tokens: number;
  /** The connection breaks after it. */
  readonly cut?: boolean;
}

/** `tokensPerDelta`: how many tokens go into one delta event. */
export function* streamOf(answer: Answer, tokensPerDelta: number): Generator<StreamEvent> {
  const { id, model, stopReason, usage } = answer;
  const message = {
    id,
    type: "message",
    role: "assistant",
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { ...usage, output_tokens: Math.min(1, usage.output_tokens) },
  };
  yield encode("message_start", { type: "message_start", message });
  yield encode("ping", { type: "ping" });
  for (const [index, block] of answer.blocks.entries()) yield* streamOfBlock(block, index, tokensPerDelta);
  const { input_tokens, cache_creation_input_tokens, cache_read_input_tokens, output_tokens } = usage;
  yield encode("message_delta", {
    type: "message_delta",
    delta: { stop_reason: stopReason, stop_sequence: null },
    usage: { input_tokens, cache_creation_input_tokens, cache_read_input_tokens, output_tokens },
  });
  yield encode("message_stop", { type: "message_stop" });
}

/** The event that ends a stream with a failure. */
export function errorEvent(body: object): StreamEvent {
  return encode("error", body);
}

function* streamOfBlock(block: AnswerBlock, index: number, tokensPerDelta: number): Generator<StreamEvent> {
  const delta = (delta: object, tokens: number) =>
    encode("content_block_delta", { type: "content_block_delta", index, delta }, tokens);
  yield encode("content_block_start", { type: "content_block_start", index, content_block: emptied(block) });
  switch (block.type) {
    case "text":
      for (const text of pieces(block.text, tokensPerDelta)) yield delta({ type: "text_delta", text }, tokensPerDelta);
      break;
    case "thinking":
      for (const thinking of pieces(block.thinking, tokensPerDelta)) {
        yield delta({ type: "thinking_delta", thinking }, tokensPerDelta);
      }
      yield delta({ type: "signature_delta", signature: block.signature }, 0);
      break;
    case "tool_use":
      yield delta({ type: "input_json_delta", partial_json: "" }, 0);
      for (const partial_json of pieces(block.json, tokensPerDelta)) {
        yield delta({ type: "input_json_delta", partial_json }, tokensPerDelta);
      }
      break;
  }
  yield encode("content_block_stop", { type: "content_block_stop", index });
}

function emptied(block: AnswerBlock): object {
  if (block.type === "text") return { type: "text", text: "" };
  if (block.type === "thinking") return { type: "thinking", thinking: "", signature: "" };
  return { type: "tool_use", id: block.id, name: block.name, input: {} };
}

function encode(event: string, data: object, tokens = 0): StreamEvent {
  return { text: `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`, tokens };
}
