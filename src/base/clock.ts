/**
 * The only door to time. Everything above `base/` is handed a `Clock`, so that a simulation can own it.
 * Two clocks live here: the machine's, and one that a test moves by hand.
 */

export interface Timer {
  /** Stops the timer; harmless when it has fired or was cancelled already. */
  cancel(): void;
}

export interface Clock {
  /** Wall time, milliseconds since the Unix epoch. May jump; never use it to measure a duration. */
  now(): number;
  /** Milliseconds since an arbitrary start; never goes back. */
  monotonic(): number;
  /** Calls `fire` once, after at least `delayMs`. */
  timer(delayMs: number, fire: () => void): Timer;
}

/** The machine's clock. Its timers do not keep the process alive unless `keepAlive` is set. */
export function systemClock({ keepAlive = true }: { keepAlive?: boolean } = {}): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    timer(delayMs, fire) {
      const dueMs = performance.now() + delayMs;
      let handle: NodeJS.Timeout;
      // The platform's timers may end a millisecond early, and know no delay over TIMER_MS_MAX: look before firing.
      const arm = () => {
        const leftMs = Math.max(0, Math.ceil(dueMs - performance.now()));
        handle = setTimeout(check, Math.min(leftMs, TIMER_MS_MAX));
        if (!keepAlive) handle.unref();
      };
      const check = () => (performance.now() < dueMs ? arm() : fire());
      arm();
      return { cancel: () => clearTimeout(handle) };
    },
  };
}

/** Longest delay that the platform's timers hold before they wrap round: 2^31 - 1 ms, about 24.8 days. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Resolves after `delayMs`; rejects with the signal's reason when it is aborted first. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.timer(delayMs, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

interface Due {
  readonly atMs: number;
  readonly fire: () => void;
}

/** A clock that stands still until it is told to move. Timers fire in order of due time, then of creation. */
export class ManualClock implements Clock {
  #nowMs: number;
  #elapsedMs = 0;
  /** By due time, then in the order of creation. */
  readonly #due: Due[] = [];

  constructor(startMs = 1_700_000_000_000) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#elapsedMs;
  }

  timer(delayMs: number, fire: () => void): Timer {
    const entry = { atMs: this.#elapsedMs + Math.max(0, delayMs), fire };
    this.#due.splice(this.#placeAfter(entry.atMs), 0, entry);
    return {
      cancel: () => {
        const place = this.#due.lastIndexOf(entry, this.#placeAfter(entry.atMs));
        if (place >= 0) this.#due.splice(place, 1);
      },
    };
  }

  /** Timers that have not fired. */
  get pending(): number {
    return this.#due.length;
  }

  /** Milliseconds until the next timer is due, or undefined when none is set. */
  untilNext(): number | undefined {
    const [next] = this.#due;
    return next && next.atMs - this.#elapsedMs;
  }

  /** Moves time on by `byMs`, firing what falls due on the way. A timer that it fires may move time on further. */
  advance(byMs: number): void {
    const endMs = this.#elapsedMs + byMs;
    for (let [next] = this.#due; next && next.atMs <= endMs; [next] = this.#due) {
      this.#due.shift();
      this.#moveTo(next.atMs);
      next.fire();
    }
    this.#moveTo(endMs);
  }

  /** Sets the wall clock without moving monotonic time, as an operator or NTP would. */
  jumpTo(nowMs: number): void {
    this.#nowMs = nowMs;
  }

  #moveTo(elapsedMs: number): void {
    if (elapsedMs <= this.#elapsedMs) return;
    this.#nowMs += elapsedMs - this.#elapsedMs;
    this.#elapsedMs = elapsedMs;
  }

  /** Where a timer due at `atMs` goes: behind all that are due by then. */
  #placeAfter(atMs: number): number {
    let low = 0;
    let high = this.#due.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#due[middle] as Due).atMs <= atMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
