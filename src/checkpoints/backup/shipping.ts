/**
 * Ships a journal into a backup: what is there, then what is added, as long as it is asked to.
 *
 * H1  What is shipped is a prefix of the journal, in its order; a crash ships nothing twice and leaves nothing out.
 * H2  A record is shipped no later than `LIMITS.backupDelayMs` after it was read, as far as the store keeps up.
 * H3  Whoever was replaced stops (G1).
 */
import type { Clock } from "../../base/clock.ts";
import { BanyanError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { forSeveral } from "../../base/several.ts";
import type { Blobs } from "../../blobs/blobs.ts";
import type { Journal, StoredRecord } from "../../journal/journal.ts";
import { newBlobs } from "./segment.ts";
import type { BackupStore } from "./store.ts";

/** How far a journal was shipped: kept beside the data, and told by the store when it is lost. */
export interface Shipped {
  readonly owner: number;
  /** Of the newest segment; 0 before the first. */
  readonly number: number;
  /** Digest of the newest segment. */
  readonly previous: string | null;
  /** Of the newest record. */
  readonly position: number;
}

export interface ShippingOptions {
  readonly journal: Journal;
  readonly blobs: Blobs;
  readonly store: BackupStore;
  readonly clock: Clock;
  readonly from: Shipped;
  /** Told of a blob that cannot be read; throws what is no matter of that blob alone. */
  readonly onMissing: (digest: string, error: unknown) => void;
  /** Told after each segment; durable before the next is begun. */
  readonly onShipped: (shipped: Shipped) => Promise<void>;
}

/** Ships until `signal` is aborted; with `follow: false` until all that is durable now is shipped. @throws DATA_IN_USE (H3), DISK_FAILED */
export async function ship(
  options: ShippingOptions,
  { follow, signal }: { follow: boolean; signal: AbortSignal },
): Promise<Shipped> {
  const own = new AbortController();
  const shipping = new Shipping(options, await options.store.blobs(), () => own.abort());
  const end = follow ? Number.POSITIVE_INFINITY : await options.journal.position();
  if (end <= options.from.position) return options.from;
  const followed = options.journal.follow(options.from.position, AbortSignal.any([signal, own.signal]));
  for await (const records of followed) {
    const wanted = records.filter(({ position }) => position <= end);
    await shipping.take(wanted);
    if ((records.at(-1)?.position ?? 0) >= end) own.abort();
  }
  await shipping.flush();
  return shipping.shipped;
}

class Shipping {
  shipped: Shipped;
  readonly #options: ShippingOptions;
  /** Digests that the store has. */
  readonly #there: Set<string>;
  #waiting: StoredRecord[] = [];
  #bytes = 0;
  #timer: { cancel(): void } | undefined;
  #working: Promise<void> = Promise.resolve();
  /** Told when shipping failed between records: nothing may come for long. */
  readonly #onFailure: () => void;
  #failure: unknown;

  constructor(options: ShippingOptions, there: Set<string>, onFailure: () => void) {
    this.#onFailure = onFailure;
    this.#options = options;
    this.#there = there;
    this.shipped = options.from;
  }

  async take(records: readonly StoredRecord[]): Promise<void> {
    for (const record of records) {
      this.#waiting.push(record);
      this.#bytes += record.body.length;
      if (this.#bytes >= LIMITS.backupSegmentBytesMax / 4) await this.flush();
    }
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#waiting.length === 0 || this.#timer) return;
    this.#timer = this.#options.clock.timer(LIMITS.backupDelayMs, () => {
      this.flush().catch((error) => {
        this.#failure = error;
        this.#onFailure();
      });
    });
  }

  /** Ships what waits. @throws DATA_IN_USE, DISK_FAILED */
  flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    const records = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    this.#working = this.#working.then(() => this.#ship(records));
    return this.#working;
  }

  async #ship(records: readonly StoredRecord[]): Promise<void> {
    const last = records.at(-1);
    if (!last) return;
    const { store, blobs } = this.#options;
    await forSeveral(newBlobs(records, this.#there), LIMITS.blobsAtOnceMax, async (digest) => {
      // What is gone or damaged here must not keep all else from being saved.
      await store.putBlob(blobs, digest).catch((error) => this.#options.onMissing(digest, error));
    });
    const { owner, number, previous } = this.shipped;
    const digest = await store.add({ owner, number: number + 1, previous }, records);
    // H3: what a newer claim leaves out is not shipped, and nobody is told that it was.
    if ((await store.claims()).at(-1)?.owner !== owner) {
      throw new BanyanError("DATA_IN_USE", "another process has taken the backup over");
    }
    this.shipped = { owner, number: number + 1, previous: digest, position: last.position };
    await this.#options.onShipped(this.shipped);
  }
}
