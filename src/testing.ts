/**
 * For tests of programs that use Banyan: a model that says what it is told to say, and a Banyan in a folder that goes away. What
 * runs is the real runtime on a real disk; only the model is not real.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LanguageModelV4, LanguageModelV4Prompt, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { Banyan, type BanyanOptions } from "./runtime/banyan.ts";

/** A text, or calls of tools. */
export type ScriptedReply = string | { readonly calls: readonly ScriptedCall[] };

export interface ScriptedCall {
  readonly tool: string;
  readonly input: object;
}

/**
 * A model that answers by `script`: what an agent says at its turn `turn` (0 for the first) to the prompt it was sent. It takes no time
 * and bills 100 tokens in and 10 out.
 */
export function scriptedModel(
  script: (turn: number, prompt: LanguageModelV4Prompt) => ScriptedReply,
  { provider = "scripted", modelId = "model" }: { provider?: string; modelId?: string } = {},
): LanguageModelV4 {
  return {
    specificationVersion: "v4",
    provider,
    modelId,
    supportedUrls: {},
    doGenerate: () => Promise.reject(new Error("scripted models stream")),
    async doStream({ prompt }) {
      const turn = prompt.filter(({ role }) => role === "assistant").length;
      return { stream: ReadableStream.from(partsOf(script(turn, prompt), turn)) };
    },
  };
}

/** A Banyan in a folder of its own; closing it removes the folder. */
export async function openTemporary(options?: BanyanOptions): Promise<{ banyan: Banyan } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), "banyan-test-"));
  const banyan = await Banyan.open(folder, options);
  return {
    banyan,
    async [Symbol.asyncDispose]() {
      await banyan.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function partsOf(reply: ScriptedReply, turn: number): LanguageModelV4StreamPart[] {
  const isText = typeof reply === "string";
  const unified = isText ? "stop" : "tool-calls";
  return [
    { type: "stream-start", warnings: [] },
    ...(isText ? textParts(reply) : reply.calls.map((call, place) => callPart(call, `call-${turn}-${place}`))),
    {
      type: "finish",
      finishReason: { unified, raw: unified },
      usage: {
        inputTokens: { total: 100, noCache: 100, cacheRead: 0, cacheWrite: 0 },
        outputTokens: { total: 10, text: 10, reasoning: undefined },
      },
    },
  ];
}

function textParts(delta: string): LanguageModelV4StreamPart[] {
  return [
    { type: "text-start", id: "text" },
    { type: "text-delta", id: "text", delta },
    { type: "text-end", id: "text" },
  ];
}

function callPart({ tool, input }: ScriptedCall, toolCallId: string): LanguageModelV4StreamPart {
  return { type: "tool-call", toolCallId, toolName: tool, input: JSON.stringify(input) };
}
