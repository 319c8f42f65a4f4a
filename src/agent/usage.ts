/** Tokens by class, as providers bill them, and what they cost. */
import { z } from "zod";

const tokens = z.int().nonnegative();

/** `input` excludes what was read from or written to the prompt cache. */
export const usage = z.strictObject({ input: tokens, output: tokens, cacheRead: tokens, cacheWrite: tokens });
export type Usage = z.infer<typeof usage>;

export const NO_USAGE: Usage = Object.freeze({ input: 0, output: 0, cacheRead: 0, cacheWrite: 0 });

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    input: a.input + b.input,
    output: a.output + b.output,
    cacheRead: a.cacheRead + b.cacheRead,
    cacheWrite: a.cacheWrite + b.cacheWrite,
  };
}

/** Tokens of the prompt, whatever the class. */
export function promptTokens(of: Usage): number {
  return of.input + of.cacheRead + of.cacheWrite;
}

const rates = {
  input: z.number().nonnegative(),
  output: z.number().nonnegative(),
  cacheRead: z.number().nonnegative(),
  cacheWrite: z.number().nonnegative(),
};

/** US dollars for a million tokens of each class; `long` instead when the prompt is over so many tokens. */
export const price = z.strictObject({
  ...rates,
  long: z.strictObject({ ...rates, promptTokensOver: z.int().positive() }).optional(),
});
export type Price = z.infer<typeof price>;

/** What one call with this usage costs, in US dollars. */
export function costUsd(of: Usage, at: Price): number {
  const tier = at.long && promptTokens(of) > at.long.promptTokensOver ? at.long : at;
  const millionths =
    of.input * tier.input + of.output * tier.output + of.cacheRead * tier.cacheRead + of.cacheWrite * tier.cacheWrite;
  return millionths / 1_000_000;
}

/**
 * The most that a call can cost: its whole prompt at the dearest input class, and every output token it may make.
 * `promptTokensMax` and `outputTokensMax` must be upper bounds; then so is this.
 */
export function worstCaseUsd(promptTokensMax: number, outputTokensMax: number, at: Price): number {
  const tier = at.long && promptTokensMax > at.long.promptTokensOver ? at.long : at;
  const worst = (tokens: typeof tier) =>
    promptTokensMax * Math.max(tokens.input, tokens.cacheRead, tokens.cacheWrite) + outputTokensMax * tokens.output;
  return Math.max(worst(at), worst(tier)) / 1_000_000;
}
