/**
 * The heads of all agents of a large fleet, kept in one piece as of a position of the journal: opening reads it and what changed since,
 * instead of every agent's summary.
 *
 * M1  It is of this journal, and of that position: what was kept of another history is not used.
 * M2  What cannot be read, or is too far behind, is as good as none: the summaries say the same.
 */
import { crc32 } from "node:zlib";
import { HeadColumns, HeadColumnsWriter } from "../agent/head-columns.ts";
import type { Head } from "../agent/state.ts";
import { presentIsOver } from "../base/event-loop.ts";
import type { AgentId } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";
import type { Journal, StoredRecord } from "../journal/journal.ts";
import { recordAt } from "./restore.ts";
import { markOf } from "./snapshot-parts.ts";
import type { Snapshots } from "./snapshots.ts";

export interface KeptHeads {
  readonly columns: HeadColumns;
  /** Nothing behind it is in the columns. */
  readonly position: number;
  /** Agents whose heads are to be read anew: they were not known in full. */
  readonly unread: readonly AgentId[];
}

/** The newest record of the journal when the heads were kept. */
interface Note {
  readonly agent: AgentId;
  readonly seq: number;
  readonly position: number;
  readonly mark: string;
  readonly unread: readonly AgentId[];
}

/** Heads of which one is written between two looks at what else there is to do. */
const AT_ONCE = 2_000;
/** Of the checksum in front: a multiple of what numbers are aligned to. */
const SUM_LENGTH = 8;

interface Stores {
  readonly journal: Journal;
  readonly snapshots: Snapshots;
}

/** Undefined when there are none to be used (M1, M2). */
export async function readKeptHeads({ journal, snapshots }: Stores): Promise<KeptHeads | undefined> {
  const bytes = await snapshots.readHeads();
  if (!bytes) return undefined;
  try {
    if (sumOf(bytes.subarray(SUM_LENGTH)) !== bytes.toString("latin1", 0, SUM_LENGTH)) return undefined;
    const columns = new HeadColumns(bytes.subarray(SUM_LENGTH));
    const { agent, seq, position, mark, unread } = columns.note as Note;
    if ((await journal.position()) - position > LIMITS.headsBehindMax) return undefined;
    const record = await recordAt(journal, agent, seq);
    if (record?.position !== position || markOf(record) !== mark) return undefined;
    return { columns, position, unread };
  } catch {
    return undefined;
  }
}

/** All agents as they are at the journal's newest record. */
export interface Census {
  /** Parents before their children. */
  readonly heads: readonly Head[];
  readonly newest: StoredRecord;
  readonly unread: readonly AgentId[];
}

/** @throws DISK_FAILED */
export async function keepHeads(snapshots: Snapshots, { heads, newest, unread }: Census): Promise<void> {
  const writer = new HeadColumnsWriter();
  for (const [index, head] of heads.entries()) {
    writer.add(head);
    if ((index + 1) % AT_ONCE === 0) await presentIsOver();
  }
  const { agent, seq, position } = newest;
  const bytes = writer.bytes({ agent, seq, position, mark: markOf(newest), unread } satisfies Note);
  await snapshots.keepHeads(Buffer.concat([Buffer.from(sumOf(bytes)), bytes]));
}

/** The newest record of the journal. @throws JOURNAL_DAMAGED */
export async function newestRecord(journal: Journal): Promise<StoredRecord | undefined> {
  const position = await journal.position();
  if (position === 0) return undefined;
  const enough = new AbortController();
  for await (const records of journal.follow(position - 1, enough.signal)) {
    enough.abort();
    return records[0];
  }
  return undefined;
}

function sumOf(bytes: Buffer): string {
  return crc32(bytes).toString(16).padStart(SUM_LENGTH, "0");
}
