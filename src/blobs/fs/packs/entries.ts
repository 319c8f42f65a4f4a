/**
 * The index of a pack: what its records are, 48 bytes each, so that a pack need not be read to be known. It is derived: lost or damaged,
 * it is made anew from the pack; what a pack has beyond what its index covers is read from the pack.
 *
 *     0 magic · 4 format · 8 bytes of the pack that it covers (48 bits) · 16 entries · 20 of them `gone`, which come first
 *     · 24 CRC-32 of the entries · 60 CRC-32 of the 60 bytes before
 *     entry: 0 name (32 bytes) · 32 offset · 36 stored bytes · 40 bytes (48 bits) · 46 kind · 47 codec
 */
import { crc32 } from "node:zlib";
import { KIND, type Kind, NAME_BYTES } from "./record.ts";

export const ENTRY_BYTES = 48;
/** Where they stand in an entry. */
export const OFFSET_AT = 32;
export const STORED_AT = 36;
export const KIND_AT = 46;
const BYTES_AT = 40;
const CODEC_AT = 47;
const ENTRIES_HEAD_BYTES = 64;

const MAGIC = 0x5844_4e42;
const FORMAT = 1;
const ENTRIES_MIN = 64;

export interface Entry {
  readonly name: Uint8Array;
  readonly offset: number;
  readonly storedBytes: number;
  readonly bytes: number;
  readonly kind: Kind;
  readonly codec: number;
}

/** Entries of a pack, marks apart from the others, each in one piece of memory. */
export class Entries {
  readonly #marks = new Rows();
  readonly #others = new Rows();

  get count(): number {
    return this.#marks.count + this.#others.count;
  }

  add(entry: Omit<Entry, "offset">, offset: number): void {
    (entry.kind === KIND.gone ? this.#marks : this.#others).add(entry, offset);
  }

  /** Those of an index, before those that were added. */
  addFile({ bytes, marks }: EntriesFile): void {
    this.#marks.addBefore(bytes.subarray(0, marks * ENTRY_BYTES));
    this.#others.addBefore(bytes.subarray(marks * ENTRY_BYTES));
  }

  /** Leaves out those at or behind `offset`. */
  cut(offset: number): void {
    this.#marks.cut(offset);
    this.#others.cut(offset);
  }

  *[Symbol.iterator](): Generator<Entry> {
    for (const rows of [this.#marks, this.#others]) {
      for (let index = 0; index < rows.count; index += 1) yield entryAt(rows.bytes, index * ENTRY_BYTES);
    }
  }

  /** As the file has it. */
  encode(covered: number): Buffer {
    const entries = Buffer.concat([this.#marks.bytes, this.#others.bytes]);
    const head = Buffer.alloc(ENTRIES_HEAD_BYTES);
    head.writeUInt32LE(MAGIC, 0);
    head.writeUInt32LE(FORMAT, 4);
    head.writeUIntLE(covered, 8, 6);
    head.writeUInt32LE(this.count, 16);
    head.writeUInt32LE(this.#marks.count, 20);
    head.writeUInt32LE(crc32(entries), 24);
    head.writeUInt32LE(crc32(head.subarray(0, 60)), 60);
    return Buffer.concat([head, entries]);
  }
}

class Rows {
  #bytes = Buffer.alloc(0);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#count * ENTRY_BYTES);
  }

  add({ name, storedBytes, bytes, kind, codec }: Omit<Entry, "offset">, offset: number): void {
    const at = this.#count * ENTRY_BYTES;
    if (at === this.#bytes.length) {
      this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(Math.max(ENTRIES_MIN * ENTRY_BYTES, at))]);
    }
    this.#bytes.set(name, at);
    this.#bytes.writeUInt32LE(offset, at + OFFSET_AT);
    this.#bytes.writeUInt32LE(storedBytes, at + STORED_AT);
    this.#bytes.writeUIntLE(bytes, at + BYTES_AT, 6);
    this.#bytes[at + KIND_AT] = kind;
    this.#bytes[at + CODEC_AT] = codec;
    this.#count += 1;
  }

  addBefore(rows: Buffer): void {
    this.#bytes = Buffer.concat([rows, this.bytes]);
    this.#count += rows.length / ENTRY_BYTES;
  }

  cut(offset: number): void {
    while (this.#count > 0 && this.#bytes.readUInt32LE((this.#count - 1) * ENTRY_BYTES + OFFSET_AT) >= offset)
      this.#count -= 1;
  }
}

export interface EntriesFile {
  /** Bytes of the pack that the entries tell of. */
  readonly covered: number;
  readonly marks: number;
  readonly count: number;
  readonly bytes: Buffer;
}

/** Undefined for what is no sound index. */
export function decodeEntries(file: Buffer): EntriesFile | undefined {
  if (file.length < ENTRIES_HEAD_BYTES || file.readUInt32LE(60) !== crc32(file.subarray(0, 60))) return undefined;
  if (file.readUInt32LE(0) !== MAGIC || file.readUInt32LE(4) !== FORMAT) return undefined;
  const [count, marks] = [file.readUInt32LE(16), file.readUInt32LE(20)];
  const bytes = file.subarray(ENTRIES_HEAD_BYTES);
  if (bytes.length !== count * ENTRY_BYTES || file.readUInt32LE(24) !== crc32(bytes)) return undefined;
  return { covered: file.readUIntLE(8, 6), marks, count, bytes };
}

export function entryAt(bytes: Buffer, at: number): Entry {
  return {
    name: bytes.subarray(at, at + NAME_BYTES),
    offset: bytes.readUInt32LE(at + OFFSET_AT),
    storedBytes: bytes.readUInt32LE(at + STORED_AT),
    bytes: bytes.readUIntLE(at + BYTES_AT, 6),
    kind: bytes[at + KIND_AT] as Kind,
    codec: bytes[at + CODEC_AT] ?? 0,
  };
}
