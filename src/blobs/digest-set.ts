/**
 * A set of digests that takes 8 bytes for each, by their first 64 bits: so a million of them are no burden. It may hold one to be in it that is
 * not, once in 2^64 / size: good for what is to be kept, and for nothing else.
 */
import type { Digest } from "./blobs.ts";

const SLOTS_MIN = 1_024;
const PREFIX = "sha256:".length;

export class DigestSet {
  #words = new Uint32Array(SLOTS_MIN * 2);
  #size = 0;
  /** The print of zeros, which stands for an empty slot. */
  #hasZero = false;

  get size(): number {
    return this.#size + (this.#hasZero ? 1 : 0);
  }

  add(digest: Digest): void {
    this.addPrint(wordOf(digest, 0), wordOf(digest, 8));
  }

  has(digest: Digest): boolean {
    return this.hasPrint(wordOf(digest, 0), wordOf(digest, 8));
  }

  /** The first and the second 32 bits. */
  addPrint(high: number, low: number): void {
    if (high === 0 && low === 0) this.#hasZero = true;
    else if (this.#set(high, low)) this.#size += 1;
    if (this.#size * 4 > this.#words.length) this.#grow();
  }

  hasPrint(high: number, low: number): boolean {
    if (high === 0 && low === 0) return this.#hasZero;
    const at = this.#find(high, low);
    return this.#words[at] === high && this.#words[at + 1] === low;
  }

  #set(high: number, low: number): boolean {
    const at = this.#find(high, low);
    if (this.#words[at] === high && this.#words[at + 1] === low) return false;
    this.#words[at] = high;
    this.#words[at + 1] = low;
    return true;
  }

  /** Where it is, or where it would be. */
  #find(high: number, low: number): number {
    const words = this.#words;
    const mask = words.length / 2 - 1;
    for (let slot = (low ^ high) & mask; ; slot = (slot + 1) & mask) {
      const at = slot * 2;
      if ((words[at] === 0 && words[at + 1] === 0) || (words[at] === high && words[at + 1] === low)) return at;
    }
  }

  #grow(): void {
    const old = this.#words;
    this.#words = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += 2) {
      const [high, low] = [old[at] as number, old[at + 1] as number];
      if (high !== 0 || low !== 0) this.#set(high, low);
    }
  }
}

function wordOf(digest: Digest, from: number): number {
  return Number.parseInt(digest.slice(PREFIX + from, PREFIX + from + 8), 16);
}
