/**
 * Blobs as files, named by their digest, 256 folders wide. A put writes a temporary file, syncs it, renames it into place and
 * syncs the folder (B1); a file with the right name is therefore whole. Streams are hashed as they are written (B4).
 */
import { createHash, hash } from "node:crypto";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { assert } from "../../base/assert.ts";
import { systemClock } from "../../base/clock.ts";
import { BanyanError } from "../../base/errors.ts";
import { createIds } from "../../base/ids.ts";
import { systemRandom } from "../../base/random.ts";
import { type BlobInfo, type Blobs, type Digest, isDigest } from "../blobs.ts";

const CHUNK_BYTES = 256 * 1024;
const TEMPORARY = "tmp";

/** Opens the folder, making it when it is not there; what crashed puts of dead processes left is removed. */
export async function openFsBlobs({
  folder,
  readOnly = false,
}: {
  folder: string;
  readOnly?: boolean;
}): Promise<Blobs> {
  if (!readOnly) {
    await mkdir(join(folder, TEMPORARY), { recursive: true, mode: 0o700 });
    await sweep(join(folder, TEMPORARY));
  }
  return new FsBlobs(folder);
}

/** A temporary file's name ends with its process's id. */
async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = Number(name.split("-").at(-1));
    if (!isAlive(pid) || pid === process.pid) await rm(join(folder, name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

class FsBlobs implements Blobs {
  readonly #folder: string;
  readonly #name = createIds({ clock: systemClock(), random: systemRandom });
  readonly #folders = new Map<string, Promise<void>>();
  /** Puts of small contents under way, so that the same bytes are written once. */
  readonly #putting = new Map<Digest, Promise<BlobInfo>>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  async put(content: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobInfo> {
    if (!(content instanceof Uint8Array)) return this.#putStream(content);
    const digest: Digest = `sha256:${hash("sha256", content)}`;
    const putting = this.#putting.get(digest) ?? this.#putBytes(digest, content);
    this.#putting.set(digest, putting);
    return putting.finally(() => this.#putting.delete(digest));
  }

  async #putBytes(digest: Digest, bytes: Uint8Array): Promise<BlobInfo> {
    if ((await this.has(digest)) === bytes.length) return { digest, bytes: bytes.length };
    return this.#store(digest, async (write) => {
      await write(bytes);
    });
  }

  /** The name is known only at the end: the file is hashed as it is written. */
  async #putStream(content: AsyncIterable<Uint8Array>): Promise<BlobInfo> {
    const digest = createHash("sha256");
    return this.#store(
      () => `sha256:${digest.digest("hex")}`,
      async (write) => {
        for await (const chunk of content) {
          digest.update(chunk);
          await write(chunk);
        }
      },
    );
  }

  async #store(
    named: Digest | (() => Digest),
    fill: (write: (chunk: Uint8Array) => Promise<void>) => Promise<void>,
  ): Promise<BlobInfo> {
    const temporary = join(this.#folder, TEMPORARY, `${this.#name()}-${process.pid}`);
    let bytes = 0;
    try {
      const file = await open(temporary, "wx", 0o600);
      try {
        await fill(async (chunk) => {
          await file.writeFile(chunk);
          bytes += chunk.length;
        });
        await file.datasync();
      } finally {
        await file.close();
      }
      const digest = typeof named === "string" ? named : named();
      await this.#place(temporary, digest);
      return { digest, bytes };
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw diskError(error);
    }
  }

  async #place(temporary: string, digest: Digest): Promise<void> {
    const { folder, path } = this.#pathOf(digest);
    await this.#ready(folder);
    await rename(temporary, path);
    await syncFolder(folder);
  }

  #ready(folder: string): Promise<void> {
    const ready =
      this.#folders.get(folder) ?? mkdir(folder, { recursive: true, mode: 0o700 }).then(() => syncFolder(this.#folder));
    this.#folders.set(folder, ready);
    ready.catch(() => this.#folders.delete(folder));
    return ready;
  }

  async *get(digest: Digest, range?: { from: number; to: number }): AsyncGenerator<Uint8Array> {
    const { path } = this.#pathOf(digest);
    const file = await open(path, "r").catch((error) => {
      throw error.code === "ENOENT" ? new BanyanError("BLOB_NOT_FOUND", `no blob ${digest}`) : diskError(error);
    });
    try {
      if (range) yield* readRange(file, range.from, range.to);
      else yield* checked(digest, readRange(file, 0, Number.POSITIVE_INFINITY));
    } finally {
      await file.close();
    }
  }

  async has(digest: Digest): Promise<number | undefined> {
    const found = await stat(this.#pathOf(digest).path).catch((error) => {
      if (error.code === "ENOENT") return undefined;
      throw diskError(error);
    });
    return found?.size;
  }

  async delete(digest: Digest): Promise<void> {
    await rm(this.#pathOf(digest).path, { force: true });
  }

  async *list(): AsyncGenerator<BlobInfo> {
    for (const folder of (await readdir(this.#folder)).sort()) {
      if (!/^[0-9a-f]{2}$/.test(folder)) continue;
      for (const name of (await readdir(join(this.#folder, folder))).sort()) {
        const digest = `sha256:${name}`;
        const bytes = isDigest(digest) ? await this.has(digest) : undefined;
        if (isDigest(digest) && bytes !== undefined) yield { digest, bytes };
      }
    }
  }

  async verify(digest: Digest): Promise<boolean> {
    try {
      for await (const chunk of this.get(digest)) assert(chunk.length >= 0, "chunks have bytes");
      return true;
    } catch (error) {
      if (error instanceof BanyanError && ["BLOB_DAMAGED", "BLOB_NOT_FOUND"].includes(error.code)) return false;
      throw error;
    }
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#putting.values());
  }

  /** No path is ever made of anything but a digest. @throws INPUT_INVALID */
  #pathOf(digest: Digest): { folder: string; path: string } {
    if (!isDigest(digest))
      throw new BanyanError("INPUT_INVALID", `not a digest: ${JSON.stringify(String(digest).slice(0, 80))}`);
    const name = digest.slice("sha256:".length);
    const folder = join(this.#folder, name.slice(0, 2));
    return { folder, path: join(folder, name) };
  }
}

async function* readRange(
  file: Awaited<ReturnType<typeof open>>,
  from: number,
  to: number,
): AsyncGenerator<Uint8Array> {
  for (let at = from; at < to; ) {
    const chunk = new Uint8Array(Math.min(CHUNK_BYTES, to - at));
    const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
}

/** B3: hands over the last chunk only once all of them together have the right digest. */
async function* checked(digest: Digest, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const found = createHash("sha256");
  let last: Uint8Array | undefined;
  for await (const chunk of chunks) {
    if (last) yield last;
    found.update(chunk);
    last = chunk;
  }
  if (digest !== `sha256:${found.digest("hex")}`)
    throw new BanyanError("BLOB_DAMAGED", `blob ${digest} has other bytes`);
  if (last) yield last;
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function diskError(error: unknown): BanyanError {
  if (error instanceof BanyanError) return error;
  return new BanyanError(
    "DISK_FAILED",
    `the blobs could not be written: ${error instanceof Error ? error.message : String(error)}`,
    { cause: error },
  );
}
