/** A journal in memory, a backup of it among objects in memory, and the way back. */
import { ManualClock } from "../../src/base/clock.ts";
import { MemoryBlobs } from "../../src/blobs/memory/memory-blobs.ts";
import type { Objects } from "../../src/blobs/objects.ts";
import { beginShipping, type Remembered } from "../../src/checkpoints/backup/beginning.ts";
import { type RestoreEnd, restoreBackup } from "../../src/checkpoints/backup/restoring.ts";
import { ship } from "../../src/checkpoints/backup/shipping.ts";
import { BackupStore } from "../../src/checkpoints/backup/store.ts";
import type { Journal, StoredRecord } from "../../src/journal/journal.ts";
import { MemoryJournal, MemoryStore } from "../../src/journal/memory/memory-journal.ts";

/** What is durable beside the data. */
export interface BackupMemory {
  shipped?: Remembered | undefined;
  forgetting?: { owner: number; base: string } | undefined;
}

export const id = (number: number) => String(number).padStart(26, "0");
export const TEXT = Buffer.from("a long text");

export async function filled({ agents = 3, turns = 2 } = {}) {
  const journal = new MemoryJournal({ store: new MemoryStore() });
  const blobs = new MemoryBlobs();
  const { digest } = await blobs.put(TEXT);
  /** A blob for each record, so that several are on their way when a write fails; the first agent's is the same each time. */
  const add = async (agent: string, expectedSeq: number, time: number) => {
    const text = agent === id(0) ? TEXT : Buffer.from(`a text of ${agent}, ${expectedSeq}`);
    const content = { digest: (await blobs.put(text)).digest, bytes: text.length, head: "a" };
    const message = { id: `m${expectedSeq}`, from: { kind: "person" }, content };
    const records = [{ time, type: "message.received", body: JSON.stringify(message) }];
    await journal.append([{ agent, expectedSeq, records }]);
  };
  for (let turn = 0; turn < turns; turn++) {
    for (let agent = 0; agent < agents; agent++) await add(id(agent), turn, turn * 1_000 + agent);
  }
  return { journal, blobs, digest, add };
}

export async function all(journal: Journal): Promise<Omit<StoredRecord, "position">[]> {
  const records: Omit<StoredRecord, "position">[] = [];
  const end = await journal.position();
  const stop = new AbortController();
  if (end === 0) return [];
  for await (const batch of journal.follow(0, stop.signal)) {
    records.push(...batch.map(({ position: _, ...record }) => record));
    if ((batch.at(-1)?.position ?? 0) >= end) stop.abort();
  }
  return records;
}

/** Ships once; remembers only what a process that died would have. */
export async function shipOnce(
  objects: Objects,
  { journal, blobs }: { journal: Journal; blobs: MemoryBlobs },
  memory: BackupMemory,
) {
  const store = await BackupStore.open(objects, {}, 1);
  const from = await beginShipping({
    store,
    journal,
    remembered: memory.shipped,
    forgetting: memory.forgetting,
    time: 1,
  });
  memory.shipped = from;
  const signal = new AbortController().signal;
  const onShipped = async (shipped: Remembered) => {
    memory.shipped = shipped;
  };
  const onMissing = (_: string, error: unknown) => {
    throw error;
  };
  const options = { journal, blobs, store, clock: new ManualClock(), from, onShipped, onMissing };
  return ship(options, { follow: false, signal });
}

export async function restored(objects: Objects, until?: RestoreEnd) {
  const journal = new MemoryJournal({ store: new MemoryStore() });
  const blobs = new MemoryBlobs();
  const store = await BackupStore.open(objects, {});
  const report = await restoreBackup({ store, journal, blobs, until });
  return { journal, blobs, report };
}
