/** Blobs in memory: for tests, and the store of the seeded simulation. B4 is not for them to keep. */

import { type Clock, systemClock } from "../../base/clock.ts";
import { BanyanError } from "../../base/errors.ts";
import {
  type BlobInfo,
  type Blobs,
  checkDigest,
  checkRange,
  type Digest,
  digestOf,
  type Range,
  type SweepOptions,
  type Swept,
} from "../blobs.ts";
import { RecentPuts } from "../recent-puts.ts";

export class MemoryBlobs implements Blobs {
  readonly #blobs: Map<Digest, Uint8Array>;
  readonly #putting = new Set<Promise<BlobInfo>>();
  readonly #recent: RecentPuts;
  #sweeping = false;
  #closed = false;

  /** `store` outlives this process's hold on it. */
  constructor(store: Map<Digest, Uint8Array> = new Map(), { clock = systemClock() }: { clock?: Clock } = {}) {
    this.#blobs = store;
    this.#recent = new RecentPuts(clock);
  }

  async put(content: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobInfo> {
    this.#open();
    const putting = this.#put(content);
    this.#putting.add(putting);
    return putting.finally(() => this.#putting.delete(putting));
  }

  async #put(content: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobInfo> {
    const bytes =
      content instanceof Uint8Array ? Uint8Array.from(content) : Buffer.concat(await Array.fromAsync(content));
    const digest = digestOf(bytes);
    this.#recent.note(digest);
    this.#blobs.set(digest, bytes);
    return { digest, bytes: bytes.length };
  }

  async *get(digest: Digest, range?: Range): AsyncGenerator<Uint8Array> {
    this.#open();
    checkDigest(digest);
    if (range) checkRange(range);
    const bytes = this.#blobs.get(digest);
    if (!bytes) throw new BanyanError("BLOB_NOT_FOUND", `no blob ${digest}`);
    if (!range && digestOf(bytes) !== digest) throw new BanyanError("BLOB_DAMAGED", `blob ${digest} has other bytes`);
    const chunk = Uint8Array.from(bytes.subarray(range?.from, range?.to));
    if (chunk.length > 0) yield chunk;
  }

  async has(digest: Digest): Promise<number | undefined> {
    this.#open();
    checkDigest(digest);
    return this.#blobs.get(digest)?.length;
  }

  async delete(digest: Digest): Promise<void> {
    this.#open();
    checkDigest(digest);
    this.#blobs.delete(digest);
  }

  async *list(): AsyncGenerator<BlobInfo> {
    this.#open();
    for (const [digest, bytes] of this.#blobs) yield { digest, bytes: bytes.length };
  }

  async verify(digest: Digest): Promise<boolean> {
    this.#open();
    checkDigest(digest);
    const bytes = this.#blobs.get(digest);
    return bytes !== undefined && digest === digestOf(bytes);
  }

  async sweep({ keeps, graceMs, dryRun, signal }: SweepOptions): Promise<Swept> {
    this.#open();
    if (this.#sweeping) throw new BanyanError("DATA_IN_USE", "the blobs are being swept already");
    this.#sweeping = true;
    let [kept, removed, bytesBefore, removedBytes] = [0, 0, 0, 0];
    try {
      for await (const { digest, bytes } of this.list()) {
        signal?.throwIfAborted();
        bytesBefore += bytes;
        if (keeps(digest) || this.#recent.has(digest, graceMs)) {
          kept += 1;
          continue;
        }
        removed += 1;
        removedBytes += bytes;
        if (!dryRun) this.#blobs.delete(digest);
      }
    } finally {
      this.#sweeping = false;
    }
    return { kept, removed, removedBytes, bytesBefore, bytesAfter: bytesBefore - removedBytes };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#putting);
  }

  /** @throws SHUTTING_DOWN */
  #open(): void {
    if (this.#closed) throw new BanyanError("SHUTTING_DOWN", "the blobs are closed");
  }
}
