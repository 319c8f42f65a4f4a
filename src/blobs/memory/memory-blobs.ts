/** Blobs in memory: for tests, and the store of the seeded simulation. */
import { hash } from "node:crypto";
import { BanyanError } from "../../base/errors.ts";
import type { BlobInfo, Blobs, Digest } from "../blobs.ts";

export class MemoryBlobs implements Blobs {
  readonly #blobs: Map<Digest, Uint8Array>;

  /** `store` outlives this process's hold on it. */
  constructor(store: Map<Digest, Uint8Array> = new Map()) {
    this.#blobs = store;
  }

  async put(content: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobInfo> {
    const bytes = content instanceof Uint8Array ? content.slice() : await collect(content);
    const digest: Digest = `sha256:${hash("sha256", bytes)}`;
    this.#blobs.set(digest, bytes);
    return { digest, bytes: bytes.length };
  }

  async *get(digest: Digest, range?: { from: number; to: number }): AsyncGenerator<Uint8Array> {
    const bytes = this.#blobs.get(digest);
    if (!bytes) throw new BanyanError("BLOB_NOT_FOUND", `no blob ${digest}`);
    if (!range && !(await this.verify(digest))) throw new BanyanError("BLOB_DAMAGED", `blob ${digest} has other bytes`);
    yield range ? bytes.slice(range.from, range.to) : bytes.slice();
  }

  async has(digest: Digest): Promise<number | undefined> {
    return this.#blobs.get(digest)?.length;
  }

  async delete(digest: Digest): Promise<void> {
    this.#blobs.delete(digest);
  }

  async *list(): AsyncGenerator<BlobInfo> {
    for (const [digest, bytes] of this.#blobs) yield { digest, bytes: bytes.length };
  }

  async verify(digest: Digest): Promise<boolean> {
    const bytes = this.#blobs.get(digest);
    return bytes !== undefined && digest === `sha256:${hash("sha256", bytes)}`;
  }

  async close(): Promise<void> {}
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}
