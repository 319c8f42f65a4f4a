/**
 * Lines of a text of any length that match a pattern. The text flows by: what is kept is the line at hand, up to the length that is
 * searched, and the matches that are shown, up to LIMITS.readBytesMax.
 */
import { type Clock, sleep } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Pattern } from "../files/pattern.ts";
import { isBinary } from "../lines.ts";

export interface Search {
  readonly matches: Pattern;
  /** The first line that is searched, from 1. */
  readonly offset: number;
  /** Matches that are shown at most. */
  readonly limit: number;
}

/** Other work waits no longer than this for a search. */
const BUSY_MS_MAX = 10;

/**
 * `<label>: N matches in lines A-T`, then `LINE:text` for each that is shown, and where to go on when that is not all.
 * @throws the signal's reason
 */
export async function searchLines(
  label: string,
  chunks: AsyncIterable<Uint8Array>,
  search: Search,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<string> {
  const scan = new Scan(search);
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let bytes = 0;
  let busySinceMs = clock.monotonic();
  for await (const chunk of chunks) {
    if (isBinary(chunk, bytes)) return `${label}: binary`;
    bytes += chunk.length;
    for (const piece of scan.pieces(decoder.decode(chunk, { stream: true }))) {
      scan.take(piece);
      if (clock.monotonic() - busySinceMs < BUSY_MS_MAX) continue;
      await sleep(clock, 0, signal);
      busySinceMs = clock.monotonic();
    }
  }
  scan.take(decoder.decode());
  return scan.answer(label);
}

class Scan {
  readonly #search: Search;
  readonly #shown: string[] = [];
  #shownBytes = 0;
  #found = 0;
  #longLines = 0;
  /** Number of the line at hand, what is kept of it, and how long it is so far. */
  #number = 1;
  #line = "";
  #length = 0;
  /** The first match that is not shown. */
  #next: number | undefined;

  constructor(search: Search) {
    this.#search = search;
  }

  /** Cut behind each newline. */
  *pieces(text: string): Generator<string> {
    for (let from = 0; from < text.length; ) {
      const newline = text.indexOf("\n", from);
      const to = newline < 0 ? text.length : newline + 1;
      yield text.slice(from, to);
      from = to;
    }
  }

  take(piece: string): void {
    const ends = piece.endsWith("\n");
    const part = ends ? piece.slice(0, -1) : piece;
    this.#line += part.slice(0, LIMITS.searchLineLengthMax - this.#line.length);
    this.#length += piece.length;
    if (!ends) return;
    this.#look();
    this.#number += 1;
    this.#line = "";
    this.#length = 0;
  }

  answer(label: string): string {
    if (this.#length > 0) this.#look();
    const total = this.#length > 0 ? this.#number : this.#number - 1;
    const cut = this.#next === undefined ? [] : [`... not all shown: continue with offset ${this.#next}`];
    const long = this.#longLines === 0 ? [] : [`... lines searched only in part, being long: ${this.#longLines}`];
    const heading = `${label}: ${this.#found} matches in lines ${Math.min(this.#search.offset, total)}-${total}`;
    return [heading, ...this.#shown, ...cut, ...long].join("\n");
  }

  #look(): void {
    const { matches, offset, limit } = this.#search;
    if (this.#number < offset) return;
    if (this.#length > LIMITS.searchLineLengthMax) this.#longLines += 1;
    const line = this.#line.endsWith("\r") ? this.#line.slice(0, -1) : this.#line;
    if (!matches(line)) return;
    this.#found += 1;
    if (this.#next !== undefined) return;
    const shown = `${this.#number}:${line.slice(0, LIMITS.searchShownLengthMax).toWellFormed()}`;
    this.#shownBytes += Buffer.byteLength(shown) + 1;
    if (this.#shown.length < limit && this.#shownBytes <= LIMITS.readBytesMax) this.#shown.push(shown);
    else this.#next = this.#number;
  }
}
