/**
 * A state in parts: the first is JSON that says what it is of, with all but the conversation; the others are the conversation's blocks. So
 * neither writing nor reading holds the event loop up for long, and what nobody asks for is not unpacked.
 *
 * T1  Parts are read back to the state that they were made of.
 * T2  A snapshot belongs to one record: what was folded when the journal had another one there, as it may after a restore, is not of
 *     this journal.
 * T3  Parts of another format, or of states of another shape, are refused, and so are fewer or more than were written.
 */
import { hash } from "node:crypto";
import { List } from "../agent/list.ts";
import type { Child, State } from "../agent/state.ts";
import { VersionedMap } from "../agent/versioned-map.ts";
import { BanyanError } from "../base/errors.ts";
import { presentIsOver } from "../base/event-loop.ts";
import type { AgentId } from "../base/ids.ts";
import type { StoredRecord } from "../journal/journal.ts";
import { blockOf, PackedEntries } from "./packed-entries.ts";
import type { Part } from "./snapshots.ts";

/** Grows whenever the fold makes another state of the same events, and with the shape of the parts. */
const FORMAT = 3;

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
  /** Of each block of the conversation, its entries and its bytes. */
  readonly blocks: readonly (readonly [count: number, bytes: number])[];
  readonly children: readonly Child[];
  readonly receivedIds: readonly string[];
}

/** `record` is the newest that the state was folded from. */
export async function writeSnapshot({ state, size }: Folded, record: StoredRecord): Promise<Buffer[]> {
  const { entries, children, receivedIds, ...rest } = state;
  const { agent, seq } = state.head;
  const [blocks, written]: [[number, number][], Buffer[]] = [[], []];
  for (let from = 0; from < entries.length; ) {
    const { count, bytes } = blockOf(entries, from);
    from += count;
    blocks.push([count, bytes.length]);
    written.push(bytes);
    // Nobody waits for a snapshot.
    await presentIsOver();
  }
  const about = { format: FORMAT, agent, seq, record: markOf(record), size, blocks };
  const header = { ...about, ...rest, children: [...children.values()], receivedIds: [...receivedIds] };
  return [Buffer.from(JSON.stringify(header)), ...written];
}

/** @throws SNAPSHOT_DAMAGED (T2, T3) */
export function readSnapshot([first, ...parts]: readonly Part[], record: StoredRecord): Folded {
  const { agent, seq } = record;
  const refuse = (why: string, cause?: unknown) =>
    new BanyanError("SNAPSHOT_DAMAGED", `snapshot ${seq} of ${agent} ${why}`, { agent, cause });
  try {
    if (!first) throw refuse("is empty");
    const header: Header = JSON.parse(String(first.unpack()));
    const { format, agent: of, seq: at, record: mark, size, blocks, ...rest } = header;
    if (format !== FORMAT) throw refuse("has another format");
    if (of !== agent || at !== seq || mark !== markOf(record)) throw refuse("is of another record");
    if (blocks.length !== parts.length || blocks.some(([, bytes], index) => parts[index]?.bytes !== bytes))
      throw refuse("has not all that was said");
    const entries = List.over(
      new PackedEntries(
        parts,
        blocks.map(([count]) => count),
      ),
    );
    const children = VersionedMap.of(rest.children.map((child) => [child.agent, child]));
    return { state: { ...rest, entries, children, receivedIds: List.of(...rest.receivedIds) }, size };
  } catch (cause) {
    throw cause instanceof BanyanError ? cause : refuse("is no state", cause);
  }
}

/** What tells a record from any other. */
export function markOf({ position, time, type, body }: StoredRecord): string {
  return hash("sha256", `${position} ${time} ${type} ${body}`);
}
