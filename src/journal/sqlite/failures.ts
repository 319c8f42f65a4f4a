/** What SQLite says, in our words. */
import { BanyanError } from "../../base/errors.ts";

/** SQLITE_ERROR, which fixed statements meet only when the tables are not what they were; SQLITE_CORRUPT; SQLITE_NOTADB. */
const CORRUPT = new Set([1, 11, 26]);
const BUSY = new Set([5, 6]);
/** SQLITE_READONLY, SQLITE_CANTOPEN */
const UNWRITABLE = new Set([8, 14]);
const CONSTRAINT = 19;

/** The primary code, which is the low byte of an extended one. */
function codeOf(error: unknown): number | undefined {
  const code = (error as { errcode?: number }).errcode;
  return code === undefined ? undefined : code & 0xff;
}

/** True for a database whose pages are broken, and for a number in it that no writer wrote. */
export function isCorruption(error: unknown): boolean {
  return CORRUPT.has(codeOf(error) ?? 0) || (error as NodeJS.ErrnoException).code === "ERR_OUT_OF_RANGE";
}

export function isBusy(error: unknown): boolean {
  return BUSY.has(codeOf(error) ?? 0);
}

/** True when a file that SQLite needs cannot be written, or not be made. */
export function isUnwritable(error: unknown): boolean {
  return UNWRITABLE.has(codeOf(error) ?? 0);
}

/** True when a row stands where a new one should go. */
export function isTaken(error: unknown): boolean {
  return codeOf(error) === CONSTRAINT;
}

/** JOURNAL_DAMAGED, SHUTTING_DOWN or DISK_FAILED; an error of ours as it is. `doing` begins the message. */
export function failureOf(error: unknown, doing: string, agent?: string): BanyanError {
  if (error instanceof BanyanError) return error;
  const because = error instanceof Error ? error.message : String(error);
  const details = { agent, cause: error };
  if (isCorruption(error)) return new BanyanError("JOURNAL_DAMAGED", `${doing}: ${because}`, details);
  if ((error as NodeJS.ErrnoException).code === "ERR_INVALID_STATE") {
    return new BanyanError("SHUTTING_DOWN", "the journal is closed", details);
  }
  return new BanyanError("DISK_FAILED", `${doing}: ${because}`, details);
}
