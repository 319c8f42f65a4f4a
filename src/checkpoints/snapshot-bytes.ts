/**
 * A state as bytes: a line of JSON that says what it is of, then the conversation in blocks of some entries each, so that neither
 * writing nor reading it holds the event loop up for long. A block is a line of JSON, `[entries, lengths]`, and behind it the long
 * texts of its entries as they are, with the lengths in bytes that the line names.
 *
 * T1  Bytes are read back to the state that they were made of.
 * T2  A snapshot belongs to one record: what was folded when the journal had another one there, as it may after a restore, is not of
 *     this journal.
 * T3  Bytes of another format, or of states of another shape, are refused, and so are fewer or more than were written.
 */
import { hash } from "node:crypto";
import { List } from "../agent/list.ts";
import type { Child, Entry, State } from "../agent/state.ts";
import { VersionedMap } from "../agent/versioned-map.ts";
import { BanyanError } from "../base/errors.ts";
import { presentIsOver } from "../base/event-loop.ts";
import type { AgentId } from "../base/ids.ts";
import type { StoredRecord } from "../journal/journal.ts";
import { liftTexts, putTextsBack } from "./lifted-texts.ts";

/** Grows whenever the fold makes another state of the same events, and with the shape of the bytes. */
const FORMAT = 2;
/** Bytes of one block, about: it ends with the entry that reaches them. */
const BLOCK_BYTES = 64 * 1024;

export interface Folded {
  readonly state: State;
  /** Characters of the records that the state was folded from: a measure of what it takes in memory. */
  readonly size: number;
}

type Rest = Omit<State, "entries" | "children" | "receivedIds">;

interface Header extends Rest {
  readonly format: number;
  readonly agent: AgentId;
  readonly seq: number;
  readonly record: string;
  readonly size: number;
  readonly count: number;
  readonly children: readonly Child[];
  readonly receivedIds: readonly string[];
}

type Block = [entries: Entry[], lengths: number[]];

/** `record` is the newest that the state was folded from. */
export async function writeSnapshot({ state, size }: Folded, record: StoredRecord): Promise<Buffer> {
  const { entries, children, receivedIds, ...rest } = state;
  const { agent, seq } = state.head;
  const about = { format: FORMAT, agent, seq, record: markOf(record), size, count: entries.length };
  const written = [lineOf({ ...about, ...rest, children: [...children.values()], receivedIds: [...receivedIds] })];
  const pace = new Pace();
  for (let from = 0; from < entries.length; ) {
    const block = blockOf(entries, from);
    from += block.count;
    written.push(...block.written);
    await pace.done(block.bytes);
  }
  return Buffer.concat(written);
}

/** Of the entries from `from` on, as many as make a block. */
function blockOf(entries: List<Entry>, from: number) {
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
  const line = lineOf([lifted, written.map(({ length }) => length)]);
  return { count: lifted.length, written: [line, ...written], bytes: bytes + line.length };
}

function lineOf(value: object): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}

/** @throws SNAPSHOT_DAMAGED (T2, T3) */
export async function readSnapshot(bytes: Buffer, record: StoredRecord): Promise<Folded> {
  const { agent, seq } = record;
  const refuse = (why: string, cause?: unknown) =>
    new BanyanError("SNAPSHOT_DAMAGED", `snapshot ${seq} of ${agent} ${why}`, { agent, cause });
  try {
    const reading = new Reading(bytes);
    const { format, agent: of, seq: at, record: mark, size, count, ...rest }: Header = JSON.parse(reading.line());
    if (format !== FORMAT) throw refuse("has another format");
    if (of !== agent || at !== seq || mark !== markOf(record)) throw refuse("is of another record");
    const children = VersionedMap.of(rest.children.map((child) => [child.agent, child]));
    const entries = await entriesIn(reading);
    if (entries.length !== count) throw refuse("has not all that was said");
    return { state: { ...rest, entries, children, receivedIds: List.of(...rest.receivedIds) }, size };
  } catch (cause) {
    throw cause instanceof BanyanError ? cause : refuse("is no state", cause);
  }
}

async function entriesIn(reading: Reading): Promise<List<Entry>> {
  const pace = new Pace();
  let all = List.of<Entry>();
  while (reading.hasMore) {
    const from = reading.place;
    const [entries, lengths]: Block = JSON.parse(reading.line());
    const texts = lengths.map((length) => reading.text(length));
    const textAt = (place: number) => texts[place] as string;
    for (const entry of entries) all = all.append(putTextsBack(entry, textAt));
    await pace.done(reading.place - from);
  }
  return all;
}

/** Goes through the bytes once. Strings are made one by one: a large one is dear to collect, and each is needed by itself. */
class Reading {
  readonly #bytes: Buffer;
  place = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get hasMore(): boolean {
    return this.place < this.#bytes.length;
  }

  /** Up to the end of the line. @throws RangeError */
  line(): string {
    const end = this.#bytes.indexOf(NEWLINE, this.place);
    if (end < 0) throw new RangeError("a line is cut short");
    return this.text(end + 1 - this.place);
  }

  /** @throws RangeError */
  text(length: number): string {
    const end = this.place + length;
    if (!(length > 0) || end > this.#bytes.length) throw new RangeError("a text is cut short");
    const text = this.#bytes.toString("utf8", this.place, end);
    this.place = end;
    return text;
  }
}

const NEWLINE = 0x0a;

/** Lets others have the event loop every few milliseconds. */
class Pace {
  #bytes = 0;

  async done(bytes: number): Promise<void> {
    this.#bytes += bytes;
    if (this.#bytes < PACE_BYTES) return;
    this.#bytes = 0;
    await presentIsOver();
  }
}

/** About 20 ms. */
const PACE_BYTES = 16 * 1024 * 1024;
/** What an entry takes beside its long texts, about. */
const ENTRY_BYTES = 256;

/** What tells a record from any other. */
export function markOf({ position, time, type, body }: StoredRecord): string {
  return hash("sha256", `${position} ${time} ${type} ${body}`);
}
