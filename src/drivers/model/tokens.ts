/**
 * What a call used: the provider's figures, or an upper bound where it gave none (N2 of the coordinator, R4).
 */
import type { Usage } from "../../agent/usage.ts";
import type { Answer } from "./answer.ts";
import type { ProviderUsage } from "./provider-model.ts";

export interface Spent {
  readonly usage: Usage;
  /** Set when a part of it is an upper bound. */
  readonly estimated?: true;
}

export interface CallBound {
  readonly promptTokensMax: number;
  readonly outputTokensMax: number;
}

/** What a provider may have made after the last of it that arrived: half a second at a speed that none reaches. */
const UNDER_WAY_TOKENS = 512;

/** Of a call that the provider finished, or whose figures it gave before it broke off. */
export function spentOf(usage: ProviderUsage | undefined, answer: Answer, bound: CallBound): Spent {
  const prompt = promptOf(usage?.inputTokens) ?? promptOf(answer.promptUsage);
  const output = count(usage?.outputTokens.total) ?? sum(usage?.outputTokens.text, usage?.outputTokens.reasoning);
  return {
    usage: {
      ...(prompt ?? { input: bound.promptTokensMax, cacheRead: 0, cacheWrite: 0 }),
      output: output ?? outputTokensMax(answer, bound),
    },
    ...((prompt === undefined || output === undefined) && { estimated: true }),
  };
}

/** Of a call that ended before the provider said what it used. */
export function spentAtMost(answer: Answer, bound: CallBound): Spent {
  return spentOf(undefined, answer, bound);
}

type PromptUsage = Pick<Usage, "input" | "cacheRead" | "cacheWrite">;

function promptOf(tokens: ProviderUsage["inputTokens"] | undefined): PromptUsage | undefined {
  if (!tokens) return undefined;
  const cacheRead = count(tokens.cacheRead) ?? 0;
  const cacheWrite = count(tokens.cacheWrite) ?? 0;
  const total = count(tokens.total);
  const input =
    count(tokens.noCache) ?? (total === undefined ? undefined : Math.max(0, total - cacheRead - cacheWrite));
  return input === undefined ? undefined : { input, cacheRead, cacheWrite };
}

/** A token has a byte at least. A model that shows nothing yet may have used up everything on thinking. */
function outputTokensMax(answer: Answer, bound: CallBound): number {
  if (answer.isHidden) return bound.outputTokensMax;
  const bytes = answer.blocks.reduce(
    (total, block) => total + Buffer.byteLength(block.kind === "call" ? block.input : block.text),
    0,
  );
  return Math.min(bound.outputTokensMax, bytes + answer.inputBytes + UNDER_WAY_TOKENS);
}

function sum(a: number | undefined, b: number | undefined): number | undefined {
  return count(a) === undefined && count(b) === undefined ? undefined : (count(a) ?? 0) + (count(b) ?? 0);
}

/** A whole number of tokens, or undefined for what is none. */
function count(tokens: number | undefined): number | undefined {
  return tokens !== undefined && Number.isFinite(tokens) && tokens >= 0 ? Math.round(tokens) : undefined;
}
