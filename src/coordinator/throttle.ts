/**
 * A rate limit that puts off instead of refusing: the generic cell rate algorithm (ITU-T I.371), one line of time for
 * each key. Callers of one key go in the order they came.
 */
import { type Clock, sleep } from "../base/clock.ts";

export class Throttle {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #burstMs: number;
  /** For each key: the theoretical arrival time of its next request, in monotonic milliseconds. */
  readonly #arrival = new Map<string, number>();

  constructor(clock: Clock, { perMinute, burst }: { perMinute: number; burst: number }) {
    this.#clock = clock;
    this.#intervalMs = 60_000 / perMinute;
    this.#burstMs = this.#intervalMs * (burst - 1);
  }

  /** Resolves when the key's next request conforms. */
  async pass(key: string, signal?: AbortSignal): Promise<void> {
    const nowMs = this.#clock.monotonic();
    const arrivalMs = Math.max(this.#arrival.get(key) ?? 0, nowMs);
    this.#forgetPast(nowMs);
    this.#arrival.set(key, arrivalMs + this.#intervalMs);
    const waitMs = arrivalMs - this.#burstMs - nowMs;
    if (waitMs > 0) await sleep(this.#clock, waitMs, signal);
  }

  #forgetPast(nowMs: number): void {
    if (this.#arrival.size < 1_000) return;
    for (const [key, arrivalMs] of this.#arrival) if (arrivalMs <= nowMs) this.#arrival.delete(key);
  }
}
