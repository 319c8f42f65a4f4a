/**
 * Where the records of packs stand, by the first 64 bits of their names: 24 bytes a record, so that a million of them take some 50 MB and
 * are there in a fraction of a second. Two names may share those bits: whoever asks gets all places, and looks into the records.
 *
 * T1  It is made of 256 small tables, each of which grows by itself: no growth keeps anyone waiting.
 * T2  Adding, finding, moving and removing do not wait, so nothing comes in between.
 */
import { assert } from "../../../base/assert.ts";
import { KIND } from "./record.ts";

/** Of a blob or a list: found by the digest of a whole. Of a chunk: found by a list alone. */
export type Role = "whole" | "piece";

export interface Place {
  /** Number of the pack in this process. */
  readonly pack: number;
  readonly offset: number;
  readonly kind: number;
  readonly storedBytes: number;
}

/** What tells a record from all others. */
export type Spot = Omit<Place, "storedBytes">;

/** The first 64 bits of a name. */
export interface Print {
  readonly high: number;
  readonly low: number;
}

const TABLES = 256;
const WORDS = 6;
const SLOTS_MIN = 16;
const EMPTY = 0;
const REMOVED = 0xffff_ffff;
/** Kinds that are found: blob, chunk, list. */
const KIND_BITS = 2;

export function printOf(name: Uint8Array, at = 0): Print {
  const word = (from: number) =>
    (((name[from] ?? 0) << 24) |
      ((name[from + 1] ?? 0) << 16) |
      ((name[from + 2] ?? 0) << 8) |
      (name[from + 3] ?? 0)) >>>
    0;
  return { high: word(at), low: word(at + 4) };
}

export class DigestTable {
  readonly #tables = Array.from({ length: TABLES }, () => new Table());

  get size(): number {
    return this.#tables.reduce((sum, { size }) => sum + size, 0);
  }

  /** `touched`: see `touchedAt`. */
  add(print: Print, place: Place, touched: number): void {
    this.#table(print).add(print, place, touched);
  }

  /** The newest first. */
  find(print: Print, role: Role): Place[] {
    return this.#table(print)
      .find(print)
      .filter(({ kind }) => (kind === KIND.chunk) === (role === "piece"));
  }

  has(print: Print, place: Spot): boolean {
    return this.#table(print).slotOf(print, place) >= 0;
  }

  /** When it was put, or put again, in this process: seconds of its clock, from 1; 0 when neither was. Undefined when it is not there. */
  touchedAt(print: Print, place: Spot): number | undefined {
    return this.#table(print).touchedAt(print, place);
  }

  /** False when it is not there any more. */
  touch(print: Print, place: Spot, touched: number): boolean {
    return this.#table(print).touch(print, place, touched);
  }

  /** False when it is not there. */
  remove(print: Print, place: Spot): boolean {
    return this.#table(print).remove(print, place);
  }

  #table({ high }: Print): Table {
    return this.#tables[high >>> 24] as Table;
  }
}

class Table {
  #words = new Uint32Array(SLOTS_MIN * WORDS);
  /** Slots that are taken, and those of them that were removed. */
  #taken = 0;
  #removed = 0;

  get size(): number {
    return this.#taken - this.#removed;
  }

  add(print: Print, place: Place, touched: number): void {
    if ((this.#taken + 1) * 4 > (this.#words.length / WORDS) * 3) this.#grow();
    const at = this.#freeFor(print);
    this.#taken += 1;
    const words = this.#words;
    words[at] = print.high;
    words[at + 1] = print.low;
    words[at + 2] = packed(place);
    words[at + 3] = place.offset;
    words[at + 4] = touched;
    words[at + 5] = place.storedBytes;
  }

  find(print: Print): Place[] {
    const found: Place[] = [];
    this.#probe(print, (at) => {
      if (this.#words[at + 2] !== REMOVED) found.unshift(this.#placeAt(at));
      return false;
    });
    return found;
  }

  slotOf(print: Print, place: Spot): number {
    const wanted = packed(place);
    return this.#probe(print, (at) => this.#words[at + 2] === wanted && this.#words[at + 3] === place.offset);
  }

  touchedAt(print: Print, place: Spot): number | undefined {
    const at = this.slotOf(print, place);
    return at < 0 ? undefined : this.#words[at + 4];
  }

  touch(print: Print, place: Spot, touched: number): boolean {
    const at = this.slotOf(print, place);
    if (at >= 0) this.#words[at + 4] = touched;
    return at >= 0;
  }

  remove(print: Print, place: Spot): boolean {
    const at = this.slotOf(print, place);
    if (at < 0) return false;
    this.#words[at + 2] = REMOVED;
    this.#removed += 1;
    return true;
  }

  /** The first slot with this print that `matches`, or -1. */
  #probe({ high, low }: Print, matches: (at: number) => boolean): number {
    const slots = this.#words.length / WORDS;
    for (let slot = low & (slots - 1); ; slot = (slot + 1) & (slots - 1)) {
      const at = slot * WORDS;
      if (this.#words[at + 2] === EMPTY) return -1;
      if (this.#words[at] === high && this.#words[at + 1] === low && matches(at)) return at;
    }
  }

  #freeFor({ low }: Print): number {
    const slots = this.#words.length / WORDS;
    let slot = low & (slots - 1);
    while (this.#words[slot * WORDS + 2] !== EMPTY) slot = (slot + 1) & (slots - 1);
    return slot * WORDS;
  }

  /** Twice as large, or as large as before without what was removed. */
  #grow(): void {
    const old = this.#words;
    const slots = old.length / WORDS;
    this.#words = new Uint32Array((this.size * 2 > slots ? slots * 2 : slots) * WORDS);
    this.#taken = 0;
    this.#removed = 0;
    for (let at = 0; at < old.length; at += WORDS) {
      const word = old[at + 2] as number;
      if (word === EMPTY || word === REMOVED) continue;
      const free = this.#freeFor({ high: old[at] as number, low: old[at + 1] as number });
      this.#words.set(old.subarray(at, at + WORDS), free);
      this.#taken += 1;
    }
  }

  #placeAt(at: number): Place {
    const word = this.#words[at + 2] as number;
    return {
      pack: (word >>> KIND_BITS) - 1,
      kind: word & ((1 << KIND_BITS) - 1),
      offset: this.#words[at + 3] as number,
      storedBytes: this.#words[at + 5] as number,
    };
  }
}

function packed({ pack, kind }: Spot): number {
  assert(kind < 1 << KIND_BITS, "only blobs, chunks and lists are found");
  return (((pack + 1) << KIND_BITS) | kind) >>> 0;
}
