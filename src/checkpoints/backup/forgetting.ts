/**
 * Keeps a backup small: points of it that a policy does not keep are forgotten, by one piece in the place of many segments; and what no
 * longer counts is removed.
 *
 * F1  Forgetting removes nothing. It takes effect as a whole, with a claim: cut before, all is as it was; who claims first wins.
 * F2  Every kept point, and all that is shipped behind it, is restored record for record as before, whenever forgetting or pruning was cut.
 * F3  Pruning removes only what never counts again, so that whoever takes the backup over meanwhile loses nothing by it.
 */
import { BanyanError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { StoredRecord } from "../../journal/journal.ts";
import { type KeepPolicy, keptBy } from "../keep-policy.ts";
import type { Shipped } from "./shipping.ts";
import type { BackupStore, SegmentName } from "./store.ts";

/** The end of a segment, or of a part of a base. */
export interface ForgettingPoint {
  readonly segment: number;
  /** Of its newest record, and that record, as a restore takes it. */
  readonly time: number;
  readonly event: string;
  readonly records: number;
  readonly bytes: number;
  /** Nothing for one that is forgotten. `size`: what it ends with the ones before it is as much as one piece has. */
  readonly keptBy: readonly (keyof KeepPolicy | "newest" | "size")[];
}

interface Found extends ForgettingPoint {
  readonly name: SegmentName;
  readonly previous: string | null;
  readonly digest: string;
  readonly closes: string;
}

export interface Forgotten {
  readonly points: readonly ForgettingPoint[];
  readonly kept: number;
  readonly forgotten: number;
  /** Of what is restored from, before and after; null where nothing was done. */
  readonly bytesBefore: number;
  readonly bytesAfter: number | null;
}

export interface ForgettingOptions {
  readonly store: BackupStore;
  readonly from: Shipped;
  readonly policy: KeepPolicy;
  readonly now: number;
  /** An id that no other try has. */
  readonly nonce: string;
  readonly dryRun?: boolean | undefined;
  /** Told before the claim; durable by then. So a process that dies with the claim knows it as its own. */
  readonly onClaiming: (claim: { owner: number; base: string }) => Promise<void>;
}

/** @throws DATA_IN_USE when someone takes the backup over meanwhile, BLOB_DAMAGED, INPUT_INVALID without the key */
export async function forgetPoints(options: ForgettingOptions): Promise<Forgotten> {
  const { store, from, policy, now, nonce, dryRun, onClaiming } = options;
  const points = await foundIn(store, policy, now);
  const groups = groupsOf(points);
  const isKept = (point: Found) => point.keptBy.length > 0;
  const shown = points.map(({ name: _, previous: __, digest: ___, closes: ____, ...point }) => point);
  const kept = points.filter(isKept).length;
  const bytesBefore = points.reduce((sum, { bytes }) => sum + bytes, 0);
  const told = { points: shown, kept, forgotten: points.length - kept, bytesBefore };
  const last = points.at(-1);
  if (dryRun || told.forgotten === 0 || !last) return { ...told, bytesAfter: null };

  const owner = from.owner + 1;
  const parts: SegmentName[] = [];
  for (const group of groups) parts.push(await partOf(store, owner, group));
  const base = await store.addBase(owner, {
    format: 1,
    nonce,
    parts: parts.map(({ part, ...name }) => ({ ...name, digest: part?.digest ?? "", closes: part?.closes ?? "" })),
  });
  await onClaiming({ owner, base });
  // F1.
  if (!(await store.claim({ owner, time: now, begins: last.segment + 1, previous: last.closes, base })))
    throw new BanyanError("DATA_IN_USE", "another process has just taken the backup over");
  return { ...told, bytesAfter: parts.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** All points, each with what keeps it. */
async function foundIn(store: BackupStore, policy: KeepPolicy, now: number): Promise<Found[]> {
  const found: (Omit<Found, "keptBy"> & { size: number })[] = [];
  let previous: string | null = null;
  for (const name of await store.segments()) {
    const { header, records, digest } = await store.read(name);
    if (header.number !== name.number || header.owner !== name.owner || header.previous !== previous)
      throw new BanyanError("BLOB_DAMAGED", `segment ${name.number} of the backup does not follow the one before it`);
    const newest = records.at(-1);
    found.push({
      ...{ name, previous, closes: digest, digest: name.part?.digest ?? digest },
      ...{ segment: header.number, time: header.time, event: newest ? `${newest.agent}:${newest.seq}` : "" },
      ...{ records: records.length, bytes: name.bytes },
      size: records.reduce((sum, { body }) => sum + body.length, 0),
    });
    previous = digest;
  }
  const times = found.map(({ time }) => time);
  const reasons = keptBy(times, policy, now);
  let size = 0;
  return found.map(({ size: own, ...point }, index) => {
    const keptBy: (keyof KeepPolicy | "newest" | "size")[] = [...(reasons[index] ?? [])];
    if (index === found.length - 1 && keptBy.length === 0) keptBy.push("newest");
    size += own;
    const isFull = size + (found[index + 1]?.size ?? 0) > LIMITS.backupSegmentBytesMax / 4;
    if (keptBy.length === 0 && isFull) keptBy.push("size");
    if (keptBy.length > 0) size = 0;
    return { ...point, keptBy };
  });
}

/** Each ends with a point that is kept. */
function groupsOf(points: readonly Found[]): Found[][] {
  const groups: Found[][] = [];
  let open: Found[] = [];
  for (const point of points) {
    open.push(point);
    if (point.keptBy.length === 0) continue;
    groups.push(open);
    open = [];
  }
  return groups;
}

/** What needs no merging is taken as it is. */
async function partOf(store: BackupStore, owner: number, group: readonly Found[]): Promise<SegmentName> {
  const [first, last] = [group[0] as Found, group.at(-1) as Found];
  if (first === last) return { ...last.name, part: { digest: last.digest, closes: last.closes } };
  const records: StoredRecord[] = [];
  for (const { name } of group) for (const record of (await store.read(name)).records) records.push(record);
  const place = { number: last.segment, owner: last.name.owner, previous: first.previous };
  return store.addPart(owner, place, records, last.closes);
}

export interface Pruned {
  readonly objects: number;
  readonly bytes: number;
  /** Of all segments and bases. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

/** F3. Cut at any moment, the next one goes on. @throws BLOB_DAMAGED when the backup lacks a segment: then nothing is removed */
export async function pruneBackup(store: BackupStore, { dryRun = false } = {}): Promise<Pruned> {
  const { outdated, bytes: bytesBefore } = await store.outdated();
  const bytes = outdated.reduce((sum, each) => sum + each.bytes, 0);
  if (!dryRun) for (const { key } of outdated) await store.remove(key);
  return { objects: outdated.length, bytes, bytesBefore, bytesAfter: bytesBefore - bytes };
}
