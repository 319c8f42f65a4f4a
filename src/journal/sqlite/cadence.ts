/**
 * When the main thread and the writer's take turns, and when they overlap.
 *
 * Agents that were told of one commit tend to ask for the next one together, so the threads would wait for each other: all
 * agents work, then all are written. Told in two halves, one half works while the other is written, at the price of a second
 * sync. That pays when the work of all takes longer than a sync, and costs when it does not: on a slow disk, or when agents wait for
 * models rather than for each other. Both times are measured as they go.
 */
import type { Clock } from "../../base/clock.ts";

/** Share of the newest measurement in the running mean. */
const NEWEST = 0.2;

export class Cadence {
  readonly #clock: Pick<Clock, "monotonic">;
  /** Of a commit, whatever its size. */
  #syncMs = 0;
  /** Of what one agent does with its answer before the next one's turn. */
  #workMs = 0;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** A commit's sync took so long. */
  synced(ms: number): void {
    this.#syncMs += (ms - this.#syncMs) * NEWEST;
  }

  /** So many agents were answered just now. The function returned is to be called when they have done their work. */
  answered(count: number): () => void {
    const startMs = this.#clock.monotonic();
    return () => {
      this.#workMs += ((this.#clock.monotonic() - startMs) / count - this.#workMs) * NEWEST;
    };
  }

  /** True when it pays to write one half of so many agents while the other works. */
  overlaps(count: number): boolean {
    return count > 1 && this.#workMs * count > this.#syncMs;
  }
}
