/**
 * How many calls may be made again: a share of those made for the first time, a few a second whatever happens, and those that an answer to
 * one of them allows. So a provider that fails is not sent all its failures again, and one that is well again soon is.
 * After Finagle's RetryBudget and https://sre.google/sre-book/handling-overload/.
 *
 * Y1  Repetitions that fail are, over any time, at most LIMITS.retriesSavedMax, LIMITS.retriesPerSecondMax a second, and LIMITS.retryPercentMax %
 *     of the calls that were answered at their first attempt.
 */
import { LIMITS } from "../../base/limits.ts";

export class RetryBudget {
  #left: number = LIMITS.retriesSavedMax;
  #atMs: number;

  constructor(nowMs: number) {
    this.#atMs = nowMs;
  }

  left(nowMs: number): number {
    const gained = ((nowMs - this.#atMs) * LIMITS.retriesPerSecondMax) / 1_000;
    this.#left = Math.min(LIMITS.retriesSavedMax, this.#left + gained);
    this.#atMs = nowMs;
    return this.#left;
  }

  /** Takes one, if there is one. */
  spend(nowMs: number): boolean {
    if (this.left(nowMs) < 1 - ROUNDING) return false;
    this.#left -= 1;
    return true;
  }

  /** A repetition was answered, or not made: another may be. */
  giveBack(): void {
    this.#left += 1;
  }

  /** A call was answered at its first attempt. */
  earn(): void {
    this.#left += LIMITS.retryPercentMax / 100;
  }

  /** Until there is one. */
  waitMs(nowMs: number): number {
    return Math.max(0, Math.ceil(((1 - ROUNDING - this.left(nowMs)) * 1_000) / LIMITS.retriesPerSecondMax));
  }
}

/** What sums of fractions may lack. */
const ROUNDING = 1e-6;
