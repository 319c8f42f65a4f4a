/**
 * The blobs port: bytes stored under the digest of their content. What it promises, on every adapter:
 *
 * B1  A put that resolved is durable, and whole or absent.
 * B2  The same bytes have one digest and are stored once, whoever puts them and however often at once.
 * B3  Bytes that do not match their digest are detected and never served as sound.
 * B4  Memory in use does not grow with a blob's size.
 * B5  A sweep removes nothing that it is told to keep, nor what was put, or put again, within its grace; whenever it is cut short.
 */
import { hash } from "node:crypto";
import { BanyanError } from "../base/errors.ts";

/** `sha256:` and 64 hexadecimal digits. */
export type Digest = `sha256:${string}`;

export interface BlobInfo {
  readonly digest: Digest;
  readonly bytes: number;
}

/** From `from` on, up to but without `to`; both whole numbers from 0. What lies beyond the end is not there. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

export interface SweepOptions {
  /** Whether somebody refers to a blob. Asked at any time until the sweep is over. */
  keeps(digest: Digest): boolean;
  /**
   * What this process put, or put again, no longer ago is left alone: its event may still be on the way. Whoever remembers a digest puts
   * the bytes again before it refers to them, once it was put longer ago than half of this.
   */
  readonly graceMs: number;
  /** Removes nothing, and says what it would. */
  readonly dryRun: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface Swept {
  readonly kept: number;
  readonly removed: number;
  /** Of the contents that were removed. */
  readonly removedBytes: number;
  /** Of the store, before and after; after a dry run, what it would be at most. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

/** Once closed, everything is refused with SHUTTING_DOWN. A digest of another form is refused with INPUT_INVALID. */
export interface Blobs {
  /**
   * Stores bytes, which must not be changed meanwhile, and resolves when they are durable (B1, B2). Bytes that stood there and
   * were damaged are replaced.
   * @throws DISK_FAILED (nothing was kept); whatever the stream throws
   */
  put(content: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobInfo>;

  /**
   * The bytes, or those of a range, in chunks that are not empty. A whole read is checked against the digest before its last
   * chunk is handed over (B3); a range is not. A blob that is deleted meanwhile is read whole, or not found.
   * @throws BLOB_NOT_FOUND, BLOB_DAMAGED, DISK_FAILED, INPUT_INVALID (the range)
   */
  get(digest: Digest, range?: Range): AsyncIterable<Uint8Array>;

  /** Size in bytes, or undefined when it is not there. @throws DISK_FAILED */
  has(digest: Digest): Promise<number | undefined>;

  /** Removes it; harmless when it is not there. A power cut may bring it back, whole. @throws DISK_FAILED */
  delete(digest: Digest): Promise<void>;

  /**
   * All blobs, in no particular order; one that is put or deleted meanwhile may be among them, and one that a sweep moves
   * meanwhile twice. @throws DISK_FAILED
   */
  list(): AsyncIterable<BlobInfo>;

  /** Reads one blob whole and says whether it is there and its bytes match its digest. @throws DISK_FAILED */
  verify(digest: Digest): Promise<boolean>;

  /**
   * Removes what nobody refers to, and gives its room back, beside puts and reads (B5).
   * @throws DISK_FAILED, DATA_IN_USE (another one is under way), INPUT_INVALID (a grace longer than it remembers), the signal's reason
   */
  sweep(options: SweepOptions): Promise<Swept>;

  /** Waits for puts under way. Twice is harmless. */
  close(): Promise<void>;
}

const DIGEST_SYNTAX = /^sha256:[0-9a-f]{64}$/;

export function isDigest(text: unknown): text is Digest {
  return typeof text === "string" && DIGEST_SYNTAX.test(text);
}

export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${hash("sha256", bytes)}`;
}

/** @throws INPUT_INVALID */
export function checkDigest(digest: unknown): asserts digest is Digest {
  if (isDigest(digest)) return;
  throw new BanyanError("INPUT_INVALID", `not a digest: ${JSON.stringify(String(digest).slice(0, 80))}`);
}

/** @throws INPUT_INVALID */
export function checkRange({ from, to }: Range): void {
  if ([from, to].every((at) => Number.isSafeInteger(at) && at >= 0)) return;
  throw new BanyanError("INPUT_INVALID", `not a range of bytes: from ${from} to ${to}`);
}
