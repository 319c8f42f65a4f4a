/**
 * A witness to what was acknowledged. SQLite drops a torn end of its log without a word; this small file beside the database
 * says how far the log had come. It is written after a commit and never synced, so it can only lag: when it knows more than
 * the database, acknowledged records are gone, and that is damage.
 *
 * Two slots of 16 bytes take turns, so that a torn write leaves the other one: position (64 bits), commit count (32), CRC-32.
 */
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";

const SLOT_BYTES = 16;
const FILE = "witness";

export class Witness {
  readonly #file: number;
  readonly #slot = Buffer.alloc(SLOT_BYTES);
  #commits = 0;

  /** @throws whatever the file system says */
  constructor(folder: string) {
    const path = join(folder, FILE);
    const isThere = readIfThere(path).length === 2 * SLOT_BYTES;
    this.#file = openSync(path, isThere ? "r+" : "w+", 0o600);
    // The room is taken now: a full disk does not keep it from being written later.
    if (!isThere) writeSync(this.#file, Buffer.alloc(2 * SLOT_BYTES));
  }

  /** Records up to the position are durable. A witness that cannot be written lags, and says nothing that is not so. */
  note(position: number): void {
    this.#commits = (this.#commits + 1) >>> 0;
    this.#slot.writeBigUInt64LE(BigInt(position), 0);
    this.#slot.writeUInt32LE(this.#commits, 8);
    this.#slot.writeUInt32LE(crc32(this.#slot.subarray(0, 12)), 12);
    try {
      writeSync(this.#file, this.#slot, 0, SLOT_BYTES, (this.#commits % 2) * SLOT_BYTES);
    } catch {
      // The records themselves are safe, which is what was asked for.
    }
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** The newest position that the folder's witness vouches for; 0 when it has none. */
export function witnessed(folder: string): number {
  let newest = 0;
  const bytes = readIfThere(join(folder, FILE));
  for (let at = 0; at + SLOT_BYTES <= bytes.length; at += SLOT_BYTES) {
    const slot = bytes.subarray(at, at + SLOT_BYTES);
    const position = slot.readBigUInt64LE(0);
    const isSound = slot.readUInt32LE(12) === crc32(slot.subarray(0, 12)) && position <= Number.MAX_SAFE_INTEGER;
    if (isSound) newest = Math.max(newest, Number(position));
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
