/** What is kept of an output of any length: its beginning and its end, because that is where programs say what matters. */

export class KeptOutput {
  #bytes = 0;
  readonly #headBytesMax: number;
  readonly #tailBytesMax: number;
  /** Both are copied into: pieces of an output can be of one byte, and each would cost far more than that to keep. */
  #head: Buffer | undefined;
  /** A ring: the byte `i` after the head is at `i % tailBytesMax`. */
  #tail: Buffer | undefined;

  /** @param bytesMax of which half goes to the beginning and half to the end */
  constructor(bytesMax: number) {
    this.#tailBytesMax = Math.floor(bytesMax / 2);
    this.#headBytesMax = bytesMax - this.#tailBytesMax;
  }

  /** All that was added, kept or not. */
  get bytes(): number {
    return this.#bytes;
  }

  add(chunk: Uint8Array): void {
    const headRoom = Math.max(0, this.#headBytesMax - this.#bytes);
    if (headRoom > 0) {
      this.#head ??= Buffer.allocUnsafe(this.#headBytesMax);
      this.#head.set(chunk.subarray(0, headRoom), this.#bytes);
    }
    if (chunk.length > headRoom) this.#addToTail(chunk.subarray(headRoom), this.#bytes + headRoom - this.#headBytesMax);
    this.#bytes += chunk.length;
  }

  /** The text, with a line in place of what is left out. */
  text(): string {
    const head = this.#head?.subarray(0, this.#bytes) ?? Buffer.alloc(0);
    const tailBytes = Math.max(0, this.#bytes - this.#headBytesMax);
    if (!this.#tail || tailBytes === 0) return head.toString("utf8");
    if (tailBytes <= this.#tailBytesMax)
      return Buffer.concat([head, this.#tail.subarray(0, tailBytes)]).toString("utf8");
    const start = tailBytes % this.#tailBytesMax;
    const tail = Buffer.concat([this.#tail.subarray(start), this.#tail.subarray(0, start)]);
    return `${head.toString("utf8")}\n[... ${tailBytes - this.#tailBytesMax} bytes left out ...]\n${tail.toString("utf8")}`;
  }

  /** @param at place of the chunk's first byte, counted from the end of the head */
  #addToTail(chunk: Uint8Array, at: number): void {
    this.#tail ??= Buffer.allocUnsafe(this.#tailBytesMax);
    const last = chunk.subarray(Math.max(0, chunk.length - this.#tailBytesMax));
    const start = (at + chunk.length - last.length) % this.#tailBytesMax;
    const toEnd = last.subarray(0, this.#tailBytesMax - start);
    this.#tail.set(toEnd, start);
    this.#tail.set(last.subarray(toEnd.length), 0);
  }
}
