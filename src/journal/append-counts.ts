/** What a journal has made durable since it was opened, and how long that took, for whoever watches the process. */
import type { Clock } from "../base/clock.ts";
import type { Append } from "./journal.ts";

export interface Appended {
  readonly appends: number;
  readonly records: number;
  /** Of the records' types and bodies, and of summaries. */
  readonly bytes: number;
  /** From asking to the acknowledgement, over all appends. */
  readonly waitMs: number;
}

export class AppendCounts {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #counts = { appends: 0, records: 0, bytes: 0, waitMs: 0 };

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  get soFar(): Appended {
    return { ...this.#counts };
  }

  /** Counts an append once it is durable; one that was refused does not count. */
  async count(appends: readonly Append[], bytes: number, durable: Promise<void>): Promise<void> {
    const startMs = this.#clock.monotonic();
    await durable;
    const counts = this.#counts;
    counts.appends += 1;
    counts.bytes += bytes;
    counts.waitMs += this.#clock.monotonic() - startMs;
    for (const { records } of appends) counts.records += records.length;
  }
}
