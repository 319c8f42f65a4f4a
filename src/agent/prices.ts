/**
 * List prices, US dollars a million tokens, of the models we checked: Anthropic's, as its price page listed them by
 * 2026-10-24 (https://platform.claude.com/docs/en/about-claude/pricing, "Model pricing", 5-minute cache writes). A price
 * given with an agent overrides this table; a model of another provider needs one to be budgeted.
 */
import type { Price } from "./usage.ts";

export const PRICES_DATE = "2026-10-24";

/** Cache writes cost 1.25 times the input, cache reads a share of it that differs by model. */
const anthropic = (input: number, output: number, readShare = 0.1): Price => ({
  input,
  output,
  cacheRead: input * readShare,
  cacheWrite: input * 1.25,
});

const PRICES: Readonly<Record<string, Price>> = {
  "claude-fable-5-1": anthropic(10, 50, 0.025),
  "claude-fable-5": anthropic(10, 50),
  "claude-opus-5-5": anthropic(4, 20, 0.05),
  "claude-opus-5": anthropic(5, 25),
  "claude-opus-4-8": anthropic(5, 25),
  "claude-opus-4-7": anthropic(5, 25),
  "claude-opus-4-6": anthropic(5, 25),
  "claude-opus-4-5": anthropic(5, 25),
  "claude-opus-4": anthropic(15, 75),
  "claude-sonnet-5-5": anthropic(2, 10, 0.05),
  "claude-sonnet-5": anthropic(2, 10),
  "claude-sonnet-4": anthropic(3, 15),
  "claude-haiku-5-5": { ...anthropic(0.1, 0.5), long: { ...anthropic(0.5, 2.5), promptTokensOver: 100_000 } },
  "claude-haiku-4-5": anthropic(1, 5),
  "claude-3-5-haiku": anthropic(0.8, 4),
};

/** Longest first, so that a dated or variant name finds its own family before an older one. */
const prefixes = Object.keys(PRICES).sort((a, b) => b.length - a.length);

/** The list price of a model by its name, such as `claude-sonnet-4-5-20250929`; undefined when it is not known. */
export function listPrice(model: string): Price | undefined {
  const prefix = prefixes.find((each) => model === each || model.startsWith(`${each}-`));
  return prefix === undefined ? undefined : PRICES[prefix];
}
