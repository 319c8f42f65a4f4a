/**
 * A model in this process that says what a test told it to say: `scriptedModel([...])`. It keeps what it was asked, as it was
 * at the time.
 */
import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4StreamPart } from "@ai-sdk/provider";

export interface Answering {
  readonly text?: string;
  /** With a signature, as Anthropic's. */
  readonly reasoning?: string;
  readonly calls?: readonly { readonly id: string; readonly name: string; readonly input: unknown }[];
  /** Those of the calls and texts, when it does not say. */
  readonly finish?: Extract<LanguageModelV4StreamPart, { type: "finish" }>["finishReason"];
  /** Tokens: 10 in, 5 out, when it does not say. */
  readonly usage?: Extract<LanguageModelV4StreamPart, { type: "finish" }>["usage"];
}

/** A text, an answer, the very parts of a stream, a stream of the test's own, or an error instead of a stream. */
export type Reply =
  | string
  | Answering
  | readonly LanguageModelV4StreamPart[]
  | ReadableStream<LanguageModelV4StreamPart>
  | Error;
export type Asked = Omit<LanguageModelV4CallOptions, "abortSignal">;

export interface ScriptedModel extends LanguageModelV4 {
  /** What it was asked, in order. */
  readonly asked: Asked[];
  /** The signal of the newest call. */
  signal: AbortSignal | undefined;
}

/** A list that is used up fails the call for good, so that a test cannot miss it. */
export function scriptedModel(
  script: readonly Reply[] | ((asked: Asked, index: number) => Reply | Promise<Reply>),
  { provider = "test", modelId = "scripted" } = {},
): ScriptedModel {
  const replyTo = typeof script === "function" ? script : (_asked: Asked, index: number) => script[index];
  return {
    specificationVersion: "v4",
    provider,
    modelId,
    supportedUrls: {},
    asked: [],
    signal: undefined,
    doGenerate: () => Promise.reject(new Error("only streams are scripted")),
    async doStream({ abortSignal, ...options }) {
      const asked = structuredClone(options);
      const index = this.asked.push(asked) - 1;
      this.signal = abortSignal;
      const reply = await replyTo(asked, index);
      if (reply === undefined) throw new Error(`the script has only ${index} replies`);
      if (reply instanceof Error) throw reply;
      return { stream: reply instanceof ReadableStream ? reply : streamOf(partsOf(reply)) };
    },
  };
}

function streamOf(parts: readonly LanguageModelV4StreamPart[]): ReadableStream<LanguageModelV4StreamPart> {
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
      controller.close();
    },
  });
}

/** A stream that a test feeds by hand. `cancelled` resolves when its reader lets it go. */
export function handFed(): {
  stream: ReadableStream<LanguageModelV4StreamPart>;
  feed(...parts: LanguageModelV4StreamPart[]): void;
  close(): void;
  fail(error: unknown): void;
  cancelled: Promise<void>;
} {
  const { promise: cancelled, resolve } = Promise.withResolvers<void>();
  let feeder: ReadableStreamDefaultController<LanguageModelV4StreamPart> | undefined;
  const stream = new ReadableStream<LanguageModelV4StreamPart>({
    start: (controller) => {
      feeder = controller;
    },
    cancel: () => resolve(),
  });
  return {
    stream,
    feed: (...parts) => {
      for (const part of parts) feeder?.enqueue(part);
    },
    close: () => feeder?.close(),
    fail: (error) => feeder?.error(error),
    cancelled,
  };
}

/** The stream of an answer; `deltas` of a text are its words. */
export function partsOf(
  reply: string | Answering | readonly LanguageModelV4StreamPart[],
): readonly LanguageModelV4StreamPart[] {
  if (Array.isArray(reply)) return reply;
  const answer = (typeof reply === "string" ? { text: reply } : reply) as Answering;
  const parts: LanguageModelV4StreamPart[] = [{ type: "stream-start", warnings: [] }];
  if (answer.reasoning !== undefined) {
    const id = "reasoning";
    const signature = { anthropic: { signature: `signed ${answer.reasoning.length}` } };
    parts.push({ type: "reasoning-start", id }, { type: "reasoning-delta", id, delta: answer.reasoning });
    parts.push({ type: "reasoning-delta", id, delta: "", providerMetadata: signature }, { type: "reasoning-end", id });
  }
  if (answer.text !== undefined) {
    const id = "text";
    parts.push({ type: "text-start", id });
    for (const delta of answer.text.split(/(?<= )/)) parts.push({ type: "text-delta", id, delta });
    parts.push({ type: "text-end", id });
  }
  for (const { id, name, input } of answer.calls ?? []) {
    const text = typeof input === "string" ? input : JSON.stringify(input);
    parts.push({ type: "tool-input-start", id, toolName: name }, { type: "tool-input-delta", id, delta: text });
    parts.push({ type: "tool-input-end", id }, { type: "tool-call", toolCallId: id, toolName: name, input: text });
  }
  const unified = answer.calls?.length ? "tool-calls" : "stop";
  const finishReason = answer.finish ?? { unified, raw: undefined };
  return [...parts, { type: "finish", finishReason, usage: answer.usage ?? usageOf(10, 5) }];
}

export function usageOf(input: number, output: number, cacheRead = 0, cacheWrite = 0) {
  return {
    inputTokens: { total: input + cacheRead + cacheWrite, noCache: input, cacheRead, cacheWrite },
    outputTokens: { total: output, text: undefined, reasoning: undefined },
  };
}
