/** Blobs in memory that count what is asked of them, and fail when they are told to. */
import { createHash } from "node:crypto";
import { BanyanError } from "../../src/base/errors.ts";
import type { Blobs, Digest } from "../../src/blobs/blobs.ts";

export interface CountingBlobs extends Blobs {
  readonly counts: { puts: number; gets: number };
  /** Thrown by every put, once set. */
  failure: BanyanError | undefined;
}

export function countingBlobs(): CountingBlobs {
  const stored = new Map<Digest, Buffer>();
  const found = (digest: Digest) => {
    const bytes = stored.get(digest);
    if (!bytes) throw new BanyanError("BLOB_NOT_FOUND", digest);
    return bytes;
  };
  return {
    counts: { puts: 0, gets: 0 },
    failure: undefined,
    async put(content) {
      this.counts.puts += 1;
      if (this.failure) throw this.failure;
      const chunks: Uint8Array[] = [];
      if (content instanceof Uint8Array) chunks.push(content);
      else for await (const chunk of content) chunks.push(chunk);
      const bytes = Buffer.concat(chunks);
      const digest: Digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
      stored.set(digest, bytes);
      return { digest, bytes: bytes.length };
    },
    async *get(digest, range) {
      this.counts.gets += 1;
      const bytes = found(digest).subarray(range?.from, range?.to);
      // In odd pieces, so that a character may be cut.
      for (let at = 0; at < bytes.length; at += 4_099) yield bytes.subarray(at, at + 4_099);
    },
    has: async (digest) => stored.get(digest)?.length,
    delete: async (digest) => void stored.delete(digest),
    async *list() {
      for (const [digest, bytes] of stored) yield { digest, bytes: bytes.length };
    },
    verify: async (digest) => stored.has(digest),
    sweep: () => Promise.reject(new Error("nothing here is collected")),
    close: async () => {},
  };
}
