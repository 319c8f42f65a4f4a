/**
 * Reads the records of a pack without its index: what a process that was killed left, or a pack whose index is lost.
 *
 * N1  A record counts when its header and its stored bytes are what they were: what a crash cut short does not.
 * N2  Behind what is damaged the next sound record is found.
 */
import type { FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { decodeHeader, HEADER_BYTES, type Header, nextMagic, PACK_HEAD, recordBytes } from "./record.ts";

const WINDOW_BYTES = 1024 * 1024;

export interface Scanned {
  /** Behind the last record that counts. */
  readonly end: number;
  /** Records whose header is sound and whose stored bytes are not. */
  readonly unsound: number;
}

/** Tells of the records between `from` and `size`, in order. @throws what the file system says */
export async function scanPack(
  file: FileHandle,
  { from, size }: { from: number; size: number },
  onRecord: (header: Header, offset: number) => void,
): Promise<Scanned> {
  const reader = new Reader(file, size);
  let at = Math.max(from, PACK_HEAD.length);
  let end = at;
  let unsound = 0;
  while (at + HEADER_BYTES <= size) {
    const header = decodeHeader(await reader.bytes(at, HEADER_BYTES));
    const next = header && at + recordBytes(header.storedBytes);
    if (!header || next === undefined || next > size) {
      at = await reader.magicBehind(at + 1);
      continue;
    }
    if ((await reader.crc(at + HEADER_BYTES, header.storedBytes)) === header.crc) {
      onRecord(header, at);
      end = next;
    } else unsound += 1;
    at = next;
  }
  return { end, unsound };
}

/** A window that moves on over a file. */
class Reader {
  readonly #file: FileHandle;
  readonly #size: number;
  readonly #window = Buffer.allocUnsafeSlow(WINDOW_BYTES);
  #from = 0;
  #length = 0;

  constructor(file: FileHandle, size: number) {
    this.#file = file;
    this.#size = size;
  }

  /** Up to the length of the window; fewer where the file ends. */
  async bytes(at: number, length: number): Promise<Buffer> {
    const isThere = at >= this.#from && at + length <= this.#from + this.#length;
    if (!isThere) {
      this.#from = at;
      this.#length = 0;
      const wanted = Math.min(WINDOW_BYTES, this.#size - at);
      while (this.#length < wanted) {
        const { bytesRead } = await this.#file.read(
          this.#window,
          this.#length,
          wanted - this.#length,
          at + this.#length,
        );
        if (bytesRead === 0) break;
        this.#length += bytesRead;
      }
    }
    const start = at - this.#from;
    return this.#window.subarray(start, Math.min(start + length, this.#length));
  }

  async crc(at: number, length: number): Promise<number> {
    let crc = 0;
    for (let done = 0; done < length; ) {
      const piece = await this.bytes(at + done, Math.min(WINDOW_BYTES, length - done));
      if (piece.length === 0) return -1;
      crc = crc32(piece, crc);
      done += piece.length;
    }
    return crc;
  }

  /** Where something that looks like a header begins, at or behind `from`; the size of the file when nothing does. */
  async magicBehind(from: number): Promise<number> {
    for (let at = from; at < this.#size; ) {
      const piece = await this.bytes(at, Math.min(WINDOW_BYTES, this.#size - at));
      const found = nextMagic(piece, 0);
      if (found >= 0) return at + found;
      if (piece.length < HEADER_BYTES) return this.#size;
      at += piece.length - 3;
    }
    return this.#size;
  }
}
