/**
 * Puts a backup into an empty journal, up to some moment. What it makes is a prefix of what was shipped, record for record; cut at any
 * point it goes on where it was, because the records of the new journal are counted.
 */
import { decodeEvent } from "../../agent/codec.ts";
import { BanyanError } from "../../base/errors.ts";
import type { AgentId } from "../../base/ids.ts";
import { LIMITS } from "../../base/limits.ts";
import { forSeveral } from "../../base/several.ts";
import type { Blobs, Digest } from "../../blobs/blobs.ts";
import type { Append, Journal, NewRecord, StoredRecord } from "../../journal/journal.ts";
import { newBlobs } from "./segment.ts";
import type { BackupStore, SegmentName } from "./store.ts";

/**
 * Where a restore ends: with the last record of a moment, in milliseconds since the epoch, so that records of later ones and all behind
 * them are left out; or with one event.
 */
export type RestoreEnd = { readonly time: number } | { readonly agent: AgentId; readonly seq: number };

export interface RestoringOptions {
  readonly store: BackupStore;
  readonly journal: Journal;
  readonly blobs: Blobs;
  readonly until?: RestoreEnd | undefined;
  readonly onProgress?: ((progress: RestoreProgress) => void) | undefined;
}

export interface RestoreProgress {
  readonly segments: number;
  readonly of: number;
  readonly records: number;
  readonly blobs: number;
}

export interface BackupRestored extends RestoreProgress {
  /** The newest segment of which all was restored, and the position of its last record in the new journal. */
  readonly end: { readonly number: number; readonly previous: string | null; readonly position: number };
  /** Blobs that the backup does not have: those that were gone when it was made. */
  readonly missing: number;
  /** False when an end was given, and the backup goes on behind it. */
  readonly isWhole: boolean;
}

/**
 * @throws BLOB_DAMAGED when the backup is not sound; INPUT_INVALID when the journal has more than is wanted, or the event is not in the
 * backup; DISK_FAILED, STORE_FAILED, STORE_DENIED
 */
export async function restoreBackup({
  store,
  journal,
  blobs,
  until,
  onProgress,
}: RestoringOptions): Promise<BackupRestored> {
  const names = await store.segments();
  const known = new Set<string>();
  let skip = await journal.position();
  let records = 0;
  let missing = 0;
  let end: BackupRestored["end"] = { number: 0, previous: null, position: 0 };
  for (const [index, name] of names.entries()) {
    const segment = await readNext(store, name, end.previous);
    const cut = until ? cutOf(segment.records, until) : -1;
    const wanted = cut < 0 ? segment.records : segment.records.slice(0, cut);
    await forSeveral(newBlobs(wanted, known), LIMITS.blobsAtOnceMax, async (digest) => {
      if ((await blobs.has(digest)) === undefined && !(await fetchBlob(store, blobs, digest))) missing += 1;
      onProgress?.({ segments: index, of: names.length, records, blobs: known.size });
    });
    const left = wanted.slice(skip);
    skip = Math.max(0, skip - wanted.length);
    for (const part of parts(left)) await journal.append(part);
    records += wanted.length;
    onProgress?.({ segments: index + 1, of: names.length, records, blobs: known.size });
    const progress = { segments: index + 1, of: names.length, records, blobs: known.size, missing };
    const isSegmentWhole = wanted.length === segment.records.length;
    if (isSegmentWhole) end = { number: segment.header.number, previous: segment.digest, position: records };
    if (cut < 0) continue;
    if (skip > 0) throw farther();
    return { ...progress, end, isWhole: isSegmentWhole && index === names.length - 1 };
  }
  if (skip > 0) throw farther();
  if (until && "seq" in until) {
    throw new BanyanError("INPUT_INVALID", `the backup has no event ${until.seq} of ${until.agent}`);
  }
  return { segments: names.length, of: names.length, records, blobs: known.size, missing, end, isWhole: true };
}

/** How many of the records are restored, when the end is among them; less than 0 when it comes later. */
function cutOf(records: readonly StoredRecord[], until: RestoreEnd): number {
  if ("time" in until) return records.findIndex((record) => record.time > until.time);
  const last = records.findIndex((record) => record.agent === until.agent && record.seq === until.seq);
  return last < 0 ? -1 : last + 1;
}

function farther(): BanyanError {
  return new BanyanError(
    "INPUT_INVALID",
    "an earlier restore, which was cut, had come farther than this one goes: remove its folder, which ends with .restoring",
  );
}

/** False when the backup does not have it. @throws BLOB_DAMAGED */
async function fetchBlob(store: BackupStore, blobs: Blobs, digest: Digest): Promise<boolean> {
  try {
    const put = await blobs.put(store.getBlob(digest));
    if (put.digest === digest) return true;
  } catch (error) {
    if (error instanceof BanyanError && error.code === "OBJECT_NOT_FOUND") return false;
    throw error;
  }
  throw new BanyanError("BLOB_DAMAGED", `the blob ${digest} of the backup is damaged`);
}

async function readNext(store: BackupStore, name: SegmentName, previous: string | null) {
  const segment = await store.read(name);
  const { number, owner } = segment.header;
  if (number !== name.number || owner !== name.owner || segment.header.previous !== previous) {
    throw new BanyanError("BLOB_DAMAGED", `segment ${name.number} of the backup does not follow the one before it`);
  }
  return segment;
}

/** Records of one append. */
const PART_RECORDS = 500;

/** Appends that make the records, in their order: consecutive ones of one agent together. */
function* parts(records: readonly StoredRecord[]): Generator<Append[]> {
  for (let from = 0; from < records.length; from += PART_RECORDS) {
    const appends: (Append & { records: NewRecord[] })[] = [];
    for (const record of records.slice(from, from + PART_RECORDS)) {
      const { agent, seq, time, type, body } = record;
      const open = appends.at(-1);
      if (open?.agent === agent) open.records.push({ time, type, body });
      else appends.push({ agent, expectedSeq: seq - 1, ...originOf(record), records: [{ time, type, body }] });
    }
    yield appends;
  }
}

function originOf({ type, body }: StoredRecord): Pick<Append, "origin"> {
  if (type !== "agent.forked") return {};
  const event = decodeEvent(type, body);
  return event.type === "agent.forked" ? { origin: event.origin } : {};
}
