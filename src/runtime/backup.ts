/** Backups of a data folder: made beside the process that works on it, or while none does, without writing to its stores. */
import { type Clock, systemClock } from "../base/clock.ts";
import { asBanyanError, BanyanError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { systemRandom } from "../base/random.ts";
import { forSeveral } from "../base/several.ts";
import type { Digest } from "../blobs/blobs.ts";
import { type BeginningOptions, beginShipping, type Remembered } from "../checkpoints/backup/beginning.ts";
import type { SealKeys } from "../checkpoints/backup/seal.ts";
import { type Shipped, ship } from "../checkpoints/backup/shipping.ts";
import { BackupStore, type SegmentName } from "../checkpoints/backup/store.ts";
import { type Drill, drillsOf, recall, recallForgetting, remember } from "./backup-notes.ts";
import { openBlobStore } from "./blob-store.ts";
import { openDataJournal } from "./data-journal.ts";
import { type Environment, type ObjectPlace, openObjects } from "./object-store.ts";
import { hasData } from "./open.ts";

export type { SealKeys } from "../checkpoints/backup/seal.ts";

export interface BackupOptions {
  /** Where the backup is. */
  readonly store: ObjectPlace;
  /** Of a bucket. */
  readonly region?: string | undefined;
  /** Has the keys of access to a bucket. */
  readonly environment?: Environment | undefined;
  readonly keys?: SealKeys | undefined;
  readonly clock?: Clock | undefined;
}

export interface BackUpOptions extends BackupOptions {
  /** Goes on with what is added, until `signal` is aborted. */
  readonly follow?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onShipped?: ((shipped: { position: number; segment: number }) => void) | undefined;
}

export interface BackedUp {
  readonly position: number;
  readonly segment: number;
  /** Blobs that could not be read, and are not part of the backup. */
  readonly missing: readonly string[];
}

/**
 * Ships what the backup does not have yet. Returns the position up to which it has all.
 * @throws DATA_NOT_FOUND, DATA_IN_USE when the backup is of other data or was taken over, DISK_FAILED, INPUT_INVALID (keys)
 */
export async function backUp(folder: string, options: BackUpOptions): Promise<BackedUp> {
  const {
    keys = {},
    clock = systemClock(),
    follow = false,
    signal = new AbortController().signal,
    onShipped,
  } = options;
  if (!(await hasData(folder))) throw new BanyanError("DATA_NOT_FOUND", `no Banyan data in ${folder}`);
  const store = await BackupStore.open(await openObjects(options.store, options), keys, clock.now());
  // Its clock keeps the process alive while it follows: nothing else does.
  const journal = await openDataJournal(folder, { readOnly: true, clock });
  const reading = { settled: true, readOnly: true, environment: process.env, clock, random: systemRandom };
  const blobs = await openBlobStore(folder, reading);
  try {
    let newest = 0;
    const told = async (shipped: Remembered) => {
      newest = shipped.number;
      await remember(folder, options.store, shipped);
      onShipped?.({ position: shipped.position, segment: shipped.number });
    };
    const missing: string[] = [];
    const onMissing = (digest: string, error: unknown) => {
      const { code } = asBanyanError(error);
      if (code !== "BLOB_NOT_FOUND" && code !== "BLOB_DAMAGED") throw error;
      missing.push(digest);
    };
    const begin = async () => {
      const from = await beginHere(folder, options.store, { store, journal, time: clock.now() });
      await remember(folder, options.store, from);
      return from;
    };
    for (let from = await begin(); ; ) {
      const going = ship({ journal, blobs, store, clock, from, onMissing, onShipped: told }, { follow, signal });
      const shipped = await going.catch(async (error): Promise<Shipped | undefined> => {
        if (asBanyanError(error).code !== "DATA_IN_USE") throw error;
        // Of this data, another process forgot points of it meanwhile, or shipped the same: that is no reason to stop.
        const next = await begin();
        if (next.owner === from.owner && next.number <= Math.max(from.number, newest)) throw error;
        from = next;
        return undefined;
      });
      if (shipped) return { position: shipped.position, segment: shipped.number, missing };
    }
  } finally {
    await journal.close();
    await blobs.close();
  }
}

/** Where this data goes on with the backup. @throws DATA_IN_USE when the backup is not its own */
export async function beginHere(
  folder: string,
  place: ObjectPlace,
  options: Pick<BeginningOptions, "store" | "journal" | "time">,
): Promise<Shipped> {
  const remembered = await recall(folder, place);
  return beginShipping({ ...options, remembered, forgetting: await recallForgetting(folder, place) });
}

export interface BackupStatus {
  readonly segments: number;
  readonly bytes: number;
  readonly blobs: number;
  readonly writers: number;
  /** Of the newest record that was shipped; null when its segment cannot be read: encrypted without the secret key, or damaged. */
  readonly newestTime: number | null;
  /** How many records of the data the backup does not have; null where no data is named. */
  readonly behind: number | null;
  readonly recipient: string | null;
  /** The newest drill that is noted in the data; null before the first. */
  readonly drill: Drill | null;
}

/** How a backup stands, and how far behind the data it is. Needs no secret key for data of this machine. */
export async function backupStatus(options: BackupOptions, folder?: string): Promise<BackupStatus> {
  const objects = await openObjects(options.store, options);
  const store = await BackupStore.open(objects, options.keys ?? {});
  const segments = await store.segments();
  const newest = segments.at(-1);
  const canRead = options.keys?.identity !== undefined || store.recipient === null;
  const newestTime = newest && canRead ? await timeOf(store, newest) : null;
  return {
    segments: segments.length,
    bytes: segments.reduce((sum, { bytes }) => sum + bytes, 0),
    blobs: (await store.blobs()).size,
    writers: (await store.claims()).length,
    newestTime,
    behind: folder === undefined ? null : await recordsBehind(folder, options.store),
    recipient: store.recipient,
    drill: folder === undefined ? null : ((await drillsOf(folder, options.store)).at(-1) ?? null),
  };
}

/** Null when it is damaged: a status is told of a backup in any state. */
async function timeOf(store: BackupStore, segment: SegmentName): Promise<number | null> {
  try {
    return (await store.read(segment)).header.time;
  } catch (error) {
    if (asBanyanError(error).code === "BLOB_DAMAGED") return null;
    throw error;
  }
}

async function recordsBehind(folder: string, store: string): Promise<number | null> {
  if (!(await hasData(folder))) return null;
  const journal = await openDataJournal(folder, { readOnly: true });
  try {
    return (await journal.position()) - ((await recall(folder, store))?.position ?? 0);
  } finally {
    await journal.close();
  }
}

/** A point up to which a backup can be restored: the end of a segment. */
export interface BackupPoint {
  readonly segment: number;
  /** The claim under which it was written. */
  readonly writer: number;
  /** Of its newest record. */
  readonly time: number;
  /** That record, as `--at` takes it. */
  readonly event: string;
  readonly records: number;
  readonly bytes: number;
}

/** The newest `last` points of a backup, oldest first. @throws INPUT_INVALID without the key, BLOB_DAMAGED */
export async function backupPoints(options: BackupOptions, last: number): Promise<BackupPoint[]> {
  const store = await BackupStore.open(await openObjects(options.store, options), options.keys ?? {});
  const points: BackupPoint[] = [];
  for (const name of (await store.segments()).slice(-last)) {
    const { header, records } = await store.read(name);
    const newest = records.at(-1);
    const event = newest ? `${newest.agent}:${newest.seq}` : "";
    points.push({
      ...{ segment: header.number, writer: header.owner, time: header.time, event },
      ...{ records: header.records, bytes: name.bytes },
    });
  }
  return points;
}

export interface BackupVerified {
  readonly segments: number;
  readonly blobs: number;
  readonly damaged: readonly string[];
  readonly ok: boolean;
}

/** Reads the part `part` of `parts` of a backup and checks it. @throws INPUT_INVALID without the key */
export async function verifyBackup(options: BackupOptions, { part = 1, parts = 1 } = {}): Promise<BackupVerified> {
  const store = await BackupStore.open(await openObjects(options.store, options), options.keys ?? {});
  const damaged: string[] = [];
  const segments = await store.segments();
  let read = 0;
  let previous: { number: number; digest: string } | undefined;
  for (const name of segments) {
    if (name.number % parts !== part - 1) continue;
    read += 1;
    try {
      const { header, digest } = await store.read(name);
      const follows = previous?.number === name.number - 1 ? header.previous === previous.digest : true;
      if (header.number !== name.number || !follows) damaged.push(`${name.name} does not follow the one before it`);
      previous = { number: name.number, digest };
    } catch (error) {
      damaged.push(`${name.name}: ${(error as Error).message}`);
    }
  }
  const blobs = [...(await store.blobs())].filter(
    (digest) => Number.parseInt(digest.slice(-6), 16) % parts === part - 1,
  );
  await forSeveral(blobs, LIMITS.blobsAtOnceMax, async (digest) => {
    if (!(await store.verifyBlob(digest as Digest))) damaged.push(`the blob ${digest}`);
  });
  return { segments: read, blobs: blobs.length, damaged, ok: damaged.length === 0 };
}
