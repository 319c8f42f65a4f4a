/**
 * Restores go into a folder that is not there yet, and are named as it only when they are whole and verified. A drill is the same restore,
 * into a folder of its own that is removed again.
 */
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { systemClock } from "../base/clock.ts";
import { syncFolder } from "../base/durable-folder.ts";
import { asBanyanError, BanyanError } from "../base/errors.ts";
import { openFsBlobs } from "../blobs/fs/fs-blobs.ts";
import {
  type BackupRestored,
  type RestoreEnd,
  type RestoreProgress,
  restoreBackup,
} from "../checkpoints/backup/restoring.ts";
import { BackupStore } from "../checkpoints/backup/store.ts";
import type { VerifyReport } from "../checkpoints/verify.ts";
import { openSqliteJournal } from "../journal/sqlite/sqlite-journal.ts";
import type { BackupOptions } from "./backup.ts";
import { backupsFolder, type Drill, noteDrill, remember } from "./backup-notes.ts";
import { openFaultLog } from "./fault-log.ts";
import { openObjects } from "./object-store.ts";
import { hasData, openRuntime } from "./open.ts";
import { verifyFolder } from "./verify.ts";

export type { RestoreEnd, RestoreProgress } from "../checkpoints/backup/restoring.ts";

export interface RestoreOptions extends BackupOptions {
  /** The last moment or event that is restored; without it all is. */
  readonly until?: RestoreEnd | undefined;
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
  const scratch = `${folder}.restoring`;
  const { store, ...restored } = await restoreInto(scratch, options);
  const owner = (await store.claims()).at(-1)?.owner ?? 1;
  const { number, previous, position } = restored.end;
  await remember(scratch, options.store, { owner, number, previous, position, restored: true });
  await rename(scratch, folder);
  await syncFolder(dirname(resolve(folder)));
  const { end: _, ...rest } = restored;
  return rest;
}

/** Restores into the folder, or goes on with it, and verifies what came of it. */
async function restoreInto(scratch: string, options: RestoreOptions) {
  const store = await BackupStore.open(await openObjects(options.store, options), options.keys ?? {});
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  const restored = await pour(store, scratch, options);
  const verified = await verifyFolder(scratch);
  // What was gone already when the backup was made is missing here too, and said.
  if (verified.damaged.length > restored.missing) {
    const [first] = verified.damaged;
    throw new BanyanError("JOURNAL_DAMAGED", `what was restored is damaged: ${first?.what}; it is left in ${scratch}`);
  }
  return { ...restored, store, verified, opened: await openOne(scratch) };
}

/**
 * Restores the whole backup into a scratch folder, verifies it, removes it, and notes in `folder` how that went. What fails is also a fault
 * of the data.
 * @throws DATA_NOT_FOUND when there are none to note it in, DISK_FAILED when it cannot be noted
 */
export async function drillBackup(
  folder: string,
  { clock = systemClock(), ...options }: BackupOptions & Pick<RestoreOptions, "onProgress">,
): Promise<Drill> {
  if (!(await hasData(folder))) throw new BanyanError("DATA_NOT_FOUND", `no Banyan data in ${folder}`);
  const time = clock.now();
  const beganMs = clock.monotonic();
  const scratch = await scratchFor(folder);
  const counted = { segments: 0, records: 0, blobs: 0, bytes: 0 };
  let error: string | null = null;
  try {
    const { segments, records, blobs } = await restoreInto(scratch, options);
    Object.assign(counted, { segments, records, blobs, bytes: await bytesBelow(scratch) });
  } catch (cause) {
    const { code, message } = asBanyanError(cause);
    error = `${code}: ${message}`;
    const fault = new BanyanError(code, `a drill of the backup in ${options.store} failed: ${message}`, { cause });
    openFaultLog({ folder, clock, redact: (text) => text }).note("", fault);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  const tookMs = Math.round(clock.monotonic() - beganMs);
  const drill = { store: options.store, time, tookMs, ok: error === null, error, ...counted };
  await noteDrill(folder, options.store, drill);
  return drill;
}

/** A folder of this process's. What drills left that were killed is removed. */
async function scratchFor(folder: string): Promise<string> {
  const parent = join(backupsFolder(folder), "drills");
  for (const name of await readdir(parent).catch(() => [])) {
    if (/^\d+$/.test(name) && !isAlive(Number(name))) await rm(join(parent, name), { recursive: true, force: true });
  }
  return join(parent, String(process.pid));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return pid !== process.pid;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function bytesBelow(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return bytes;
}

async function pour(
  store: BackupStore,
  scratch: string,
  { until, onProgress }: RestoreOptions,
): Promise<BackupRestored> {
  const journal = await openSqliteJournal({ folder: join(scratch, "journal") });
  const blobs = await openFsBlobs({ folder: join(scratch, "blobs") });
  try {
    return await restoreBackup({ store, journal, blobs, until, onProgress });
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
