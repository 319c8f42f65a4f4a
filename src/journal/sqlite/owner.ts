/**
 * One owner: a lock that dies with the process, however it dies. SQLite's own file lock on a database of no content: the
 * system lets go of it when the process is gone.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { BanyanError } from "../../base/errors.ts";

const SQLITE_BUSY = 5;

/** @returns a function that lets go. @throws DATA_IN_USE naming the owner's process id */
export function takeOwnership(path: string): () => void {
  const lock = new DatabaseSync(path, { timeout: 0 });
  try {
    lock.exec("PRAGMA journal_mode = DELETE");
    lock.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error;
    throw new BanyanError("DATA_IN_USE", `process ${ownerOf(path)} runs on this data`);
  }
  writeFileSync(`${path}.pid`, `${process.pid}\n`, { mode: 0o600 });
  return () => lock.close();
}

function ownerOf(path: string): string {
  try {
    return readFileSync(`${path}.pid`, "utf8").trim();
  } catch {
    return "unknown";
  }
}
