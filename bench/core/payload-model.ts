/** The payload as a model of the AI SDK's provider interface, which Banyan and the AI SDK both take. Imports types alone. */
import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4Content,
  LanguageModelV4StreamPart,
  LanguageModelV4Usage,
} from "@ai-sdk/provider";
import { type Answer, answer } from "./payload.ts";

const usage: LanguageModelV4Usage = {
  inputTokens: { total: 1_000, noCache: 100, cacheRead: 900, cacheWrite: 0 },
  outputTokens: { total: 200, text: 200, reasoning: undefined },
};

/** A model that takes no time: `turns` turns with a tool call, then the end. It counts from the newest message of a person. */
export function payloadModel(turns: number): LanguageModelV4 {
  const next = ({ prompt }: LanguageModelV4CallOptions) => answer(turnsSince(prompt), turns);
  return {
    specificationVersion: "v4",
    provider: "bench",
    modelId: `payload-${turns}`,
    supportedUrls: {},
    async doGenerate(options) {
      const said = next(options);
      return { content: contentOf(said), finishReason: reasonOf(said), usage, warnings: [] };
    },
    async doStream(options) {
      return { stream: streamOf(partsOf(next(options))) };
    },
  };
}

function turnsSince(prompt: LanguageModelV4CallOptions["prompt"]): number {
  let turns = 0;
  for (let at = prompt.length - 1; at >= 0 && prompt[at]?.role !== "user"; at -= 1)
    turns += prompt[at]?.role === "assistant" ? 1 : 0;
  return turns;
}

function contentOf({ text, call }: Answer): LanguageModelV4Content[] {
  return [{ type: "text", text }, ...callOf(call)];
}

function partsOf(said: Answer): LanguageModelV4StreamPart[] {
  return [
    { type: "text-start", id: "t" },
    { type: "text-delta", id: "t", delta: said.text },
    { type: "text-end", id: "t" },
    ...callOf(said.call),
    { type: "finish", finishReason: reasonOf(said), usage },
  ];
}

function callOf(call: Answer["call"]) {
  if (!call) return [];
  return [{ type: "tool-call" as const, toolCallId: call.id, toolName: "work", input: `{"step":${call.step}}` }];
}

function reasonOf({ call }: Answer) {
  const unified = call ? ("tool-calls" as const) : ("stop" as const);
  return { unified, raw: unified };
}

function streamOf(parts: readonly LanguageModelV4StreamPart[]): ReadableStream<LanguageModelV4StreamPart> {
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
      controller.close();
    },
  });
}
