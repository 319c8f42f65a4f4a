/**
 * How a record stands in a pack: a header of 64 bytes, the stored bytes, zeros up to a multiple of 8.
 *
 *     0 magic · 4 kind · 5 codec · 8 stored bytes (32 bits) · 12 bytes (48 bits) · 20 name (32 bytes) · 52 CRC-32 of the stored bytes
 *     · 56 time in seconds · 60 CRC-32 of the 60 bytes before; little-endian
 *
 * K1  A header says where its record ends, and is told from anything else by its own check value.
 * K2  What is stored is checked twice: by the CRC-32 without unpacking it, by its name (the SHA-256 of the bytes) with.
 */
import { hash } from "node:crypto";
import { crc32 } from "node:zlib";

/**
 * `blob` a whole; `chunk` a piece of a larger one; `list` the chunks of a large one, under its own name; `gone` takes a record back.
 */
export const KIND = { blob: 1, chunk: 2, list: 3, gone: 4 } as const;
export type Kind = (typeof KIND)[keyof typeof KIND];

export const HEADER_BYTES = 64;
export const NAME_BYTES = 32;
/** What a pack begins with. */
export const PACK_HEAD = Buffer.from("banyan pack 1\n\0\0");

const MAGIC = 0x5243_4e42;
const ALIGNMENT = 8;
/** What a writer makes is smaller by far; what is larger is no header. */
const STORED_BYTES_MAX = 64 * 1024 * 1024;
/** Zeros that end a record. */
const PADDING = new Uint8Array(ALIGNMENT);
const MAGIC_BYTES = Buffer.alloc(4);
MAGIC_BYTES.writeUInt32LE(MAGIC);

export interface Header {
  readonly kind: Kind;
  /** 0 as it is, 1 zstd. */
  readonly codec: number;
  readonly storedBytes: number;
  /** Of the content; of a list, of all its chunks together. */
  readonly bytes: number;
  /** The digest as 32 bytes; of `gone`, what it takes back. */
  readonly name: Uint8Array;
  readonly crc: number;
  /** Seconds since the epoch. */
  readonly time: number;
}

export function encodeHeader({ kind, codec, storedBytes, bytes, name, crc, time }: Header): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(MAGIC, 0);
  header[4] = kind;
  header[5] = codec;
  header.writeUInt32LE(storedBytes, 8);
  header.writeUIntLE(bytes, 12, 6);
  header.set(name, 20);
  header.writeUInt32LE(crc, 52);
  header.writeUInt32LE(time >>> 0, 56);
  header.writeUInt32LE(crc32(header.subarray(0, 60)), 60);
  return header;
}

/** Undefined for what is no header (K1). */
export function decodeHeader(bytes: Buffer, at = 0): Header | undefined {
  if (bytes.length < at + HEADER_BYTES || bytes.readUInt32LE(at) !== MAGIC) return undefined;
  if (bytes.readUInt32LE(at + 60) !== crc32(bytes.subarray(at, at + 60))) return undefined;
  const storedBytes = bytes.readUInt32LE(at + 8);
  if (storedBytes > STORED_BYTES_MAX) return undefined;
  return {
    kind: bytes[at + 4] as Kind,
    codec: bytes[at + 5] ?? 0,
    storedBytes,
    bytes: bytes.readUIntLE(at + 12, 6),
    name: Uint8Array.prototype.slice.call(bytes, at + 20, at + 20 + NAME_BYTES),
    crc: bytes.readUInt32LE(at + 52),
    time: bytes.readUInt32LE(at + 56),
  };
}

/** Where the next header may stand, at or behind `from`; -1 when there is none in these bytes. */
export function nextMagic(bytes: Buffer, from: number): number {
  return bytes.indexOf(MAGIC_BYTES, from);
}

export function recordBytes(storedBytes: number): number {
  return HEADER_BYTES + Math.ceil(storedBytes / ALIGNMENT) * ALIGNMENT;
}

export function paddingFor(storedBytes: number): Uint8Array {
  return PADDING.subarray(0, recordBytes(storedBytes) - HEADER_BYTES - storedBytes);
}

export function nameOf(bytes: Uint8Array): Buffer {
  return hash("sha256", bytes, "buffer");
}
