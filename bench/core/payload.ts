/**
 * The payload of W1, in-process: each turn the model says 800 characters and calls one tool, whose result is 1,500
 * characters; after the last turn it says `done`. The same for every peer that is measured beside us.
 */
import type { LanguageModelV4, LanguageModelV4StreamPart, LanguageModelV4Usage } from "@ai-sdk/provider";
import { z } from "zod";
import { defineTool } from "../../src/index.ts";

export const MESSAGE_CHARACTERS = 800;
export const RESULT_CHARACTERS = 1_500;

const usage: LanguageModelV4Usage = {
  inputTokens: { total: 1_000, noCache: 100, cacheRead: 900, cacheWrite: 0 },
  outputTokens: { total: 200, text: 200, reasoning: undefined },
};

const filler = Array.from({ length: RESULT_CHARACTERS / 2 }, (_, at) =>
  (Math.imul(at + 1, 48_271) >>> 0).toString(36),
).join(" ");

/**
 * Text that differs from turn to turn, so that nothing is deduplicated by chance; made at next to no cost. A string of its own: a
 * slice would keep the whole filler alive.
 */
export function textOf(seed: number, characters: number): string {
  return Buffer.from(`${seed} ${filler}`.slice(0, characters), "latin1").toString("latin1");
}

let served = 0;

/** A model that takes no time: `turns` turns with a tool call, then the end. */
export function payloadModel(turns: number): LanguageModelV4 {
  return {
    specificationVersion: "v4",
    provider: "bench",
    modelId: `payload-${turns}`,
    supportedUrls: {},
    doGenerate: () => Promise.reject(new Error("the bench streams")),
    async doStream({ prompt }) {
      let said = 0;
      for (let at = prompt.length - 1; at >= 0 && prompt[at]?.role !== "user"; at -= 1)
        said += prompt[at]?.role === "assistant" ? 1 : 0;
      return { stream: streamOf(partsOf(said < turns)) };
    },
  };
}

function partsOf(more: boolean): LanguageModelV4StreamPart[] {
  served += 1;
  const text = more ? textOf(served, MESSAGE_CHARACTERS) : "done";
  const unified = more ? "tool-calls" : "stop";
  return [
    { type: "text-start", id: "t" },
    { type: "text-delta", id: "t", delta: text },
    { type: "text-end", id: "t" },
    ...(more
      ? [{ type: "tool-call" as const, toolCallId: `call-${served}`, toolName: "work", input: `{"step":${served}}` }]
      : []),
    { type: "finish", finishReason: { unified, raw: unified }, usage },
  ];
}

function streamOf(parts: readonly LanguageModelV4StreamPart[]): ReadableStream<LanguageModelV4StreamPart> {
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
      controller.close();
    },
  });
}

/** The tool of W1. */
export const work = defineTool({
  name: "work",
  description: "Does a step.",
  input: z.strictObject({ step: z.int() }),
  onUnknownOutcome: "rerun",
  run: async ({ step }) => textOf(step, RESULT_CHARACTERS),
});
