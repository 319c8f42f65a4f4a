/** Folders whose names survive a power cut: a file's own sync does not keep the entry that leads to it. */
import { closeSync, fsyncSync, mkdirSync, openSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { BanyanError } from "./errors.ts";

/** Makes a folder, and those above it, for their owner alone. Harmless when it is there. @throws DISK_FAILED */
export function makeFolder(path: string): void {
  try {
    const first = mkdirSync(path, { recursive: true, mode: 0o700 });
    if (first === undefined) return;
    for (let made = path; made.length >= first.length; made = dirname(made)) syncFolderNow(dirname(made));
  } catch (cause) {
    throw new BanyanError("DISK_FAILED", `the folder ${path} cannot be made: ${(cause as Error).message}`, { cause });
  }
}

/** As `syncFolder`, for those that cannot wait. Throws the system's own error. */
export function syncFolderNow(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** After it a file's name is as durable as its bytes. Throws the system's own error. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
