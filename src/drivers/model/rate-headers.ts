/**
 * What a response's headers tell of the provider's rates: `anthropic-ratelimit-*`
 * (https://platform.claude.com/docs/en/api/rate-limits) and OpenAI's `x-ratelimit-*`
 * (https://platform.openai.com/docs/guides/rate-limits), of which both are taken as rates a minute.
 */
import type { ProviderLimits, RateKind } from "../driver.ts";

export type Headers = Readonly<Record<string, string | undefined>>;

const NAMES: readonly (readonly [RateKind, limit: string, remaining: string])[] = [
  ["requests", "anthropic-ratelimit-requests-limit", "anthropic-ratelimit-requests-remaining"],
  ["inputTokens", "anthropic-ratelimit-input-tokens-limit", "anthropic-ratelimit-input-tokens-remaining"],
  ["outputTokens", "anthropic-ratelimit-output-tokens-limit", "anthropic-ratelimit-output-tokens-remaining"],
  ["requests", "x-ratelimit-limit-requests", "x-ratelimit-remaining-requests"],
  ["tokens", "x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens"],
];

/** The rates that the headers name; undefined when they name none. */
export function limitsIn(headers: Headers | undefined): ProviderLimits | undefined {
  if (!headers) return undefined;
  const limits: Partial<Record<RateKind, { limit: number; remaining: number }>> = {};
  let isTold = false;
  for (const [kind, limitName, remainingName] of NAMES) {
    const limit = countIn(headers[limitName]);
    const remaining = countIn(headers[remainingName]);
    if (!limit || remaining === undefined) continue;
    limits[kind] = { limit, remaining };
    isTold = true;
  }
  return isTold ? limits : undefined;
}

function countIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
