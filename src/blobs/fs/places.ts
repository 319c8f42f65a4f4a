/** Where the files of blobs stand. */
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { checkDigest, type Digest, isDigest } from "../blobs.ts";
import { isAbsence } from "./failures.ts";

const TEMPORARY = "tmp";

export interface Place {
  readonly folder: string;
  readonly path: string;
}

/** No path is ever made of anything but a digest. @throws INPUT_INVALID */
export function placeOf(root: string, digest: Digest): Place {
  checkDigest(digest);
  const name = digest.slice("sha256:".length);
  const folder = join(root, name.slice(0, 2));
  return { folder, path: join(folder, name) };
}

/** Where a put writes before it knows that it has all. */
export function temporaryOf(root: string, name: string): string {
  return join(root, TEMPORARY, `${name}-${process.pid}`);
}

/** Makes room for temporary files, and removes what crashed puts of dead processes left there. */
export async function sweep(root: string): Promise<void> {
  const folder = join(root, TEMPORARY);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const name of await readdir(folder)) {
    const pid = Number(name.split("-").at(-1));
    if (!isAlive(pid) || pid === process.pid) await rm(join(folder, name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

export async function sizeOf({ path }: Place): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

/** Digests that files are named for. */
export async function* digestsIn(root: string): AsyncGenerator<Digest> {
  for (const folder of await namesIn(root)) {
    if (!/^[0-9a-f]{2}$/.test(folder)) continue;
    for (const name of await namesIn(join(root, folder))) {
      const digest = `sha256:${name}`;
      if (isDigest(digest)) yield digest;
    }
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (isAbsence(error)) return [];
    throw error;
  }
}
