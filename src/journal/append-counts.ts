/** What a journal has made durable since it was opened, and how long each append took, for whoever watches the process. */
import type { Clock } from "../base/clock.ts";
import type { Append } from "./journal.ts";

export interface Appended {
  readonly appends: number;
  readonly records: number;
  /** Of the records' types and bodies, and of summaries. */
  readonly bytes: number;
}

/** @param waitMs from asking to the acknowledgement */
export type AppendWatcher = (waitMs: number) => void;

export class AppendCounts {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #counts = { appends: 0, records: 0, bytes: 0 };
  readonly #watchers = new Set<AppendWatcher>();

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  get soFar(): Appended {
    return { ...this.#counts };
  }

  /** Tells of each append once it is durable. Returns how to stop that. */
  watch(watcher: AppendWatcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Counts an append once it is durable; one that was refused does not count. */
  async count(appends: readonly Append[], bytes: number, durable: Promise<void>): Promise<void> {
    const startMs = this.#clock.monotonic();
    await durable;
    const counts = this.#counts;
    counts.appends += 1;
    counts.bytes += bytes;
    for (const { records } of appends) counts.records += records.length;
    if (this.#watchers.size === 0) return;
    const waitMs = this.#clock.monotonic() - startMs;
    for (const watcher of this.#watchers) watcher(waitMs);
  }
}
