/**
 * What is left of one of a provider's rates: a continuous token bucket, which is the generic cell rate algorithm (ITU-T I.371)
 * counted in tokens instead of in time.
 *
 * B1  It never believes that more is left than the provider said, but for what has flowed back since.
 */
import type { Rate } from "../../drivers/driver.ts";

const MINUTE_MS = 60_000;

export class Bucket {
  #limit: number;
  #perMs: number;
  #left: number;
  #atMs: number;

  constructor({ limit, remaining, perMs = MINUTE_MS }: Rate, nowMs: number) {
    this.#limit = limit;
    this.#perMs = perMs;
    this.#left = Math.min(limit, remaining);
    this.#atMs = nowMs;
  }

  get limit(): number {
    return this.#limit;
  }

  /** Milliseconds in which the limit flows back. */
  get perMs(): number {
    return this.#perMs;
  }

  left(nowMs: number): number {
    this.#refill(nowMs);
    return this.#left;
  }

  /** B1. */
  correct({ limit, remaining, perMs = MINUTE_MS }: Rate, nowMs: number): void {
    this.#refill(nowMs);
    this.#limit = limit;
    this.#perMs = perMs;
    this.#left = Math.min(this.#left, remaining, limit);
  }

  /** Takes; gives back when `amount` is below zero. What is left may go below zero: the debt is waited out. */
  take(amount: number, nowMs: number): void {
    this.#refill(nowMs);
    this.#left = Math.min(this.#limit, this.#left - amount);
  }

  /** Until `amount` is left; of more than the limit, until the bucket is full. */
  waitMs(amount: number, nowMs: number): number {
    this.#refill(nowMs);
    const lacking = Math.min(amount, this.#limit) - this.#left;
    return lacking <= 0 ? 0 : Math.ceil((lacking * this.#perMs) / this.#limit);
  }

  #refill(nowMs: number): void {
    this.#left = Math.min(this.#limit, this.#left + ((nowMs - this.#atMs) * this.#limit) / this.#perMs);
    this.#atMs = nowMs;
  }
}
