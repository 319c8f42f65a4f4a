/**
 * The output of one run: the newest of it in memory, and all of it on its way to a store.
 *
 * O1  Memory does not grow with the output: the ring has a size, and a source that is faster than the store is held back.
 * O2  Lines are counted from the first one ever put out, so that a line keeps its number while the ring moves on.
 */

const FIRST_BYTES = 4 * 1024;

/** The newest bytes of an output. */
export class OutputRing {
  readonly #size: number;
  /** Grows to its size with the output: most have little to say. */
  #ring: Buffer;
  /** All bytes that were added. */
  #bytes = 0;
  /** Ends of lines that the ring has lost. */
  #linesLost = 0;

  constructor(size: number) {
    this.#size = size;
    this.#ring = Buffer.alloc(Math.min(size, FIRST_BYTES));
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(chunk: Uint8Array): void {
    this.#grow(this.#bytes + chunk.length);
    const size = this.#ring.length;
    const last = chunk.subarray(Math.max(0, chunk.length - size));
    const dropped = Math.max(0, Math.min(this.#bytes, size) + last.length - size);
    this.#linesLost += newlinesIn(this.#oldest(dropped)) + newlinesIn([chunk.subarray(0, chunk.length - last.length)]);
    const start = (this.#bytes + chunk.length - last.length) % size;
    const toEnd = last.subarray(0, size - start);
    this.#ring.set(toEnd, start);
    this.#ring.set(last.subarray(toEnd.length), 0);
    this.#bytes += chunk.length;
  }

  /** What is kept, and the number of its first line, from 1 (O2). That line lacks its beginning when bytes were lost. */
  kept(): { text: string; firstLine: number } {
    const text = Buffer.concat(this.#oldest(this.#ring.length)).toString("utf8");
    return { text, firstLine: this.#linesLost + 1 };
  }

  /** Before anything is lost, bytes stand where they did: growing is copying. */
  #grow(bytes: number): void {
    const size = this.#ring.length;
    if (bytes <= size || size === this.#size) return;
    const grown = Buffer.alloc(Math.min(this.#size, Math.max(2 * size, bytes)));
    this.#ring.copy(grown);
    this.#ring = grown;
  }

  /** The oldest bytes that are kept, in one or two pieces. */
  #oldest(count: number): Uint8Array[] {
    const size = this.#ring.length;
    const kept = Math.min(this.#bytes, size);
    const wanted = Math.min(count, kept);
    const start = (this.#bytes - kept) % size;
    const first = this.#ring.subarray(start, Math.min(size, start + wanted));
    return [first, this.#ring.subarray(0, wanted - first.length)];
  }
}

function newlinesIn(pieces: readonly Uint8Array[]): number {
  let count = 0;
  for (const piece of pieces) for (let at = piece.indexOf(10); at >= 0; at = piece.indexOf(10, at + 1)) count += 1;
  return count;
}

/** Bytes on their way to a store; over so many, the source is held back (O1). */
const SPOOL_BYTES_MAX = 1024 * 1024;

/** What was put out and is not stored yet. */
export class Spool {
  readonly #hold: (held: boolean) => void;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #ended = false;
  #isLost = false;
  #wake: (() => void) | undefined;

  /** @param hold has the source stop, or go on */
  constructor(hold: (held: boolean) => void) {
    this.#hold = hold;
  }

  add(chunk: Uint8Array): void {
    if (this.#isLost) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > SPOOL_BYTES_MAX) this.#hold(true);
    this.#wake?.();
  }

  /** Nobody reads any more: what comes is let go, and the source is not held for it. */
  discard(): void {
    this.#isLost = true;
    this.#chunks = [];
    this.#hold(false);
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunks = this.#chunks;
      this.#chunks = [];
      this.#bytes = 0;
      this.#hold(false);
      if (chunks.length > 0) yield Buffer.concat(chunks);
      else if (this.#ended) return;
      else {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#wake = resolve;
        await promise;
      }
    }
  }
}
