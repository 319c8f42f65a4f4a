/**
 * Blobs as objects, named by their digest (`blobs/ab/abcd...`). An object is sent anew unless the store's own name for its version says
 * that these very bytes stand there: the MD5 of a piece, or that of the pieces' MD5s. Where a store names versions in another way
 * (encryption with keys of one's own) it is what it answered to this process that counts.
 *
 * What the store cannot do now becomes DISK_FAILED, as with a disk: agents wait until it can.
 */
import { hash } from "node:crypto";
import { assert } from "../../base/assert.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import { makeFolder } from "../../base/durable-folder.ts";
import { BanyanError } from "../../base/errors.ts";
import { createIds } from "../../base/ids.ts";
import { LIMITS } from "../../base/limits.ts";
import { type Random, systemRandom } from "../../base/random.ts";
import {
  type BlobInfo,
  type Blobs,
  checkDigest,
  checkRange,
  type Digest,
  isDigest,
  type Range,
  type SweepOptions,
  type Swept,
} from "../blobs.ts";
import { writingDisk } from "../fs/failures.ts";
import { OpenFiles } from "../fs/open-files.ts";
import { sweep, temporaryOf } from "../fs/places.ts";
import { checked } from "../fs/reading.ts";
import type { ObjectInfo, Objects } from "../objects.ts";
import { RecentPuts } from "../recent-puts.ts";
import { isSound } from "../sound.ts";
import { type S3Access, S3Requests } from "./requests.ts";
import { S3Objects } from "./s3-objects.ts";
import { sweepObjects } from "./s3-sweep.ts";
import { inMemory, type Spooled, spooling } from "./spool.ts";

const PREFIX = "blobs/";

export interface S3BlobsOptions extends S3Access {
  /** For streams on their way; made when it is not there. */
  readonly folder: string;
  readonly readOnly?: boolean;
  readonly clock?: Clock;
  readonly random?: Random;
}

/**
 * Looks into the bucket first, so that a wrong setting shows now.
 * @throws CONFIG_INVALID, STORE_DENIED, STORE_FAILED, DISK_FAILED
 */
export async function openS3Blobs(options: S3BlobsOptions): Promise<Blobs> {
  const { folder, readOnly = false, clock = systemClock(), random = systemRandom } = options;
  const objects = new S3Objects(new S3Requests(options, { clock, random }));
  for await (const _ of objects.list(PREFIX)) break;
  if (!readOnly) {
    makeFolder(folder);
    await writingDisk(sweep(folder));
  }
  const name = createIds({ clock, random });
  return new S3Blobs(objects, { temporary: () => temporaryOf(folder, name()), clock });
}

class S3Blobs implements Blobs {
  readonly #objects: Objects;
  readonly #temporary: () => string;
  readonly #spools = new OpenFiles(LIMITS.blobFilesMax);
  readonly #files = new OpenFiles(LIMITS.blobFilesMax);
  readonly #puts = new Set<Promise<BlobInfo>>();
  /** Versions that the store said this process has written, the oldest first. */
  readonly #written = new Map<Digest, string>();
  readonly #recent: RecentPuts;
  /** Removals that a sweep has asked for; none of them fails. */
  readonly #removals = new Map<Digest, Promise<void>>();
  readonly #closing = new AbortController();
  #sweeping: Promise<Swept> | undefined;
  #closed = false;

  constructor(objects: Objects, { temporary, clock }: { temporary: () => string; clock: Clock }) {
    this.#objects = objects;
    this.#temporary = temporary;
    this.#recent = new RecentPuts(clock);
  }

  async put(content: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobInfo> {
    this.#open();
    const put = content instanceof Uint8Array ? this.#send(inMemory(content)) : this.#spool(content);
    this.#puts.add(put);
    return put.finally(() => this.#puts.delete(put));
  }

  #spool(content: AsyncIterable<Uint8Array>): Promise<BlobInfo> {
    const place = { path: this.#temporary(), files: this.#files };
    return this.#spools.during(() => spooling(content, place, (spooled) => this.#send(spooled)));
  }

  async #send(spooled: Spooled): Promise<BlobInfo> {
    const { digest, bytes } = spooled;
    // Before anything is waited for: a sweep that looks later leaves it alone, and one that looked before is waited for.
    this.#recent.note(digest);
    await this.#removals.get(digest);
    if (bytes < LIMITS.objectLookBytesMin || !(await storing(this.#stands(spooled)))) {
      const { etag } = await storing(this.#store(spooled));
      this.#remember(digest, etag);
    }
    return { digest, bytes };
  }

  async #store(spooled: Spooled): Promise<ObjectInfo> {
    const key = keyOf(spooled.digest);
    if (spooled.bytes > LIMITS.objectPartBytesMax) return this.#objects.putParts(key, spooled.parts());
    const [part = new Uint8Array()] = await Array.fromAsync(spooled.parts());
    const stored = await this.#objects.put(key, part);
    assert(stored !== undefined, "a put without a condition is done");
    return stored;
  }

  async #stands(spooled: Spooled): Promise<boolean> {
    const there = await this.#objects.head(keyOf(spooled.digest));
    if (there?.bytes !== spooled.bytes) return false;
    return there.etag === this.#written.get(spooled.digest) || there.etag === (await etagFor(spooled));
  }

  #remember(digest: Digest, etag: string): void {
    this.#written.set(digest, etag);
    for (const oldest of this.#written.keys()) {
      if (this.#written.size <= LIMITS.blobsTrustedMax) break;
      this.#written.delete(oldest);
    }
  }

  async *get(digest: Digest, range?: Range): AsyncGenerator<Uint8Array> {
    this.#open();
    checkDigest(digest);
    if (range) checkRange(range);
    const chunks = this.#chunks(digest, range);
    yield* range ? chunks : checked(digest, chunks);
  }

  async *#chunks(digest: Digest, range?: Range): AsyncGenerator<Uint8Array> {
    const chunks = this.#objects.get(keyOf(digest), range)[Symbol.asyncIterator]();
    for (;;) {
      const next = await storing(chunks.next(), digest);
      if (next.done) return;
      yield next.value;
    }
  }

  async has(digest: Digest): Promise<number | undefined> {
    this.#open();
    checkDigest(digest);
    return (await storing(this.#objects.head(keyOf(digest))))?.bytes;
  }

  async delete(digest: Digest): Promise<void> {
    this.#open();
    checkDigest(digest);
    await storing(this.#objects.delete(keyOf(digest)));
    this.#written.delete(digest);
  }

  async *list(): AsyncGenerator<BlobInfo> {
    this.#open();
    const objects = this.#objects.list(PREFIX)[Symbol.asyncIterator]();
    for (;;) {
      const next = await storing(objects.next());
      if (next.done) return;
      const digest = `sha256:${next.value.key.slice(next.value.key.lastIndexOf("/") + 1)}`;
      if (isDigest(digest)) yield { digest, bytes: next.value.bytes };
    }
  }

  async sweep({ keeps, graceMs, dryRun, signal = new AbortController().signal }: SweepOptions): Promise<Swept> {
    this.#open();
    if (this.#sweeping) throw new BanyanError("DATA_IN_USE", "the blobs are being swept already");
    this.#sweeping = sweepObjects({
      blobs: this.list(),
      stays: (digest) => keeps(digest) || this.#recent.has(digest, graceMs),
      remove: (digest) => this.#remove(digest),
      dryRun,
      signal: AbortSignal.any([signal, this.#closing.signal]),
    });
    return this.#sweeping.finally(() => {
      this.#sweeping = undefined;
    });
  }

  #remove(digest: Digest): Promise<void> {
    const removal = storing(this.#objects.delete(keyOf(digest))).finally(() => {
      this.#written.delete(digest);
      this.#removals.delete(digest);
    });
    this.#removals.set(
      digest,
      removal.catch(() => undefined),
    );
    return removal;
  }

  async verify(digest: Digest): Promise<boolean> {
    return isSound(this.get(digest));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#closing.abort(new BanyanError("SHUTTING_DOWN", "the blobs are closed"));
    await this.#sweeping?.catch(() => undefined);
    await Promise.allSettled(this.#puts);
  }

  /** @throws SHUTTING_DOWN */
  #open(): void {
    if (this.#closed) throw new BanyanError("SHUTTING_DOWN", "the blobs are closed");
  }
}

function keyOf(digest: Digest): string {
  const name = digest.slice("sha256:".length);
  return `${PREFIX}${name.slice(0, 2)}/${name}`;
}

/** How S3 names the version that a put of these bytes makes. */
async function etagFor({ bytes, parts }: Spooled): Promise<string> {
  const sums: Buffer[] = [];
  for await (const part of parts()) sums.push(hash("md5", part, "buffer"));
  if (bytes <= LIMITS.objectPartBytesMax) return (sums[0] ?? hash("md5", "", "buffer")).toString("hex");
  return `${hash("md5", Buffer.concat(sums))}-${sums.length}`;
}

/** @throws DISK_FAILED, BLOB_NOT_FOUND (of `digest`), and what is not the store's */
async function storing<T>(work: Promise<T>, digest?: Digest): Promise<T> {
  return work.catch((cause) => {
    const code = cause instanceof BanyanError ? cause.code : undefined;
    if (code === "OBJECT_NOT_FOUND") throw new BanyanError("BLOB_NOT_FOUND", `no blob ${digest}`);
    if (code === "STORE_FAILED" || code === "STORE_DENIED")
      throw new BanyanError("DISK_FAILED", cause.message, { cause });
    throw cause;
  });
}
