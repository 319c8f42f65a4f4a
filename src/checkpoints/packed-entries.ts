/**
 * The conversation of a snapshot, in blocks of some entries each, which are unpacked when one of their entries is asked for: most of whoever
 * restores a long past looks at its end alone. A block is a line of JSON, `[entries, lengths]`, and behind it the long texts of its
 * entries as they are, with the lengths in bytes that the line names.
 */
import type { List, Packed } from "../agent/list.ts";
import type { Entry } from "../agent/state.ts";
import { BanyanError } from "../base/errors.ts";
import { liftTexts, putTextsBack } from "./lifted-texts.ts";
import { Pace } from "./pace.ts";
import type { Part } from "./snapshots.ts";

/** Bytes of one block, about: it ends with the entry that reaches them. Unpacked in a millisecond; smaller ones would be compressed worse. */
const BLOCK_BYTES = 512 * 1024;
/** What an entry takes beside its long texts, about. */
const ENTRY_BYTES = 256;

export interface Block {
  readonly count: number;
  readonly bytes: Buffer;
}

/** Of the entries from `from` on, as many as make a block. */
export function blockOf(entries: List<Entry>, from: number): Block {
  const [lifted, texts, written]: [unknown[], string[], Buffer[]] = [[], [], []];
  let bytes = 0;
  for (let at = from; at < entries.length && bytes < BLOCK_BYTES; at += 1) {
    lifted.push(liftTexts(entries.at(at) as Entry, texts));
    for (const text of texts.slice(written.length)) {
      const raw = Buffer.from(text);
      written.push(raw);
      bytes += raw.length;
    }
    bytes += ENTRY_BYTES;
  }
  const line = Buffer.from(`${JSON.stringify([lifted, written.map(({ length }) => length)])}\n`);
  return { count: lifted.length, bytes: Buffer.concat([line, ...written]) };
}

export class PackedEntries implements Packed<Entry> {
  readonly length: number;
  /** Each is a part until it is unpacked. */
  readonly #blocks: (Part | Entry[])[];
  /** The index of each block's first entry, and the length. */
  readonly #starts: number[] = [0];
  /** The block that was asked last. */
  #last = 0;

  /** `counts` says how many entries each part has. */
  constructor(parts: readonly Part[], counts: readonly number[]) {
    this.#blocks = [...parts];
    for (const count of counts) this.#starts.push((this.#starts.at(-1) as number) + count);
    this.length = this.#starts.at(-1) as number;
  }

  /** @throws SNAPSHOT_DAMAGED when a block is not what was written */
  at(index: number): Entry {
    if (!this.#isIn(this.#last, index)) this.#last = this.#blockWith(index);
    return this.#entriesOf(this.#last)[index - (this.#starts[this.#last] as number)] as Entry;
  }

  async unpack(): Promise<void> {
    const pace = new Pace();
    for (const [index, block] of this.#blocks.entries()) {
      if (Array.isArray(block)) continue;
      this.#entriesOf(index);
      await pace.done(block.bytes);
    }
  }

  #entriesOf(index: number): Entry[] {
    const block = this.#blocks[index] as Part | Entry[];
    if (Array.isArray(block)) return block;
    const entries = entriesIn(block.unpack());
    if (entries.length !== (this.#starts[index + 1] as number) - (this.#starts[index] as number))
      throw new BanyanError("SNAPSHOT_DAMAGED", "a block of a snapshot has other entries");
    this.#blocks[index] = entries;
    return entries;
  }

  #isIn(block: number, index: number): boolean {
    return (this.#starts[block] as number) <= index && index < (this.#starts[block + 1] as number);
  }

  #blockWith(index: number): number {
    let [low, high] = [0, this.#blocks.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#starts[middle] as number) <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

const NEWLINE = 0x0a;

/** @throws SNAPSHOT_DAMAGED */
function entriesIn(bytes: Buffer): Entry[] {
  const end = bytes.indexOf(NEWLINE);
  const [entries, lengths]: [Entry[], number[]] = JSON.parse(bytes.toString("utf8", 0, Math.max(0, end)));
  let place = end + 1;
  const texts = lengths.map((length) => {
    place += length;
    return bytes.toString("utf8", place - length, place);
  });
  if (place !== bytes.length) throw new BanyanError("SNAPSHOT_DAMAGED", "a block of a snapshot has other texts");
  const textAt = (index: number) => texts[index] as string;
  for (const entry of entries) putTextsBack(entry, textAt);
  return entries;
}
