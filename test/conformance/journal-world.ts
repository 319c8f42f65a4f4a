/** What the journal's conformance suites share: a store that can be opened again, and short ways to fill and read it. */
import type { Append, Journal, JournalHead, NewRecord, StoredRecord } from "../../src/journal/journal.ts";

/** One store, in the adapter under test. */
export interface JournalWorld {
  /**
   * Opens the store for writing. A journal that was opened before and is not closed goes on believing that it owns the store, as
   * one does whose process was thought dead.
   */
  open(): Promise<Journal>;
  /** Closes what is open and removes the store. */
  dispose(): Promise<void>;
}

export type MakeWorld = () => Promise<JournalWorld>;

export async function inWorld(make: MakeWorld, use: (world: JournalWorld) => Promise<void>): Promise<void> {
  const world = await make();
  try {
    await use(world);
  } finally {
    await world.dispose();
  }
}

/** Runs with a journal that is empty. */
export function withJournal(make: MakeWorld, use: (journal: Journal, world: JournalWorld) => Promise<void>) {
  return () => inWorld(make, async (world) => use(await world.open(), world));
}

/** An id that says its number. */
export function idOf(number: number): string {
  return String(number).padStart(26, "0");
}

/** One record for each text. */
export function said(...texts: string[]): NewRecord[] {
  return texts.map((text, index) => ({ time: 1_700_000_000_000 + index, type: "said", body: text }));
}

export function appendOf(agent: string, expectedSeq: number, ...texts: string[]): Append {
  return { agent, expectedSeq, records: said(...texts) };
}

/** A fork's first append. */
export function forkOf(agent: string, origin: { agent: string; seq: number }, ...texts: string[]): Append {
  return { agent, origin, expectedSeq: origin.seq, records: said(...texts) };
}

export async function collect<T>(batches: AsyncIterable<T[]>): Promise<T[]> {
  const all: T[] = [];
  for await (const batch of batches) all.push(...batch);
  return all;
}

export function readAll(
  journal: Journal,
  agent: string,
  range?: { from?: number; to?: number },
): Promise<StoredRecord[]> {
  return collect(journal.read(agent, range));
}

export async function bodies(
  journal: Journal,
  agent: string,
  range?: { from?: number; to?: number },
): Promise<string[]> {
  return (await readAll(journal, agent, range)).map(({ body }) => body);
}

export function headsOf(journal: Journal): Promise<JournalHead[]> {
  return collect(journal.heads());
}

/** Everything behind a position, as far as it is there now. */
export async function orderFrom(journal: Journal, position = 0): Promise<StoredRecord[]> {
  const newest = await journal.position();
  if (newest <= position) return [];
  return takeUntil(journal, position, (record) => record.position >= newest);
}

/** What a follower is given, up to and with the first record that `isLast`. */
export async function takeUntil(
  journal: Journal,
  position: number,
  isLast: (record: StoredRecord, count: number) => boolean,
): Promise<StoredRecord[]> {
  const stop = new AbortController();
  const taken: StoredRecord[] = [];
  for await (const batch of journal.follow(position, stop.signal)) {
    for (const record of batch) {
      if (stop.signal.aborted) break;
      taken.push(record);
      if (isLast(record, taken.length)) stop.abort();
    }
  }
  return taken;
}
