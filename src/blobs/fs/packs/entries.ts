/**
 * The index of a pack: what its records are, 48 bytes each, so that a pack need not be read to be known. It is derived: lost or damaged,
 * it is made anew from the pack; what a pack has beyond what its index covers is read from the pack.
 *
 *     0 magic · 4 format · 8 bytes of the pack that it covers (48 bits) · 16 entries · 20 of them `gone`, which come first
 *     · 24 CRC-32 of the entries · 60 CRC-32 of the 60 bytes before
 *     entry: 0 name (32 bytes) · 32 offset · 36 stored bytes · 40 bytes (48 bits) · 46 kind · 47 codec
 */
import { crc32 } from "node:zlib";
import { type Header, KIND, type Kind, NAME_BYTES } from "./record.ts";

export const ENTRY_BYTES = 48;
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

/** Entries in one piece of memory. */
export class Entries {
  #bytes = Buffer.alloc(ENTRIES_MIN * ENTRY_BYTES);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add({ name, storedBytes, bytes, kind, codec }: Omit<Header, "crc" | "time">, offset: number): void {
    if ((this.#count + 1) * ENTRY_BYTES > this.#bytes.length) {
      this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(this.#bytes.length)]);
    }
    const at = this.#count * ENTRY_BYTES;
    this.#bytes.set(name, at);
    this.#bytes.writeUInt32LE(offset, at + 32);
    this.#bytes.writeUInt32LE(storedBytes, at + 36);
    this.#bytes.writeUIntLE(bytes, at + 40, 6);
    this.#bytes[at + 46] = kind;
    this.#bytes[at + 47] = codec;
    this.#count += 1;
  }

  /** Leaves out those at or behind `offset`. */
  cut(offset: number): void {
    while (this.#count > 0 && this.#bytes.readUInt32LE((this.#count - 1) * ENTRY_BYTES + 32) >= offset)
      this.#count -= 1;
  }

  *[Symbol.iterator](): Generator<Entry> {
    for (let index = 0; index < this.#count; index += 1) yield entryAt(this.#bytes, index * ENTRY_BYTES);
  }

  /** As the file has it. */
  encode(covered: number): Buffer {
    const marks = [...this].filter(isMark);
    const others = [...this].filter((entry) => !isMark(entry));
    const sorted = new Entries();
    for (const entry of [...marks, ...others]) sorted.add(entry, entry.offset);
    const entries = sorted.#bytes.subarray(0, sorted.#count * ENTRY_BYTES);
    const head = Buffer.alloc(ENTRIES_HEAD_BYTES);
    head.writeUInt32LE(MAGIC, 0);
    head.writeUInt32LE(FORMAT, 4);
    head.writeUIntLE(covered, 8, 6);
    head.writeUInt32LE(sorted.#count, 16);
    head.writeUInt32LE(marks.length, 20);
    head.writeUInt32LE(crc32(entries), 24);
    head.writeUInt32LE(crc32(head.subarray(0, 60)), 60);
    return Buffer.concat([head, entries]);
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
    offset: bytes.readUInt32LE(at + 32),
    storedBytes: bytes.readUInt32LE(at + 36),
    bytes: bytes.readUIntLE(at + 40, 6),
    kind: bytes[at + 46] as Kind,
    codec: bytes[at + 47] ?? 0,
  };
}

function isMark({ kind }: Entry): boolean {
  return kind === KIND.gone;
}
