/**
 * The model as the `claude` driver calls it: a request of Claude Code, parked at the gateway, goes to the provider byte for byte, and
 * its stream comes back in the form that all models of the AI SDK's interface have. Everything else about a call (silence, aborting,
 * usage, what went wrong) is then the `model` driver's.
 *
 * Streams: https://docs.claude.com/en/docs/build-with-claude/streaming.
 */
import { APICallError, type LanguageModelV4FinishReason, type LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { LABEL_LENGTH_MAX } from "../../agent/events.ts";
import { BrokenOff } from "../model/call.ts";
import type { ProviderModel } from "../model/provider-model.ts";
import { toOwnName } from "./mcp-tools.ts";
import type { Call } from "./running.ts";

/** Where the provider is, and what lets us in. */
export interface Upstream {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A model that sends the call with which Claude Code waits then. */
export function relayModel(name: string, upstream: Upstream, call: () => Call): ProviderModel {
  return {
    specificationVersion: "v4",
    provider: "claude",
    modelId: name,
    supportedUrls: {},
    doGenerate: () => Promise.reject(new Error("it streams")),
    async doStream({ abortSignal }) {
      const { body, headers, sessionId } = call();
      const url = `${upstream.url}/v1/messages?beta=true`;
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers, ...upstream.headers },
        body,
        ...(abortSignal && { signal: abortSignal }),
      });
      if (!response.ok || !response.body) throw await refusalOf(response, url);
      return {
        stream: ReadableStream.from(partsOf(eventsOf(response.body), metaOf(sessionId, response))),
        response: { headers: Object.fromEntries(response.headers) },
      };
    },
  };
}

/** Where the answer came from: what people look for in Claude Code's own records, and what the provider asks for. */
function metaOf(sessionId: string, { headers }: Response): Record<string, string> {
  const requestId = headers.get("request-id");
  return { session: sessionId, ...(requestId !== null && { request: requestId.slice(0, LABEL_LENGTH_MAX) }) };
}

async function refusalOf(response: Response, url: string): Promise<APICallError> {
  const responseBody = await response.text();
  return new APICallError({
    message: messageIn(responseBody) ?? `the provider answered ${response.status}`,
    url,
    requestBodyValues: {},
    statusCode: response.status,
    responseHeaders: Object.fromEntries(response.headers),
    responseBody,
  });
}

function messageIn(body: string): string | undefined {
  try {
    return (JSON.parse(body) as { error?: { message?: string } }).error?.message;
  } catch {
    return undefined;
  }
}

/** What is read of an event of the Messages API. */
interface ApiEvent {
  type: string;
  index: number;
  message: { model: string; usage: ApiUsage };
  content_block: { type: string; id: string; name: string; data: string };
  delta: {
    type: string;
    text: string;
    thinking: string;
    signature: string;
    partial_json: string;
    stop_reason: string | null;
  };
  usage: ApiUsage;
  error: { type: string; message: string };
}

interface ApiUsage {
  input_tokens?: number;
  output_tokens?: number;
  cache_read_input_tokens?: number | null;
  cache_creation_input_tokens?: number | null;
}

/** The data of a stream of server-sent events. */
async function* eventsOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<ApiEvent> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.startsWith("data:")) yield JSON.parse(line.slice("data:".length)) as ApiEvent;
  }
}

interface OpenBlock {
  readonly type: string;
  readonly id: string;
  readonly name: string;
  input: string;
}

async function* partsOf(
  events: AsyncIterable<ApiEvent>,
  meta: Record<string, string>,
): AsyncGenerator<LanguageModelV4StreamPart> {
  yield { type: "stream-start", warnings: [] };
  const blocks = new Map<number, OpenBlock>();
  let usage: ApiUsage = {};
  let stop: string | null = null;
  for await (const event of events) {
    switch (event.type) {
      case "message_start": {
        usage = event.message.usage;
        yield { type: "response-metadata", modelId: event.message.model };
        yield {
          type: "custom",
          kind: "anthropic.message_start",
          providerMetadata: { anthropic: { usage: { ...usage } } },
        };
        break;
      }
      case "content_block_start": {
        const { type, id, name, data } = event.content_block;
        blocks.set(event.index, { type, id, name, input: "" });
        if (type === "text") yield { type: "text-start", id: String(event.index) };
        if (type === "thinking") yield { type: "reasoning-start", id: String(event.index) };
        if (type === "redacted_thinking") {
          const providerMetadata = { anthropic: { redactedData: data } };
          yield { type: "reasoning-start", id: String(event.index), providerMetadata };
        }
        break;
      }
      case "content_block_delta": {
        const block = blocks.get(event.index);
        if (block) yield* deltaOf(event, block);
        break;
      }
      case "content_block_stop": {
        const block = blocks.get(event.index);
        if (block?.type !== "tool_use") break;
        const { id: toolCallId, input } = block;
        yield { type: "tool-call", toolCallId, toolName: toOwnName(block.name), input };
        break;
      }
      case "message_delta":
        usage = { ...usage, ...event.usage };
        stop = event.delta.stop_reason;
        break;
      case "error":
        throw Object.assign(new Error(event.error.message), { type: event.error.type });
      case "message_stop":
        yield {
          type: "finish",
          finishReason: finishOf(stop),
          usage: usageOf(usage),
          providerMetadata: { banyan: { meta } },
        };
        return;
    }
  }
  throw new BrokenOff("the stream ended before the answer did");
}

function* deltaOf({ index, delta }: ApiEvent, block: OpenBlock): Generator<LanguageModelV4StreamPart> {
  const id = String(index);
  switch (delta.type) {
    case "text_delta":
      yield { type: "text-delta", id, delta: delta.text };
      return;
    case "thinking_delta":
      yield { type: "reasoning-delta", id, delta: delta.thinking };
      return;
    case "signature_delta": {
      const providerMetadata = { anthropic: { signature: delta.signature } };
      yield { type: "reasoning-delta", id, delta: "", providerMetadata };
      return;
    }
    case "input_json_delta":
      block.input += delta.partial_json;
      yield { type: "tool-input-delta", id: block.id, delta: delta.partial_json };
  }
}

const FINISHES: Readonly<Record<string, LanguageModelV4FinishReason["unified"]>> = {
  end_turn: "stop",
  stop_sequence: "stop",
  tool_use: "tool-calls",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  refusal: "content-filter",
};

function finishOf(reason: string | null): LanguageModelV4FinishReason {
  return { unified: FINISHES[reason ?? ""] ?? "other", raw: reason ?? undefined };
}

function usageOf(usage: ApiUsage): Extract<LanguageModelV4StreamPart, { type: "finish" }>["usage"] {
  return {
    inputTokens: {
      total: undefined,
      noCache: usage.input_tokens,
      cacheRead: usage.cache_read_input_tokens ?? undefined,
      cacheWrite: usage.cache_creation_input_tokens ?? undefined,
    },
    outputTokens: { total: usage.output_tokens, text: undefined, reasoning: undefined },
  };
}
