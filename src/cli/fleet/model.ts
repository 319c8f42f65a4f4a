/** The mind of a fleet as a model of the AI SDK's provider interface, which takes its time. */
import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4Prompt,
  LanguageModelV4StreamPart,
} from "@ai-sdk/provider";
import { type Clock, sleep } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import { type Answer, answer, type Character, type Heard } from "./mind.ts";
import { unitOf } from "./plan.ts";

export interface FleetModelOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly character: Character;
  /** Mean time of an answer that nobody waits for, in milliseconds. */
  readonly answerMs: number;
}

/** Pieces in which an answer comes. */
const PIECES = 3;

export function fleetModel({ clock, random, character, answerMs }: FleetModelOptions): LanguageModelV4 {
  return {
    specificationVersion: "v4",
    provider: "simulated",
    modelId: "claude-sonnet-4-5",
    supportedUrls: {},
    doGenerate: () => Promise.reject(new Error("a fleet's model streams")),
    async doStream({ prompt, abortSignal }: LanguageModelV4CallOptions) {
      const said = answer(heardIn(prompt), character);
      const tookMs = said?.atOnce ? 0 : answerMs * (0.5 + random.next());
      const wait = () => sleep(clock, tookMs / PIECES, abortSignal);
      if (tookMs > 0) await wait();
      if (!said) throw Object.assign(new Error("the sources contradict each other"), { statusCode: 400 });
      return { stream: streamOf(partsOf(said, prompt), tookMs > 0 ? wait : undefined) };
    },
  };
}

/** What the conversation says, read as the model is shown it. */
function heardIn(prompt: LanguageModelV4Prompt): Heard {
  const first = prompt.find(({ role }) => role === "user");
  const unit = unitOf(textsIn(first)[0] ?? "") ?? { agents: 1, levels: 1, seed: 0 };
  const lastSaid = prompt.findLastIndex(({ role }) => role === "assistant");
  const news = prompt.slice(lastSaid + 1).filter((message) => message.role === "user" && message !== first);
  const texts = news.flatMap(textsIn);
  return {
    unit,
    turns: prompt.filter(({ role }) => role === "assistant").length,
    ended: texts.flatMap((text) => /^\[agent (\S+) (?:completed|failed|cancelled)/.exec(text)?.[1] ?? []),
    spokenTo: texts.some((text) => !/^\[(agent \S+|runtime)/.test(text) && !text.startsWith("(")),
  };
}

function textsIn(message: LanguageModelV4Prompt[number] | undefined): string[] {
  if (message?.role !== "user") return [];
  return message.content.flatMap((part) => (part.type === "text" ? [part.text] : []));
}

function partsOf({ text, calls }: Answer, prompt: LanguageModelV4Prompt): LanguageModelV4StreamPart[] {
  const length = Math.ceil(text.length / PIECES);
  const pieces = Array.from({ length: PIECES }, (_, index) => text.slice(index * length, (index + 1) * length));
  const unified = calls.length > 0 ? ("tool-calls" as const) : ("stop" as const);
  // A prompt grows by what was said before: all but the end of it is in the provider's cache.
  const [cacheRead, noCache] = [700 + 180 * prompt.length, 180];
  const output = Math.ceil(text.length / 4) + 60 * calls.length;
  return [
    { type: "text-start", id: "t" },
    ...pieces.map((delta) => ({ type: "text-delta" as const, id: "t", delta })),
    { type: "text-end", id: "t" },
    ...calls.map(({ name, input }, index) => ({
      type: "tool-call" as const,
      toolCallId: `call-${prompt.length}-${index}`,
      toolName: name,
      input: JSON.stringify(input),
    })),
    {
      type: "finish",
      finishReason: { unified, raw: unified },
      usage: {
        inputTokens: { total: cacheRead + noCache, noCache, cacheRead, cacheWrite: 0 },
        outputTokens: { total: output, text: output, reasoning: undefined },
      },
    },
  ];
}

function streamOf(
  parts: readonly LanguageModelV4StreamPart[],
  wait: (() => Promise<void>) | undefined,
): ReadableStream<LanguageModelV4StreamPart> {
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      const part = parts[at];
      at += 1;
      if (!part) return controller.close();
      // The first piece was waited for before the stream began.
      if (wait && part.type === "text-delta" && at > 2) await wait().catch((error) => controller.error(error));
      controller.enqueue(part);
    },
  });
}
