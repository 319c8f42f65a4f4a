/**
 * The blobs port: bytes stored under the digest of their content. What it promises, on every adapter:
 *
 * B1  A put that resolved is durable, and whole or absent.
 * B2  The same bytes have one digest and are stored once, whoever puts them and however often at once.
 * B3  Bytes that do not match their digest are detected and never served as sound.
 * B4  Memory in use does not grow with a blob's size.
 */

/** `sha256:` and 64 hexadecimal digits. */
export type Digest = `sha256:${string}`;

export interface BlobInfo {
  readonly digest: Digest;
  readonly bytes: number;
}

export interface Blobs {
  /**
   * Stores bytes and resolves when they are durable (B1, B2).
   * @throws DISK_FAILED, CONTENT_TOO_LARGE
   */
  put(content: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobInfo>;

  /**
   * The bytes, or those with `from <= offset < to`. A whole read is checked against the digest before its last chunk
   * is handed over (B3); a range is not.
   * @throws BLOB_NOT_FOUND, BLOB_DAMAGED
   */
  get(digest: Digest, range?: { from: number; to: number }): AsyncIterable<Uint8Array>;

  /** Size in bytes, or undefined when it is not there. */
  has(digest: Digest): Promise<number | undefined>;

  /** Removes it; harmless when it is not there. */
  delete(digest: Digest): Promise<void>;

  /** All blobs, in no particular order. */
  list(): AsyncIterable<BlobInfo>;

  /** Reads one blob whole and says whether its bytes match its digest. */
  verify(digest: Digest): Promise<boolean>;

  close(): Promise<void>;
}

const DIGEST_SYNTAX = /^sha256:[0-9a-f]{64}$/;

export function isDigest(text: unknown): text is Digest {
  return typeof text === "string" && DIGEST_SYNTAX.test(text);
}
