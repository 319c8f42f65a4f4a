/** A model that says what a record says. Which act is next is the caller's to tell: it follows from the agent's state. */
import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4StreamPart,
  LanguageModelV4Usage,
} from "@ai-sdk/provider";
import { BanyanError } from "../base/errors.ts";
import type { RecordedUsage } from "./format.ts";
import { UNRECORDED } from "./messages-of.ts";
import type { Act } from "./script.ts";

/** The header by which a call names its run. */
export const RUN_HEADER = "x-banyan-run";

/** Resolves to the act that the run's model is to say now; undefined when the record has no more. */
export type NextAct = (run: string) => Promise<Act | undefined>;

export function replayModel(modelId: string, nextAct: NextAct): LanguageModelV4 {
  return {
    specificationVersion: "v4",
    provider: "replay",
    modelId,
    supportedUrls: {},
    doGenerate: () => Promise.reject(new BanyanError("INTERNAL", "replayed models stream")),
    async doStream(options) {
      const act = await nextAct(runOf(options));
      return { stream: ReadableStream.from(partsOf(act)) };
    },
  };
}

function runOf({ headers }: LanguageModelV4CallOptions): string {
  const run = headers?.[RUN_HEADER];
  if (run === undefined) throw new BanyanError("INTERNAL", `a replayed call has the header ${RUN_HEADER}`);
  return run;
}

function partsOf(act: Act | undefined): LanguageModelV4StreamPart[] {
  const { text, reasoning, calls, meta } = act?.said ?? { text: "", reasoning: "", calls: [], meta: UNRECORDED };
  const unified = calls.length > 0 ? "tool-calls" : "stop";
  return [
    { type: "stream-start", warnings: [] },
    ...block("reasoning", reasoning),
    ...block("text", text),
    ...calls.map(({ id, name, input }) => {
      return { type: "tool-call" as const, toolCallId: id, toolName: name, input: JSON.stringify(input) };
    }),
    {
      type: "finish",
      finishReason: { unified, raw: act?.goesOn ? "pause_turn" : unified },
      usage: usageOf(act?.usage),
      providerMetadata: { banyan: { meta } },
    },
  ];
}

function block(kind: "text" | "reasoning", text: string): LanguageModelV4StreamPart[] {
  if (text === "") return [];
  return [
    { type: `${kind}-start`, id: kind },
    { type: `${kind}-delta`, id: kind, delta: text },
    { type: `${kind}-end`, id: kind },
  ];
}

function usageOf(usage: RecordedUsage | undefined): LanguageModelV4Usage {
  const { in: noCache = 0, out = 0, cache_read: cacheRead = 0, cache_write: cacheWrite = 0 } = usage ?? {};
  return {
    inputTokens: { total: noCache + cacheRead + cacheWrite, noCache, cacheRead, cacheWrite },
    outputTokens: { total: out, text: undefined, reasoning: undefined },
  };
}
