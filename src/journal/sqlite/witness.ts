/**
 * A witness to what was acknowledged. SQLite drops a torn end of its log without a word; this small file beside the database
 * says how far the log had come. It is written after a commit and never synced, so it can only lag: when it knows more than
 * the database, acknowledged records are gone, and that is damage.
 *
 * Two slots of 16 bytes take turns, so that a torn write leaves the other one: position (64 bits), commit count (32), CRC-32.
 */
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";

const SLOT_BYTES = 16;

export class Witness {
  readonly #file: number;
  readonly #slot = Buffer.alloc(SLOT_BYTES);
  #commits = 0;

  constructor(path: string) {
    this.#file = openSync(path, existsFlag(path), 0o600);
  }

  note(position: number): void {
    this.#commits = (this.#commits + 1) >>> 0;
    this.#slot.writeBigUInt64LE(BigInt(position), 0);
    this.#slot.writeUInt32LE(this.#commits, 8);
    this.#slot.writeUInt32LE(crc32(this.#slot.subarray(0, 12)), 12);
    writeSync(this.#file, this.#slot, 0, SLOT_BYTES, (this.#commits % 2) * SLOT_BYTES);
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** The newest position that the file vouches for; 0 when there is none. */
export function witnessed(path: string): number {
  let newest = 0;
  const bytes = readIfThere(path);
  for (let at = 0; at + SLOT_BYTES <= bytes.length; at += SLOT_BYTES) {
    const slot = bytes.subarray(at, at + SLOT_BYTES);
    if (crc32(slot.subarray(0, 12)) === slot.readUInt32LE(12))
      newest = Math.max(newest, Number(slot.readBigUInt64LE(0)));
  }
  return newest;
}

function readIfThere(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return Buffer.alloc(0);
    throw error;
  }
}

function existsFlag(path: string): "r+" | "w+" {
  return readIfThere(path).length > 0 ? "r+" : "w+";
}
