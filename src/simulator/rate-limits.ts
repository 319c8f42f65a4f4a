/**
 * Rate limits as the API has them: token buckets for each key, filled steadily up to one minute's worth, told in
 * headers and refused with 429 and `retry-after`. Tokens read from the cache are free; output counts when it is made, so
 * the output bucket may go below zero, and then holds up the next request.
 * https://platform.claude.com/docs/en/api/rate-limits
 */
import type { Clock } from "../base/clock.ts";
import { LIMITS } from "../base/limits.ts";
import { ApiError } from "./api-error.ts";

/** Limits a minute; absent: none, and no headers for it. */
export interface RateLimits {
  readonly requestsPerMinute?: number;
  readonly inputTokensPerMinute?: number;
  readonly outputTokensPerMinute?: number;
}

type Kind = "requests" | "input-tokens" | "output-tokens";

const MINUTE_MS = 60_000;

export class RateLimiter {
  readonly #clock: Clock;
  readonly #limits: readonly (readonly [Kind, number])[];
  readonly #keys = new Map<string, Map<Kind, Bucket>>();

  constructor(clock: Clock, limits: RateLimits) {
    this.#clock = clock;
    const all: [Kind, number | undefined][] = [
      ["requests", limits.requestsPerMinute],
      ["input-tokens", limits.inputTokensPerMinute],
      ["output-tokens", limits.outputTokensPerMinute],
    ];
    this.#limits = all.filter((each): each is [Kind, number] => each[1] !== undefined);
  }

  /** Takes one request and its input tokens from the key's buckets. @throws ApiError 429, and takes nothing then */
  admit(key: string, inputTokens: number): void {
    if (this.#limits.length === 0) return;
    const nowMs = this.#clock.now();
    const buckets = this.#bucketsOf(key, nowMs);
    const wants: Record<Kind, number> = { requests: 1, "input-tokens": inputTokens, "output-tokens": 1 };
    for (const [kind, bucket] of buckets) {
      const waitMs = bucket.waitMs(wants[kind], nowMs);
      if (waitMs <= 0) continue;
      const message = `This request would exceed your rate limit of ${bucket.limit} ${kind.replace("-", " ")} per minute.`;
      throw new ApiError("rate_limit_error", message, {
        ...this.headers(key),
        "retry-after": String(Math.ceil(waitMs / 1_000)),
      });
    }
    buckets.get("requests")?.take(1, nowMs);
    buckets.get("input-tokens")?.take(inputTokens, nowMs);
  }

  /** Takes output tokens, which are known when they have been made. */
  settle(key: string, outputTokens: number): void {
    if (this.#limits.length === 0) return;
    const nowMs = this.#clock.now();
    this.#bucketsOf(key, nowMs).get("output-tokens")?.take(outputTokens, nowMs);
  }

  /** What every response tells about the key's buckets. */
  headers(key: string): Record<string, string> {
    const out: Record<string, string> = {};
    if (this.#limits.length === 0) return out;
    const nowMs = this.#clock.now();
    for (const [kind, bucket] of this.#bucketsOf(key, nowMs)) {
      const prefix = `anthropic-ratelimit-${kind}`;
      out[`${prefix}-limit`] = String(bucket.limit);
      out[`${prefix}-remaining`] = String(Math.max(0, Math.floor(bucket.left(nowMs))));
      out[`${prefix}-reset`] = rfc3339(nowMs + bucket.waitMs(bucket.limit, nowMs));
    }
    return out;
  }

  #bucketsOf(key: string, nowMs: number): Map<Kind, Bucket> {
    const known = this.#keys.get(key);
    this.#keys.delete(key);
    const buckets = known ?? new Map(this.#limits.map(([kind, limit]) => [kind, new Bucket(limit, nowMs)]));
    this.#keys.set(key, buckets);
    if (this.#keys.size > LIMITS.simulatorKeysMax) {
      for (const oldest of this.#keys.keys()) {
        this.#keys.delete(oldest);
        break;
      }
    }
    return buckets;
  }
}

class Bucket {
  readonly limit: number;
  #left: number;
  #atMs: number;

  constructor(limit: number, nowMs: number) {
    this.limit = limit;
    this.#left = limit;
    this.#atMs = nowMs;
  }

  left(nowMs: number): number {
    const filled = (Math.max(0, nowMs - this.#atMs) * this.limit) / MINUTE_MS;
    return Math.min(this.limit, this.#left + filled);
  }

  take(amount: number, nowMs: number): void {
    this.#left = this.left(nowMs) - amount;
    this.#atMs = nowMs;
  }

  /** Milliseconds until `amount` is there; what is over the limit waits for a full bucket. */
  waitMs(amount: number, nowMs: number): number {
    const lacking = amount - this.left(nowMs);
    return lacking <= 0 ? 0 : (lacking * MINUTE_MS) / this.limit;
  }
}

/** Whole seconds, rounded up, as the API writes them. */
function rfc3339(ms: number): string {
  return new Date(Math.ceil(ms / 1_000) * 1_000).toISOString().replace(".000Z", "Z");
}
