/**
 * Blobs in a folder: small ones whole, large ones in chunks, as records of packs (docs/decisions/artifact-store.md). Streams flow by in
 * chunks (B4), bytes are checked before they are handed over, in ranges too (B3), and puts at the same time share a sync (B1).
 *
 * Folders of earlier versions have a file for each blob: it is read where no pack has the blob.
 */
import { join } from "node:path";
import { type Clock, systemClock } from "../../base/clock.ts";
import { makeFolder } from "../../base/durable-folder.ts";
import { BanyanError } from "../../base/errors.ts";
import { createIds, type IdSource } from "../../base/ids.ts";
import { LIMITS } from "../../base/limits.ts";
import { systemRandom } from "../../base/random.ts";
import {
  type BlobInfo,
  type Blobs,
  checkDigest,
  checkRange,
  type Digest,
  type Range,
  type SweepOptions,
  type Swept,
} from "../blobs.ts";
import { isSound } from "../sound.ts";
import { readingDisk, writingDisk } from "./failures.ts";
import { LooseBlobs } from "./loose.ts";
import { contentAt, isGone, LOOKS, named } from "./packs/content.ts";
import { printOf, type Spot } from "./packs/digest-table.ts";
import { PackPuts } from "./packs/pack-puts.ts";
import { sweepPacks } from "./packs/pack-sweep.ts";
import { PackWriter } from "./packs/pack-writer.ts";
import { type Pack, Packs } from "./packs/packs.ts";
import { KIND, nameOf } from "./packs/record.ts";
import { checked } from "./reading.ts";

const WHOLE: Range = { from: 0, to: Number.MAX_SAFE_INTEGER };

export interface FsBlobsOptions {
  readonly folder: string;
  /** Nothing is written: for looking at what another process writes. */
  readonly readOnly?: boolean;
  readonly clock?: Clock;
}

/**
 * Opens the folder, making it when it is not there.
 * @throws DISK_FAILED
 */
export async function openFsBlobs({ folder, readOnly = false, clock = systemClock() }: FsBlobsOptions): Promise<Blobs> {
  if (!readOnly) makeFolder(folder);
  const packs = new Packs(join(folder, "packs"));
  const loose = new LooseBlobs(folder);
  await readingDisk(folder, Promise.all([packs.load({ mend: !readOnly }), loose.look()]));
  return new FsBlobs({ packs, loose, readOnly, clock });
}

interface Parts {
  readonly packs: Packs;
  readonly loose: LooseBlobs;
  readonly readOnly: boolean;
  readonly clock: Clock;
}

class FsBlobs implements Blobs {
  readonly #packs: Packs;
  readonly #loose: LooseBlobs;
  readonly #readOnly: boolean;
  readonly #writer: PackWriter;
  readonly #into: PackPuts;
  readonly #puts = new Set<Promise<BlobInfo>>();
  /** Puts under way of bytes that are known, so that they are written once. */
  readonly #shared = new Map<Digest, Promise<BlobInfo>>();
  readonly #clock: Clock;
  readonly #ids: IdSource;
  /** Seconds since the opening, from 1. */
  readonly #touched: () => number;
  readonly #closing = new AbortController();
  #sweeping: Promise<Swept> | undefined;
  #closed = false;

  constructor({ packs, loose, readOnly, clock }: Parts) {
    this.#packs = packs;
    this.#loose = loose;
    this.#readOnly = readOnly;
    const openedMs = clock.monotonic();
    this.#clock = clock;
    this.#touched = () => 1 + Math.floor((clock.monotonic() - openedMs) / 1_000);
    this.#ids = createIds({ clock, random: systemRandom });
    this.#writer = new PackWriter({ packs, ids: this.#ids, clock, touched: this.#touched });
    this.#into = new PackPuts({ packs, writer: this.#writer, touched: this.#touched });
  }

  async put(content: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobInfo> {
    this.#open();
    const put = content instanceof Uint8Array ? this.#putBytes(content) : this.#putStream(content);
    this.#puts.add(put);
    return put.finally(() => this.#puts.delete(put));
  }

  #putBytes(bytes: Uint8Array): Promise<BlobInfo> {
    const name = nameOf(bytes);
    const digest: Digest = `sha256:${name.toString("hex")}`;
    const shared = this.#shared.get(digest);
    if (shared) return shared;
    const put = this.#write(name, digest, bytes).finally(() => {
      if (this.#shared.get(digest) === put) this.#shared.delete(digest);
    });
    this.#shared.set(digest, put);
    return put;
  }

  async #write(name: Buffer, digest: Digest, bytes: Uint8Array): Promise<BlobInfo> {
    if (bytes.length > LIMITS.blobWholeBytesMax) return this.#into.chunked(inPieces([bytes]));
    await this.#into.whole(name, bytes);
    return { digest, bytes: bytes.length };
  }

  /** What is small is known when it has come; what is large flows by. */
  async #putStream(content: AsyncIterable<Uint8Array>): Promise<BlobInfo> {
    const source = content[Symbol.asyncIterator]();
    const pieces: Uint8Array[] = [];
    let length = 0;
    while (length <= LIMITS.blobWholeBytesMax) {
      const next = await source.next();
      if (next.done) return this.#putBytes(Buffer.concat(pieces));
      pieces.push(Uint8Array.from(next.value));
      length += next.value.length;
    }
    return this.#into.chunked(inPieces(pieces, source));
  }

  async *get(digest: Digest, range?: Range): AsyncGenerator<Uint8Array> {
    this.#open();
    checkDigest(digest);
    if (range) checkRange(range);
    yield* this.#content(digest, range);
  }

  /** Hands over nothing twice: once bytes have gone out, what fails has failed. */
  async *#content(digest: Digest, range?: Range): AsyncGenerator<Uint8Array> {
    const name = nameIn(digest);
    for (let look = 0; look < LOOKS; look += 1) {
      let failure: unknown;
      for (const place of this.#packs.find(printOf(name), "whole")) {
        const content = contentAt(this.#packs, place, name, range);
        const first = await content.next().catch((error) => ({ error }));
        if ("error" in first) {
          failure = first.error;
          continue;
        }
        if (!first.done) yield first.value;
        yield* readingOf(digest, content);
        return;
      }
      if (failure !== undefined && !isGone(failure)) throw await asOurs(digest, failure);
      if (this.#readOnly) await readingDisk(digest, this.#packs.refresh());
      else if (failure === undefined) break;
    }
    yield* range ? this.#looseContent(digest, range) : checked(digest, this.#looseContent(digest, WHOLE));
  }

  async *#looseContent(digest: Digest, range: Range): AsyncGenerator<Uint8Array> {
    if ((await readingDisk(digest, this.#loose.sizeOf(digest))) === undefined) throw notFound(digest);
    yield* readingOf(digest, this.#loose.read(digest, range));
  }

  async has(digest: Digest): Promise<number | undefined> {
    this.#open();
    checkDigest(digest);
    const name = nameIn(digest);
    for (let look = 0; look < (this.#readOnly ? LOOKS : 1); look += 1) {
      if (look > 0) await readingDisk(digest, this.#packs.refresh());
      const [found] = await readingDisk(digest, named(this.#packs, name, "whole"));
      if (found) return found.header.bytes;
    }
    return readingDisk(digest, this.#loose.sizeOf(digest));
  }

  async delete(digest: Digest): Promise<void> {
    this.#open();
    checkDigest(digest);
    const name = nameIn(digest);
    for (let look = 0; look < LOOKS; look += 1) {
      const found = await readingDisk(digest, named(this.#packs, name, "whole"));
      for (const { place } of found) await this.#into.takeBack(name, place, false);
      if (found.length === 0) break;
    }
    await writingDisk(this.#loose.delete(digest));
    // A put that is asked for from now on must not take part in one that found the record.
    this.#shared.delete(digest);
  }

  async *list(): AsyncGenerator<BlobInfo> {
    this.#open();
    if (this.#readOnly) await readingDisk("the packs", this.#packs.refresh());
    const read = new Set<Pack>();
    for (let pack = this.#unread(read); pack; pack = this.#unread(read)) {
      read.add(pack);
      const entries = this.#packs.entriesOf(pack);
      for (;;) {
        const next = await readingDisk(pack.path, entries.next());
        if (next.done) break;
        const { kind, name, offset, bytes } = next.value;
        if (kind !== KIND.blob && kind !== KIND.list) continue;
        if (await this.#isFirst(name, { pack: pack.number, offset, kind })) yield { digest: digestIn(name), bytes };
      }
    }
    yield* this.#listLoose();
  }

  #unread(read: ReadonlySet<Pack>): Pack | undefined {
    return this.#packs.all().find((pack) => !read.has(pack));
  }

  /** Whether the record is there, and no other one of the same name is found before it. */
  async #isFirst(name: Uint8Array, { pack, offset }: Spot): Promise<boolean> {
    const places = this.#packs.find(printOf(name), "whole");
    const at = places.findIndex((place) => place.pack === pack && place.offset === offset);
    if (at <= 0) return at === 0;
    const [first] = await readingDisk("the packs", named(this.#packs, Uint8Array.from(name), "whole"));
    return first?.place.pack === pack && first.place.offset === offset;
  }

  async *#listLoose(): AsyncGenerator<BlobInfo> {
    const loose = this.#loose.list();
    for (;;) {
      const next = await readingDisk("the folder", loose.next());
      if (next.done) return;
      if (this.#packs.find(printOf(nameIn(next.value.digest)), "whole").length === 0) yield next.value;
    }
  }

  async verify(digest: Digest): Promise<boolean> {
    return isSound(this.get(digest));
  }

  async sweep({ keeps, graceMs, dryRun, signal = new AbortController().signal }: SweepOptions): Promise<Swept> {
    this.#open();
    if (this.#sweeping) throw new BanyanError("DATA_IN_USE", "the blobs are being swept already");
    const either = AbortSignal.any([signal, this.#closing.signal]);
    this.#sweeping = writingDisk(this.#sweep({ keeps, graceMs, dryRun, signal: either })).catch((error: unknown) => {
      throw either.aborted ? either.reason : error;
    });
    return this.#sweeping.finally(() => {
      this.#sweeping = undefined;
    });
  }

  async #sweep({ keeps, graceMs, dryRun, signal }: SweepOptions & { signal: AbortSignal }): Promise<Swept> {
    const [packs, writer, clock] = [this.#packs, this.#writer, this.#clock];
    const bytesBefore = (await packs.bytes()) + (await this.#loose.bytes());
    const since = Math.max(
      1,
      Math.min(this.#touched() - Math.ceil(graceMs / 1_000), this.#into.oldestStream ?? Infinity),
    );
    const mover = new PackWriter({ packs, ids: this.#ids, clock, touched: this.#touched });
    try {
      const swept = await sweepPacks({ packs, writer, mover, clock, keeps, since, dryRun, signal });
      const loose = await this.#sweepLoose(keeps, dryRun, signal);
      const freedBytes = swept.freedBytes + loose.freedBytes;
      const bytesAfter = dryRun ? bytesBefore - freedBytes : (await packs.bytes()) + (await this.#loose.bytes());
      return {
        kept: swept.kept + loose.kept,
        removed: swept.removed + loose.removed,
        removedBytes: swept.removedBytes + loose.removedBytes,
        bytesBefore,
        bytesAfter,
      };
    } finally {
      await mover.close().catch(() => undefined);
    }
  }

  /** Files of earlier versions. Nobody puts into them, so whatever nobody refers to goes, and what a pack has too. */
  async #sweepLoose(keeps: SweepOptions["keeps"], dryRun: boolean, signal: AbortSignal) {
    const swept = { kept: 0, removed: 0, removedBytes: 0, freedBytes: 0 };
    for await (const { digest, bytes } of this.#loose.list()) {
      signal.throwIfAborted();
      const isInPack = this.#packs.find(printOf(nameIn(digest)), "whole").length > 0 && (await this.verify(digest));
      if (!isInPack && keeps(digest)) swept.kept += 1;
      else {
        swept.freedBytes += bytes;
        if (!isInPack) swept.removed += 1;
        if (!isInPack) swept.removedBytes += bytes;
        if (!dryRun) await this.#loose.delete(digest);
      }
    }
    return swept;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#closing.abort(new BanyanError("SHUTTING_DOWN", "the blobs are closed"));
    await this.#sweeping?.catch(() => undefined);
    await Promise.allSettled(this.#puts);
    await this.#writer.close().catch(() => undefined);
    await this.#packs.close();
  }

  /** @throws SHUTTING_DOWN */
  #open(): void {
    if (this.#closed) throw new BanyanError("SHUTTING_DOWN", "the blobs are closed");
  }
}

async function* inPieces(pieces: readonly Uint8Array[], more?: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* pieces;
  try {
    for (let next = await more?.next(); next && !next.done; next = await more?.next()) yield next.value;
  } finally {
    await more?.return?.();
  }
}

function nameIn(digest: Digest): Buffer {
  return Buffer.from(digest.slice("sha256:".length), "hex");
}

function digestIn(name: Uint8Array): Digest {
  return `sha256:${Buffer.from(name).toString("hex")}`;
}

/** @throws what is ours, and DISK_FAILED for what the file system says */
async function* readingOf(digest: Digest, content: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  for (;;) {
    const next = await content.next().catch(async (error) => {
      throw await asOurs(digest, error);
    });
    if (next.done) return;
    yield next.value;
  }
}

async function asOurs(digest: Digest, error: unknown): Promise<unknown> {
  if (isGone(error)) return notFound(digest);
  if (error instanceof BanyanError && error.code === "BLOB_DAMAGED")
    return new BanyanError("BLOB_DAMAGED", `blob ${digest}: ${error.message}`, { cause: error });
  return readingDisk(digest, Promise.reject(error)).catch((ours) => ours);
}

function notFound(digest: Digest): BanyanError {
  return new BanyanError("BLOB_NOT_FOUND", `no blob ${digest}`);
}
