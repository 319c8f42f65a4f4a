/**
 * A state as text: a line that says what it is of, then the conversation in lines of many entries each, so that neither writing nor
 * reading it holds the event loop up for long.
 *
 * T1  A text is read back to the state that it was made of.
 * T2  A snapshot belongs to one record: what was folded when the journal had another one there, as it may after a restore, is not of
 *     this journal.
 * T3  A text of another format, or of states of another shape, is refused.
 */
import { hash } from "node:crypto";
import { List } from "../agent/list.ts";
import type { Child, Entry, State } from "../agent/state.ts";
import { VersionedMap } from "../agent/versioned-map.ts";
import { BanyanError } from "../base/errors.ts";
import { presentIsOver } from "../base/event-loop.ts";
import type { AgentId } from "../base/ids.ts";
import type { StoredRecord } from "../journal/journal.ts";

/** Grows whenever the fold makes another state of the same events. */
const FORMAT = 1;
/** Entries of one line. */
const ENTRIES = 100;

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
  readonly children: readonly Child[];
  readonly receivedIds: readonly string[];
}

/** `record` is the newest that the state was folded from. */
export async function snapshotText({ state, size }: Folded, record: StoredRecord): Promise<string> {
  const { entries, children, receivedIds, ...rest } = state;
  const { agent, seq } = state.head;
  const about = { format: FORMAT, agent, seq, record: markOf(record), size };
  const lines = [
    JSON.stringify({ ...about, ...rest, children: [...children.values()], receivedIds: [...receivedIds] }),
  ];
  const pace = new Pace();
  for (let from = 0; from < entries.length; from += ENTRIES) {
    const line = JSON.stringify(entries.slice(from, from + ENTRIES));
    lines.push(line);
    await pace.done(line.length);
  }
  return lines.join("\n");
}

/** @throws SNAPSHOT_DAMAGED (T2, T3) */
export async function readSnapshotText(text: string, record: StoredRecord): Promise<Folded> {
  const { agent, seq } = record;
  const refuse = (why: string, cause?: unknown) =>
    new BanyanError("SNAPSHOT_DAMAGED", `snapshot ${seq} of ${agent} ${why}`, { agent, cause });
  try {
    const [first = "", ...lines] = text.split("\n");
    const { format, agent: of, seq: at, record: mark, size, ...rest }: Header = JSON.parse(first);
    if (format !== FORMAT) throw refuse("has another format");
    if (of !== agent || at !== seq || mark !== markOf(record)) throw refuse("is of another record");
    const children = VersionedMap.of(rest.children.map((child) => [child.agent, child]));
    const entries = await entriesIn(lines);
    return { state: { ...rest, entries, children, receivedIds: List.of(...rest.receivedIds) }, size };
  } catch (cause) {
    throw cause instanceof BanyanError ? cause : refuse("is no state", cause);
  }
}

async function entriesIn(lines: readonly string[]): Promise<List<Entry>> {
  const pace = new Pace();
  let entries = List.of<Entry>();
  for (const line of lines) {
    for (const entry of JSON.parse(line) as Entry[]) entries = entries.append(entry);
    await pace.done(line.length);
  }
  return entries;
}

/** Lets others have the event loop every few milliseconds. */
class Pace {
  #characters = 0;

  async done(characters: number): Promise<void> {
    this.#characters += characters;
    if (this.#characters < PACE_CHARACTERS) return;
    this.#characters = 0;
    await presentIsOver();
  }
}

/** About 20 ms of JSON. */
const PACE_CHARACTERS = 8 * 1024 * 1024;

function markOf({ position, time, type, body }: StoredRecord): string {
  return hash("sha256", `${position} ${time} ${type} ${body}`);
}
