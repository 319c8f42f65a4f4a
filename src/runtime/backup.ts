/**
 * Backups of a data folder: made beside the process that works on it, or while none does, without writing to its stores. Restores go into
 * a folder that is not there yet, and are named as it only when they are whole and verified.
 */

import { hash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { type Clock, systemClock } from "../base/clock.ts";
import { asBanyanError, BanyanError } from "../base/errors.ts";
import { systemRandom } from "../base/random.ts";
import type { Digest } from "../blobs/blobs.ts";
import { openFsBlobs } from "../blobs/fs/fs-blobs.ts";
import { beginShipping, type Remembered } from "../checkpoints/backup/beginning.ts";
import { type BackupRestored, type RestoreProgress, restoreBackup } from "../checkpoints/backup/restoring.ts";
import type { SealKeys } from "../checkpoints/backup/seal.ts";
import { ship } from "../checkpoints/backup/shipping.ts";
import { BackupStore } from "../checkpoints/backup/store.ts";
import type { VerifyReport } from "../checkpoints/verify.ts";
import { openSqliteJournal } from "../journal/sqlite/sqlite-journal.ts";
import { openBlobStore } from "./blob-store.ts";
import { type Environment, type ObjectPlace, objectPlace, openObjects } from "./object-store.ts";
import { hasData, openRuntime } from "./open.ts";
import { verifyFolder } from "./verify.ts";

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
  const journal = await openSqliteJournal({ folder: join(folder, "journal"), readOnly: true, clock });
  const reading = { settled: true, readOnly: true, environment: process.env, clock, random: systemRandom };
  const blobs = await openBlobStore(folder, reading);
  try {
    const remembered = await recall(folder, options.store);
    const from = await beginShipping({ store, journal, remembered, time: clock.now() });
    await remember(folder, options.store, from);
    const told = async (shipped: Remembered) => {
      await remember(folder, options.store, shipped);
      onShipped?.({ position: shipped.position, segment: shipped.number });
    };
    const missing: string[] = [];
    const onMissing = (digest: string, error: unknown) => {
      const { code } = asBanyanError(error);
      if (code !== "BLOB_NOT_FOUND" && code !== "BLOB_DAMAGED") throw error;
      missing.push(digest);
    };
    const shipped = await ship({ journal, blobs, store, clock, from, onMissing, onShipped: told }, { follow, signal });
    return { position: shipped.position, segment: shipped.number, missing };
  } finally {
    await journal.close();
    await blobs.close();
  }
}

export interface BackupStatus {
  readonly segments: number;
  readonly bytes: number;
  readonly blobs: number;
  readonly writers: number;
  /** Of the newest record that was shipped. */
  readonly newestTime: number | null;
  /** How many records of the data the backup does not have; null where no data is named. */
  readonly behind: number | null;
  readonly recipient: string | null;
}

/** How a backup stands, and how far behind the data it is. Needs no secret key for data of this machine. */
export async function backupStatus(options: BackupOptions, folder?: string): Promise<BackupStatus> {
  const objects = await openObjects(options.store, options);
  const store = await BackupStore.open(objects, options.keys ?? {});
  const segments = await store.segments();
  const newest = segments.at(-1);
  const canRead = options.keys?.identity !== undefined || store.recipient === null;
  const newestTime = newest && canRead ? (await store.read(newest)).header.time : null;
  return {
    segments: segments.length,
    bytes: segments.reduce((sum, { bytes }) => sum + bytes, 0),
    blobs: (await store.blobs()).size,
    writers: (await store.claims()).length,
    newestTime,
    behind: folder === undefined ? null : await recordsBehind(folder, options.store),
    recipient: store.recipient,
  };
}

async function recordsBehind(folder: string, store: string): Promise<number | null> {
  if (!(await hasData(folder))) return null;
  const journal = await openSqliteJournal({ folder: join(folder, "journal"), readOnly: true });
  try {
    return (await journal.position()) - ((await recall(folder, store))?.position ?? 0);
  } finally {
    await journal.close();
  }
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
  for (const digest of blobs) {
    if (!(await store.verifyBlob(digest as Digest))) damaged.push(`the blob ${digest}`);
  }
  return { segments: read, blobs: blobs.length, damaged, ok: damaged.length === 0 };
}

export interface RestoreOptions extends BackupOptions {
  /** The last moment that is restored, in milliseconds since the epoch. */
  readonly time?: number | undefined;
  readonly onProgress?: ((progress: RestoreProgress) => void) | undefined;
}

export interface DataRestored extends Omit<BackupRestored, "end"> {
  readonly verified: VerifyReport;
  /** An agent that was opened and read whole; null when there is none. */
  readonly opened: string | null;
}

/**
 * Makes the data folder from a backup. Every record and blob is checked, every agent folded and one opened as for work, before the folder
 * has its name; cut before, the same command goes on. The next backup of it goes to the same place.
 * @throws INPUT_INVALID when the folder is there, BLOB_DAMAGED when the backup is not sound, JOURNAL_DAMAGED, DISK_FAILED
 */
export async function restoreFolder(folder: string, options: RestoreOptions): Promise<DataRestored> {
  if (existsSync(folder)) throw new BanyanError("INPUT_INVALID", `${folder} is there already`);
  const store = await BackupStore.open(await openObjects(options.store, options), options.keys ?? {});
  const owner = (await store.claims()).at(-1)?.owner ?? 1;
  const scratch = `${folder}.restoring`;
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  const restored = await pour(store, scratch, options);
  const verified = await verifyFolder(scratch);
  // What was gone already when the backup was made is missing here too, and said.
  if (verified.damaged.length > restored.missing) {
    const [first] = verified.damaged;
    throw new BanyanError("JOURNAL_DAMAGED", `what was restored is damaged: ${first?.what}; it is left in ${scratch}`);
  }
  const opened = await openOne(scratch);
  const { number, previous, position } = restored.end;
  await remember(scratch, options.store, { owner, number, previous, position, restored: true });
  await rename(scratch, folder);
  await syncFolder(dirname(resolve(folder)));
  const { end: _, ...rest } = restored;
  return { ...rest, verified, opened };
}

async function pour(
  store: BackupStore,
  scratch: string,
  { time, onProgress }: RestoreOptions,
): Promise<BackupRestored> {
  const journal = await openSqliteJournal({ folder: join(scratch, "journal") });
  const blobs = await openFsBlobs({ folder: join(scratch, "blobs") });
  try {
    return await restoreBackup({ store, journal, blobs, time, onProgress });
  } finally {
    await journal.close();
    await blobs.close();
  }
}

/** As the runtime opens it for work, but that nobody works. */
async function openOne(folder: string): Promise<string | null> {
  const runtime = await openRuntime(folder, { work: false });
  try {
    const { forest } = runtime.coordinator;
    const [damaged] = runtime.recovery.damaged;
    if (damaged) throw damaged.error;
    const node = forest.roots().at(-1);
    if (node) await runtime.coordinator.state(node.head.agent);
    return node?.head.agent ?? null;
  } finally {
    await runtime.stop();
  }
}

function memoryOf(folder: string, store: string): string {
  return join(folder, "backups", `${hash("sha256", objectPlace(store)).slice(0, 16)}.json`);
}

async function recall(folder: string, store: string): Promise<Remembered | undefined> {
  const text = await readFile(memoryOf(folder, store), "utf8").catch(() => undefined);
  try {
    return text === undefined ? undefined : (JSON.parse(text) as Remembered);
  } catch {
    // As good as none: the store knows how far it has come.
    return undefined;
  }
}

async function remember(folder: string, store: string, shipped: Remembered): Promise<void> {
  const path = memoryOf(folder, store);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(`${path}.new`, "w", 0o600);
  try {
    await file.writeFile(JSON.stringify(shipped));
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
