/** The generic cell rate algorithm (ITU-T I.371): one line of time for each key, a minute's worth of which may go at once. */
export class Gcra {
  readonly perMinute: number;
  readonly #intervalMs: number;
  readonly #burstMs: number;
  /** For each key: the theoretical arrival time of its next request, in monotonic milliseconds. */
  readonly #arrival = new Map<string, number>();

  constructor(perMinute: number) {
    this.perMinute = perMinute;
    this.#intervalMs = 60_000 / perMinute;
    this.#burstMs = this.#intervalMs * (perMinute - 1);
  }

  /** Until the key's next request conforms. */
  waitMs(key: string, nowMs: number): number {
    const arrivalMs = this.#arrival.get(key) ?? nowMs;
    return Math.max(0, arrivalMs - this.#burstMs - nowMs);
  }

  pass(key: string, nowMs: number): void {
    const arrivalMs = Math.max(this.#arrival.get(key) ?? nowMs, nowMs);
    this.#forgetPast(nowMs);
    this.#arrival.set(key, arrivalMs + this.#intervalMs);
  }

  #forgetPast(nowMs: number): void {
    if (this.#arrival.size < KEYS_KEPT) return;
    for (const [key, arrivalMs] of this.#arrival) if (arrivalMs <= nowMs) this.#arrival.delete(key);
  }
}

/** Beyond, those whose time is past are forgotten: they are as if they had never been. */
const KEYS_KEPT = 1_000;
