/**
 * One owner: a lock that dies with the process, however it dies. SQLite's own file lock on a database of no content: the
 * system lets go of it when the process is gone.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { BanyanError } from "../../base/errors.ts";
import { failureOf, isBusy } from "./failures.ts";
import { makeFile } from "./schema.ts";

/** @returns a function that lets go. @throws DATA_IN_USE naming the owner's process id, DISK_FAILED */
export function takeOwnership(folder: string): () => void {
  const path = join(folder, "owner.lock");
  let lock: DatabaseSync | undefined;
  try {
    makeFile(path);
    lock = new DatabaseSync(path, { timeout: 0 });
    lock.exec("PRAGMA journal_mode = MEMORY");
    lock.exec("BEGIN EXCLUSIVE");
    writeFileSync(`${path}.pid`, `${process.pid}\n`, { mode: 0o600 });
    const held = lock;
    return () => held.close();
  } catch (error) {
    lock?.close();
    if (!isBusy(error)) throw failureOf(error, `the folder ${folder} cannot be locked`);
    throw new BanyanError("DATA_IN_USE", `process ${ownerOf(path)} runs on the data in ${folder}`);
  }
}

function ownerOf(path: string): string {
  try {
    return readFileSync(`${path}.pid`, "utf8").trim() || "unknown";
  } catch {
    return "unknown";
  }
}
