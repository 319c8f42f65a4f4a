/**
 * Blobs as files, named by their digest, 256 folders wide; writing.ts says what makes them durable (B1). Streams are hashed as they
 * are written, and read in chunks (B4).
 *
 * A put of bytes that stand there already trusts a file only after this process wrote it, or read it whole and synced its name;
 * from then on it looks at the size alone. What is damaged, cut or gone is written anew.
 */
import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { systemClock } from "../../base/clock.ts";
import { makeFolder } from "../../base/durable-folder.ts";
import { BanyanError } from "../../base/errors.ts";
import { createIds } from "../../base/ids.ts";
import { LIMITS } from "../../base/limits.ts";
import { systemRandom } from "../../base/random.ts";
import { type BlobInfo, type Blobs, checkDigest, checkRange, type Digest, digestOf, type Range } from "../blobs.ts";
import { isSound } from "../sound.ts";
import { isAbsence, readingDisk, writingDisk } from "./failures.ts";
import { OpenFiles } from "./open-files.ts";
import { digestsIn, placeOf, sizeOf, sweep, temporaryOf } from "./places.ts";
import { checked, chunksOf } from "./reading.ts";
import { type Fill, Writing } from "./writing.ts";

const WHOLE: Range = { from: 0, to: Number.MAX_SAFE_INTEGER };

/**
 * Opens the folder, making it when it is not there; what crashed puts of dead processes left is removed.
 * @throws DISK_FAILED
 */
export async function openFsBlobs({
  folder,
  readOnly = false,
}: {
  folder: string;
  readOnly?: boolean;
}): Promise<Blobs> {
  if (!readOnly) {
    makeFolder(folder);
    await writingDisk(sweep(folder));
  }
  return new FsBlobs(folder);
}

class FsBlobs implements Blobs {
  readonly #folder: string;
  readonly #writing: Writing;
  readonly #name = createIds({ clock: systemClock(), random: systemRandom });
  /** A stream that is put may come from a blob that is read: each has its own share. */
  readonly #read = new OpenFiles(LIMITS.blobFilesMax);
  readonly #written = new OpenFiles(LIMITS.blobFilesMax);
  readonly #puts = new Set<Promise<BlobInfo>>();
  /** Puts under way of bytes that are known, so that they are written once. */
  readonly #shared = new Map<Digest, Promise<BlobInfo>>();
  /** Files that this process wrote or checked, oldest first. */
  readonly #trusted = new Set<Digest>();
  #closed = false;

  constructor(folder: string) {
    this.#folder = folder;
    this.#writing = new Writing(folder);
  }

  async put(content: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobInfo> {
    this.#open();
    const put = content instanceof Uint8Array ? this.#share(content) : this.#putStream(content);
    this.#puts.add(put);
    return put.finally(() => this.#puts.delete(put));
  }

  #share(bytes: Uint8Array): Promise<BlobInfo> {
    const digest = digestOf(bytes);
    const shared = this.#shared.get(digest);
    if (shared) return shared;
    const put = this.#putBytes(digest, bytes).finally(() => this.#unshare(digest, put));
    this.#shared.set(digest, put);
    return put;
  }

  #unshare(digest: Digest, put: Promise<BlobInfo>): void {
    if (this.#shared.get(digest) === put) this.#shared.delete(digest);
  }

  #putBytes(digest: Digest, bytes: Uint8Array): Promise<BlobInfo> {
    return this.#written.during(async () => {
      if (await this.#stands(digest, bytes.length)) return { digest, bytes: bytes.length };
      return this.#store(async (write) => {
        await write(bytes);
        return digest;
      });
    });
  }

  /** The name is known only at the end: the file is hashed as it is written. */
  #putStream(content: AsyncIterable<Uint8Array>): Promise<BlobInfo> {
    return this.#written.during(() =>
      this.#store(async (write) => {
        const digest = createHash("sha256");
        for await (const chunk of content) {
          digest.update(chunk);
          await write(chunk);
        }
        return `sha256:${digest.digest("hex")}`;
      }),
    );
  }

  async #store(fill: Fill): Promise<BlobInfo> {
    const stored = await this.#writing.store(temporaryOf(this.#folder, this.#name()), fill);
    this.#trust(stored.digest);
    return stored;
  }

  /** True when these very bytes are there, and durably. What cannot be told is written anew. */
  async #stands(digest: Digest, bytes: number): Promise<boolean> {
    const place = placeOf(this.#folder, digest);
    try {
      if ((await sizeOf(place)) !== bytes) return false;
      if (this.#trusted.has(digest)) return true;
      if (!(await this.#isSound(digest))) return false;
      await this.#writing.keepName(place);
    } catch {
      return false;
    }
    this.#trust(digest);
    return true;
  }

  #trust(digest: Digest): void {
    this.#trusted.add(digest);
    for (const oldest of this.#trusted) {
      if (this.#trusted.size <= LIMITS.blobsTrustedMax) break;
      this.#trusted.delete(oldest);
    }
  }

  async *get(digest: Digest, range?: Range): AsyncGenerator<Uint8Array> {
    this.#open();
    checkDigest(digest);
    if (range) checkRange(range);
    yield* range ? this.#chunks(digest, range) : checked(digest, this.#chunks(digest, WHOLE));
  }

  async *#chunks(digest: Digest, range: Range): AsyncGenerator<Uint8Array> {
    const chunks = chunksOf(placeOf(this.#folder, digest).path, range, this.#read);
    for (;;) {
      const next = await readingDisk(digest, chunks.next()).catch((error) => {
        throw isAbsence(error.cause) ? new BanyanError("BLOB_NOT_FOUND", `no blob ${digest}`) : error;
      });
      if (next.done) return;
      yield next.value;
    }
  }

  async has(digest: Digest): Promise<number | undefined> {
    this.#open();
    checkDigest(digest);
    return readingDisk(digest, sizeOf(placeOf(this.#folder, digest)));
  }

  async delete(digest: Digest): Promise<void> {
    this.#open();
    checkDigest(digest);
    await writingDisk(rm(placeOf(this.#folder, digest).path, { force: true }));
    // A put that is asked for from now on must not take part in one that found the file.
    this.#shared.delete(digest);
    this.#trusted.delete(digest);
  }

  async *list(): AsyncGenerator<BlobInfo> {
    this.#open();
    const digests = digestsIn(this.#folder);
    for (;;) {
      const next = await readingDisk(this.#folder, digests.next());
      if (next.done) return;
      const digest = next.value;
      const bytes = await readingDisk(digest, sizeOf(placeOf(this.#folder, digest)));
      if (bytes !== undefined) yield { digest, bytes };
    }
  }

  async verify(digest: Digest): Promise<boolean> {
    this.#open();
    checkDigest(digest);
    return this.#isSound(digest);
  }

  #isSound(digest: Digest): Promise<boolean> {
    return isSound(checked(digest, this.#chunks(digest, WHOLE)));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#puts);
  }

  /** @throws SHUTTING_DOWN */
  #open(): void {
    if (this.#closed) throw new BanyanError("SHUTTING_DOWN", "the blobs are closed");
  }
}
