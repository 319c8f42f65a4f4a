/**
 * What a model says, as the parts of a stream with their times and tokens: whole, broken off, garbled or falling silent.
 */
import type { LanguageModelV4CallOptions, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import type { Saying } from "./mind.ts";
import type { Dice } from "./randoms.ts";
import type { World } from "./world.ts";

export interface TimedPart {
  readonly part: LanguageModelV4StreamPart;
  /** Tokens that it took to make. */
  readonly tokens: number;
  readonly afterMs: number;
}

export interface Timed {
  readonly parts: readonly TimedPart[];
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** What follows the last part. */
  readonly end: "close" | "cut" | "silence";
}

export function wordsOf(
  saying: Saying,
  { world, options }: { world: World; options: LanguageModelV4CallOptions },
): Timed {
  const { tokensPerByte } = world.scenario;
  const dice = world.dice("stream");
  const promptTokens = promptTokensOf(options, tokensPerByte);
  const whole = partsOf(saying, tokensPerByte, dice);
  const said = withinLimit(whole, options.maxOutputTokens ?? Number.POSITIVE_INFINITY);
  const garbled = world.strikes("garbage") ? garble(said, dice) : said;
  const outputTokens = garbled.reduce((sum, { tokens }) => sum + tokens, 0);
  const finish = finishOf(saying, { promptTokens, outputTokens, isCut: said.length < whole.length, dice });
  const isSilent = world.strikes("silence");
  const isCut = !isSilent && world.strikes("cut");
  const parts = [...garbled, finish];
  const kept = isSilent || isCut ? parts.slice(0, dice.int(0, parts.length - 1)) : parts;
  return { parts: kept, promptTokens, outputTokens, end: isSilent ? "silence" : isCut ? "cut" : "close" };
}

/** Of a text: a byte or more make a token. */
export function tokensOf(text: string, tokensPerByte: number): number {
  return Math.ceil(Buffer.byteLength(text) * tokensPerByte);
}

function promptTokensOf({ prompt, tools }: LanguageModelV4CallOptions, tokensPerByte: number): number {
  let text = "";
  for (const message of prompt) {
    if (message.role === "system") text += message.content;
    else {
      for (const part of message.content) {
        if ("text" in part) text += part.text;
        else if (part.type === "tool-call") text += JSON.stringify(part.input);
        else if (part.type === "tool-result" && "value" in part.output) text += String(part.output.value);
      }
    }
  }
  for (const tool of tools ?? []) text += JSON.stringify(tool);
  return tokensOf(text, tokensPerByte);
}

function partsOf({ texts, calls }: Saying, tokensPerByte: number, dice: Dice): TimedPart[] {
  const timed = (part: LanguageModelV4StreamPart, text = ""): TimedPart => {
    return { part, tokens: tokensOf(text, tokensPerByte), afterMs: dice.chance(0.5) ? 0 : dice.between(1, 120) };
  };
  const parts = [timed({ type: "stream-start", warnings: [] })];
  texts.forEach((text, index) => {
    const id = `text-${index}`;
    const middle = Math.ceil(text.length / 2);
    parts.push(timed({ type: "text-start", id }));
    for (const delta of [text.slice(0, middle), text.slice(middle)]) {
      parts.push(timed({ type: "text-delta", id, delta }, delta));
    }
    parts.push(timed({ type: "text-end", id }));
  });
  for (const { id, name, input } of calls) {
    const text = JSON.stringify(input);
    parts.push(timed({ type: "tool-input-start", id, toolName: name }));
    parts.push(timed({ type: "tool-input-delta", id, delta: text }, text));
    parts.push(timed({ type: "tool-input-end", id }));
    parts.push(timed({ type: "tool-call", toolCallId: id, toolName: name, input: text }));
  }
  return parts;
}

/** A provider stops at the tokens it was told. */
function withinLimit(parts: readonly TimedPart[], tokensMax: number): TimedPart[] {
  let left = tokensMax;
  const end = parts.findIndex(({ tokens }) => {
    left -= tokens;
    return left < 0;
  });
  return end < 0 ? [...parts] : parts.slice(0, end);
}

interface FinishOptions {
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly isCut: boolean;
  readonly dice: Dice;
}

function finishOf(saying: Saying, { promptTokens, outputTokens, isCut, dice }: FinishOptions): TimedPart {
  const unified = isCut ? "length" : saying.finish;
  const usage = {
    inputTokens: { total: promptTokens, noCache: promptTokens, cacheRead: 0, cacheWrite: 0 },
    outputTokens: { total: outputTokens, text: outputTokens, reasoning: 0 },
  };
  const part: LanguageModelV4StreamPart = { type: "finish", finishReason: { unified, raw: unified }, usage };
  return { part, tokens: 0, afterMs: dice.between(0, 20) };
}

/** An answer in which something is wrong. */
function garble(parts: readonly TimedPart[], dice: Dice): TimedPart[] {
  const at = dice.int(0, parts.length);
  const added = dice.pick<LanguageModelV4StreamPart>([
    { type: "tool-call", toolCallId: "bad", toolName: "work_rerun", input: "{not json" },
    { type: "tool-call", toolCallId: "bad", toolName: "work_rerun", input: "[1]" },
    { type: "tool-call", toolCallId: "bad", toolName: "", input: "{}" },
    { type: "error", error: { type: "overloaded_error", message: "overloaded" } },
    { type: "error", error: new Error("something broke") },
    { type: "text-delta", id: "never-started", delta: "" },
    { type: "response-metadata", modelId: "another-mind" },
  ]) as LanguageModelV4StreamPart;
  return [...parts.slice(0, at), { part: added, tokens: 0, afterMs: 1 }, ...parts.slice(at)];
}
