/**
 * What a response's headers tell of the provider's rates: `anthropic-ratelimit-*`
 * (https://platform.claude.com/docs/en/api/rate-limits) and OpenAI's `x-ratelimit-*`
 * (https://platform.openai.com/docs/guides/rate-limits).
 *
 * The latter do not say what time a limit is for: small accounts have one of requests a day (as all have at Groq,
 * https://console.groq.com/docs/rate-limits). The time until it has flowed back tells: see `isOfADay`.
 */
import type { ProviderLimits, Rate, RateKind } from "../driver.ts";

export type Headers = Readonly<Record<string, string | undefined>>;

const NAMES: readonly (readonly [RateKind, limit: string, remaining: string, reset?: string])[] = [
  ["requests", "anthropic-ratelimit-requests-limit", "anthropic-ratelimit-requests-remaining"],
  ["inputTokens", "anthropic-ratelimit-input-tokens-limit", "anthropic-ratelimit-input-tokens-remaining"],
  ["outputTokens", "anthropic-ratelimit-output-tokens-limit", "anthropic-ratelimit-output-tokens-remaining"],
  ["requests", "x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"],
  ["tokens", "x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"],
];

/** The rates that the headers name; undefined when they name none. */
export function limitsIn(headers: Headers | undefined): ProviderLimits | undefined {
  if (!headers) return undefined;
  const limits: Partial<Record<RateKind, Rate>> = {};
  let isTold = false;
  for (const [kind, limitName, remainingName, resetName] of NAMES) {
    const limit = countIn(headers[limitName]);
    const remaining = countIn(headers[remainingName]);
    if (!limit || remaining === undefined) continue;
    const isDaily = resetName !== undefined && isOfADay(limit, limit - remaining, durationIn(headers[resetName]));
    limits[kind] = { limit, remaining, ...(isDaily && { perMs: DAY_MS }) };
    isTold = true;
  }
  return isTold ? limits : undefined;
}

function countIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Of what is told of a time, by which it may be off. */
const TOLERANCE = 0.1;

/**
 * Nothing of a minute's takes longer than a minute to come back. What comes back sooner is a day's when it comes at the rate of
 * one: the first of 10,000 in 8.64 s.
 */
function isOfADay(limit: number, used: number, resetMs: number | undefined): boolean {
  if (resetMs === undefined || used <= 0) return false;
  if (resetMs > MINUTE_MS * (1 + TOLERANCE)) return true;
  const dueMs = (used * DAY_MS) / limit;
  return Math.abs(resetMs - dueMs) <= dueMs * TOLERANCE;
}

/** Such as `1h2m3.5s`, `8.64s` and `20ms`. */
function durationIn(text: string | undefined): number | undefined {
  const [, days, hours, minutes, seconds, ms] =
    /^(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9}(?:\.\d{1,9})?)s)?(?:(\d{1,9}(?:\.\d{1,9})?)ms)?$/.exec(
      text ?? "",
    ) ?? [];
  const parts = [days, hours, minutes, seconds, ms];
  if (parts.every((part) => part === undefined)) return undefined;
  return parts.reduce((sum, part, at) => sum + Number(part ?? 0) * (UNITS_MS[at] ?? 0), 0);
}

const UNITS_MS = [DAY_MS, 3_600_000, MINUTE_MS, 1_000, 1];
