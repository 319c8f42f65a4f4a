/**
 * Redacts bytes that come in pieces, wherever a secret is cut. Bytes that are no text pass as they are.
 *
 * Z1  What comes out, put together, is what the whole would be redacted to, for secrets of up to LENGTH_MAX characters.
 * Z2  What may be the beginning of a secret waits for what follows; a bounded part of the output is held at any moment.
 */
import type { Redact } from "./redact.ts";

/** Of a secret with blanks in it; the others, and blocks of keys, may be as long as what waits. */
const LENGTH_MAX = 4 * 1024;
/** Longest word, and longest block of a key, that is waited for. */
const OPEN_MAX = 64 * 1024;
/** An open word that is shorter shows nothing of a secret. */
const SHOWN_MAX = 12;
const OUTSIDE_WORD = /[^\w.+/=-]/;

export class RedactedStream {
  readonly #redact: Redact;
  /** Redacted, and looked at again with what follows. */
  #closed = "";
  /** As it came: a word, or the block of a key, whose end is not there yet. */
  #open = "";

  constructor(redact: Redact) {
    this.#redact = redact;
  }

  /** Returns what can go on. */
  add(chunk: Uint8Array): Uint8Array {
    // A character for each byte: whatever the bytes are, they come out the same.
    const text =
      this.#closed + this.#open + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString("latin1");
    const end = closedLength(text);
    const done = this.#redact(text.slice(0, end));
    const cut = wordEnd(done, done.length - LENGTH_MAX);
    this.#open = text.slice(end);
    this.#closed = done.slice(cut);
    return Buffer.from(done.slice(0, cut), "latin1");
  }

  /** Returns the rest. */
  end(): Uint8Array {
    const rest = this.#redact(this.#closed + this.#open);
    this.#closed = "";
    this.#open = "";
    return Buffer.from(rest, "latin1");
  }

  /** What waits, as far as it can be shown. */
  get pending(): Uint8Array {
    return Buffer.from(this.#closed + (this.#open.length < SHOWN_MAX ? this.#open : ""), "latin1");
  }
}

/** Up to where everything is whole: Z2. */
function closedLength(text: string): number {
  let end = wordEnd(text, text.length);
  if (text.length - end > OPEN_MAX) end = text.length;
  const block = text.lastIndexOf("-----BEGIN ");
  if (block < 0 || text.length - block > OPEN_MAX) return end;
  const last = text.indexOf("-----END ", block);
  const dashes = last < 0 ? -1 : text.indexOf("-----", last + "-----END ".length);
  return dashes >= 0 && dashes + "-----".length <= end ? end : Math.min(end, block);
}

/** The last place up to `most` behind which no word goes on; `most` itself when there is none near. */
function wordEnd(text: string, most: number): number {
  const least = Math.max(0, most - OPEN_MAX - 1);
  for (let at = most; at > least; at--) if (OUTSIDE_WORD.test(text[at - 1] as string)) return at;
  return most > OPEN_MAX ? most : 0;
}
