/**
 * Some lines of a text of any length, with the exact count of all of them. The text flows by; only the lines that were asked
 * for are kept, and of those no more than LIMITS.readBytesMax.
 */
import { LIMITS } from "../base/limits.ts";
import { badField } from "./define.ts";

export interface Wanted {
  /** The first line, from 1. */
  readonly offset: number;
  readonly limit: number;
}

/**
 * `<label>: lines A-B of T, N bytes`, then the lines, without the newline that ends the last one. A text with a NUL in its first 8 KiB is binary and answered by
 * `<label>: binary, N bytes`.
 * @param bytes the size where it is known: a binary is then not read to its end
 * @throws INPUT_INVALID when there is no line `offset`
 */
export async function showLines(
  label: string,
  chunks: AsyncIterable<Uint8Array>,
  wanted: Wanted,
  bytes?: number,
): Promise<string> {
  const scan = new Scan(wanted);
  for await (const chunk of chunks) {
    scan.take(chunk);
    if (scan.binary && bytes !== undefined) return `${label}: binary, ${bytes} bytes`;
  }
  if (scan.binary) return `${label}: binary, ${scan.bytes} bytes`;
  const { total, first, last, text } = scan.end();
  if (total > 0 && wanted.offset > total) throw badField("offset", `${label} has ${total} lines`);
  return `${label}: lines ${first}-${last} of ${total}, ${scan.bytes} bytes${last > 0 ? `\n${text}` : ""}`;
}

/** True when a text has a NUL in its first 8 KiB; `piece` stands at `offset` in it. */
export function isBinary(piece: Uint8Array, offset = 0): boolean {
  return offset < SNIFFED_BYTES && piece.subarray(0, SNIFFED_BYTES - offset).includes(0);
}

const SNIFFED_BYTES = 8 * 1024;
const NEWLINE = 0x0a;

class Scan {
  bytes = 0;
  binary = false;
  readonly #first: number;
  readonly #lastWanted: number;
  /** Number of the line that the next byte belongs to. */
  #line = 1;
  #lastByte = NEWLINE;
  readonly #kept: Uint8Array[] = [];
  #keptBytes = 0;
  /** Bytes kept of whole lines: a line that turns out not to fit is dropped. */
  #wholeBytes = 0;
  /** The last line kept, once no more fits. */
  #fullAt: number | undefined;
  #firstIsCut = false;

  constructor({ offset, limit }: Wanted) {
    this.#first = offset;
    this.#lastWanted = offset + limit - 1;
  }

  take(chunk: Uint8Array): void {
    this.binary ||= isBinary(chunk, this.bytes);
    this.bytes += chunk.length;
    if (this.binary || chunk.length === 0) return;
    this.#lastByte = chunk.at(-1) as number;
    for (let from = 0; from < chunk.length; ) {
      const newline = chunk.indexOf(NEWLINE, from);
      const to = newline < 0 ? chunk.length : newline + 1;
      if (this.#line >= this.#first && this.#line <= this.#lastWanted && this.#fullAt === undefined)
        this.#keep(chunk.subarray(from, to));
      if (newline >= 0) {
        this.#line++;
        this.#wholeBytes = this.#keptBytes;
      }
      from = to;
    }
  }

  end(): { total: number; first: number; last: number; text: string } {
    const total = this.#lastByte === NEWLINE ? this.#line - 1 : this.#line;
    const last = this.#fullAt ?? Math.min(this.#lastWanted, total);
    const kept = Buffer.concat(this.#kept).subarray(0, this.#keptBytes);
    // Decoding as a stream leaves out a character that the cut went through.
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(kept, { stream: this.#firstIsCut });
    const cut = `\n[line ${this.#first} is longer than ${LIMITS.readBytesMax} bytes and cut here]`;
    const shown = this.#firstIsCut ? text + cut : text.replace(/\n$/, "");
    return { total, first: total === 0 ? 0 : this.#first, last: total === 0 ? 0 : last, text: shown };
  }

  #keep(piece: Uint8Array): void {
    const room = LIMITS.readBytesMax - this.#keptBytes;
    this.#firstIsCut = piece.length > room && this.#line === this.#first;
    if (piece.length > room) this.#fullAt = Math.max(this.#first, this.#line - 1);
    if (piece.length <= room || this.#firstIsCut) {
      // A copy: the reader may use its buffer again.
      const copy = Uint8Array.from(piece.subarray(0, room));
      this.#kept.push(copy);
      this.#keptBytes += copy.length;
    } else {
      this.#keptBytes = this.#wholeBytes;
    }
  }
}
