/**
 * What a simulated provider allows: so many requests a minute, as a bucket that fills all the time. It tells so with each of its answers,
 * in the headers in which Anthropic does (https://platform.claude.com/docs/en/api/rate-limits).
 */
import type { World } from "./world.ts";

export class Allowance {
  readonly #world: World;
  /** Requests a minute; undefined where any number is allowed. */
  readonly #limit: number | undefined;
  #left: number;
  #atMs = 0;

  constructor(world: World) {
    this.#world = world;
    this.#limit = world.scenario.requestsPerMinute;
    this.#left = this.#limit ?? 0;
  }

  /** Takes a request; false when none is left. */
  take(): boolean {
    if (this.#limit === undefined) return true;
    if (this.#refill(this.#limit) < 1 - ROUNDING) return false;
    this.#left -= 1;
    return true;
  }

  /** Empty where there is no limit. */
  get headers(): Record<string, string> {
    if (this.#limit === undefined) return {};
    return {
      "anthropic-ratelimit-requests-limit": `${this.#limit}`,
      "anthropic-ratelimit-requests-remaining": `${Math.floor(this.#refill(this.#limit))}`,
    };
  }

  #refill(limit: number): number {
    const nowMs = this.#world.clock.monotonic();
    this.#left = Math.min(limit, this.#left + ((nowMs - this.#atMs) * limit) / 60_000);
    this.#atMs = nowMs;
    return this.#left;
  }
}

/** What sums of fractions may lack. */
const ROUNDING = 1e-6;
