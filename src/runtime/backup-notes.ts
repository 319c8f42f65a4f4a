/**
 * What a data folder knows of its backups: how far each has come, and how the last drills of it went. `backups/HASH.json` and
 * `backups/HASH.drills.json` in it, HASH being that of the backup's place. Losing them costs nothing but the history of drills.
 */
import { hash } from "node:crypto";
import { mkdir, open, readdir, readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { LIMITS } from "../base/limits.ts";
import type { Remembered } from "../checkpoints/backup/beginning.ts";
import { type ObjectPlace, objectPlace } from "./object-store.ts";

const DRILL = z.object({
  store: z.string(),
  /** When it began, in milliseconds since the epoch. */
  time: z.int(),
  tookMs: z.int(),
  ok: z.boolean(),
  /** What failed; null when nothing did. */
  error: z.string().nullable(),
  segments: z.int(),
  records: z.int(),
  blobs: z.int(),
  /** What was restored, on the disk. */
  bytes: z.int(),
});

/** A restore into a scratch folder, to see that it works and how long it takes. */
export type Drill = Readonly<z.infer<typeof DRILL>>;

export function backupsFolder(folder: string): string {
  return join(folder, "backups");
}

function fileOf(folder: string, place: ObjectPlace, ending: string): string {
  return join(backupsFolder(folder), `${hash("sha256", objectPlace(place)).slice(0, 16)}${ending}`);
}

export async function recall(folder: string, place: ObjectPlace): Promise<Remembered | undefined> {
  return (await parsed(fileOf(folder, place, ".json"))) as Remembered | undefined;
}

export async function remember(folder: string, place: ObjectPlace, shipped: Remembered): Promise<void> {
  await write(fileOf(folder, place, ".json"), shipped);
}

const FORGETTING = z.object({ owner: z.int(), base: z.string() });

/** The claim with which points of the backup were last forgotten, or were about to be: in a file that whoever ships does not write. */
export async function recallForgetting(folder: string, place: ObjectPlace) {
  return FORGETTING.safeParse(await parsed(fileOf(folder, place, ".forgetting.json"))).data;
}

export async function rememberForgetting(
  folder: string,
  place: ObjectPlace,
  claim: z.infer<typeof FORGETTING>,
): Promise<void> {
  await write(fileOf(folder, place, ".forgetting.json"), claim);
}

/** The newest ones, oldest first. */
export async function drillsOf(folder: string, place: ObjectPlace): Promise<Drill[]> {
  return drillsIn(fileOf(folder, place, ".drills.json"));
}

/** For each backup of the data, its newest drill; undefined for one that was never drilled. */
export async function newestDrills(folder: string): Promise<(Drill | undefined)[]> {
  const names = await readdir(backupsFolder(folder)).catch(() => []);
  const newest: (Drill | undefined)[] = [];
  for (const name of names) {
    const [, key] = /^([0-9a-f]{16})\.json$/.exec(name) ?? [];
    if (key) newest.push((await drillsIn(join(backupsFolder(folder), `${key}.drills.json`))).at(-1));
  }
  return newest;
}

export async function noteDrill(folder: string, place: ObjectPlace, drill: Drill): Promise<void> {
  const drills = [...(await drillsOf(folder, place)), drill];
  await write(fileOf(folder, place, ".drills.json"), drills.slice(-LIMITS.drillsKeptMax));
}

async function drillsIn(path: string): Promise<Drill[]> {
  return z.array(DRILL).safeParse(await parsed(path)).data ?? [];
}

/** A file that is damaged is as good as none: the backup itself knows how far it has come. */
async function parsed(path: string): Promise<unknown> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

let written = 0;

/** Several processes may write the same: one ships, another forgets points. */
async function write(path: string, content: unknown): Promise<void> {
  written += 1;
  const fresh = `${path}.${process.pid}-${written}.new`;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(fresh, "w", 0o600);
  try {
    await file.writeFile(JSON.stringify(content));
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
}
