/** Manual clocks that tests need not poll. */
import { ManualClock, type Timer } from "../../src/base/clock.ts";

/** Says when timers have been set. */
export class WatchedClock extends ManualClock {
  #waiting: { timers: number; resolve: () => void }[] = [];

  /** Resolves when at least so many timers are pending. */
  async pendingAtLeast(timers: number): Promise<void> {
    if (this.pending < timers) await new Promise<void>((resolve) => this.#waiting.push({ timers, resolve }));
  }

  override timer(delayMs: number, fire: () => void): Timer {
    const timer = super.timer(delayMs, fire);
    this.#waiting = this.#waiting.filter(({ timers, resolve }) => {
      if (this.pending < timers) return true;
      resolve();
      return false;
    });
    return timer;
  }
}

/** Time jumps to each timer as soon as it is set: for one flow that waits for nothing else. */
export class JumpingClock extends ManualClock {
  override timer(delayMs: number, fire: () => void): Timer {
    const timer = super.timer(delayMs, fire);
    queueMicrotask(() => this.advance(this.untilNext() ?? 0));
    return timer;
  }
}
