/**
 * How fast the data grows, by day and by tree, and when the disk will be full if it goes on so.
 *
 * Y1  A byte counts on the day on which a record first needed it: the record's own, and those of a blob that no record before referred to.
 * Y2  What is on disk differs from what was written (compression, shared chunks, indexes): the forecast takes the days' bytes times
 *     the ratio of the two so far.
 */
import { type Clock, sleep } from "../base/clock.ts";
import type { AgentId } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";
import type { Digest } from "../blobs/blobs.ts";
import { DigestSet } from "../blobs/digest-set.ts";
import type { Journal, StoredRecord } from "../journal/journal.ts";

export interface CapacityOptions {
  readonly journal: Journal;
  readonly clock: Clock;
  /** Bytes that the data has on disk now, and those that are free there. */
  readonly storedBytes: number;
  readonly freeBytes: number;
  /** The root of an agent's tree. */
  readonly rootOf: (agent: AgentId) => AgentId;
  readonly signal?: AbortSignal | undefined;
}

export interface Capacity {
  readonly storedBytes: number;
  readonly freeBytes: number;
  /** Of all records, and of what they refer to, as it was written. */
  readonly writtenBytes: number;
  /** On disk, a day, over the last LIMITS.capacityDaysMax days, or the time since the first record where that is shorter. */
  readonly bytesPerDay: number;
  /** Null when it does not grow. */
  readonly daysUntilFull: number | null;
  /** The last days, the oldest first; each is the time of its midnight (UTC). */
  readonly days: readonly { readonly time: number; readonly bytes: number }[];
  /** The largest first, with the age of their newest record. */
  readonly trees: readonly { readonly root: AgentId; readonly bytes: number; readonly ageMs: number }[];
}

const DAY_MS = 86_400_000;
const REFERENCE = /"digest":"(sha256:[0-9a-f]{64})","bytes":(\d{1,15})/g;

/** @throws JOURNAL_DAMAGED, the signal's reason */
export async function forecast(options: CapacityOptions): Promise<Capacity> {
  const { journal, clock, storedBytes, freeBytes, rootOf, signal } = options;
  const known = new DigestSet();
  const byDay = new Map<number, number>();
  const byTree = new Map<AgentId, { bytes: number; time: number }>();
  let writtenBytes = 0;
  let oldest = clock.now();
  const note = (record: StoredRecord, root: AgentId) => {
    const bytes = bytesOf(record, known);
    const day = Math.floor(record.time / DAY_MS) * DAY_MS;
    byDay.set(day, (byDay.get(day) ?? 0) + bytes);
    const tree = byTree.get(root) ?? { bytes: 0, time: 0 };
    byTree.set(root, { bytes: tree.bytes + bytes, time: Math.max(tree.time, record.time) });
    writtenBytes += bytes;
    oldest = Math.min(oldest, record.time);
  };
  for await (const heads of journal.heads()) {
    for (const { agent, seq } of heads) {
      const root = rootOf(agent);
      for await (const batch of journal.read(agent, { to: seq })) {
        for (const record of batch) note(record, root);
        await sleep(clock, 0, signal);
      }
    }
  }
  const now = clock.now();
  const since = Math.max(oldest, now - LIMITS.capacityDaysMax * DAY_MS);
  const days = [...byDay].map(([time, bytes]) => ({ time, bytes })).sort((one, other) => one.time - other.time);
  const lately = days.filter(({ time }) => time + DAY_MS > since).reduce((sum, { bytes }) => sum + bytes, 0);
  const onDisk = writtenBytes === 0 ? 0 : storedBytes / writtenBytes;
  // What is younger than an hour says nothing of a day.
  const bytesPerDay = Math.round((lately * onDisk * DAY_MS) / Math.max(now - since, DAY_MS / 24));
  return {
    storedBytes,
    freeBytes,
    writtenBytes,
    bytesPerDay,
    daysUntilFull: bytesPerDay === 0 ? null : Math.floor(freeBytes / bytesPerDay),
    days: days.slice(-LIMITS.capacityDaysMax),
    trees: [...byTree]
      .map(([root, { bytes, time }]) => ({ root, bytes, ageMs: Math.max(0, now - time) }))
      .sort((one, other) => other.bytes - one.bytes)
      .slice(0, LIMITS.capacityTreesMax),
  };
}

/** Y1. */
function bytesOf({ body }: StoredRecord, known: DigestSet): number {
  let bytes = Buffer.byteLength(body);
  if (!body.includes('"digest"')) return bytes;
  for (const [, digest = "", size] of body.matchAll(REFERENCE)) {
    if (known.has(digest as Digest)) continue;
    known.add(digest as Digest);
    bytes += Number(size);
  }
  return bytes;
}
