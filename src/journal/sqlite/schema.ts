/**
 * The tables, as docs/format.md describes them, and how a database is opened. Agents are numbered: a record carries a small
 * number instead of an id. The unique index over (agent, seq) is the fence that refuses a second writer (J2).
 */
import { closeSync, existsSync, openSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { BanyanError } from "../../base/errors.ts";
import { failureOf, isBusy, isUnwritable } from "./failures.ts";

export const DATABASE_FILE = "journal.db";

const FORMAT = 2;
/** "bany", in the header of every database of ours. */
const APPLICATION_ID = 0x62616e79;
/** Measured: records of 1 to 2 KB leave 5 % of such pages unused, and 18 % of pages of 4 KiB. */
const PAGE_BYTES = 8_192;
const BUSY_MS_MAX = 5_000;

/** Table or index, and the statement that SQLite keeps of it, word for word. */
const TABLES: Readonly<Record<string, string>> = {
  meta: "CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID",
  agents:
    "CREATE TABLE agents (n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, origin TEXT, origin_seq INTEGER, " +
    "seq INTEGER NOT NULL, crc INTEGER NOT NULL, sum INTEGER NOT NULL) STRICT",
  summaries:
    "CREATE TABLE summaries (n INTEGER PRIMARY KEY, seq INTEGER NOT NULL, text TEXT NOT NULL, sum INTEGER NOT NULL) STRICT",
  events:
    "CREATE TABLE events (position INTEGER PRIMARY KEY, agent INTEGER NOT NULL, seq INTEGER NOT NULL, " +
    "time INTEGER NOT NULL, type TEXT NOT NULL, body TEXT NOT NULL, crc INTEGER NOT NULL) STRICT",
  events_agent_seq: "CREATE UNIQUE INDEX events_agent_seq ON events (agent, seq)",
  losses: "CREATE TABLE losses (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, time INTEGER NOT NULL) STRICT",
};
/** What format 2 adds: where the bodies of records are that were moved to an archive. */
const TABLES_OF_2: Readonly<Record<string, string>> = {
  parts:
    "CREATE TABLE parts (id INTEGER PRIMARY KEY, root TEXT NOT NULL, place TEXT NOT NULL, key TEXT NOT NULL UNIQUE, " +
    "digest TEXT NOT NULL, bytes INTEGER NOT NULL, records INTEGER NOT NULL, body_bytes INTEGER NOT NULL, time INTEGER NOT NULL) STRICT",
  spans:
    "CREATE TABLE spans (n INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, part INTEGER NOT NULL, " +
    "PRIMARY KEY (n, first)) STRICT, WITHOUT ROWID",
  spans_part: "CREATE INDEX spans_part ON spans (part)",
};

export interface Beginning {
  readonly epoch: number;
  /** The newest position, or the one that the witness promised: new records go behind both. */
  readonly position: number;
}

/**
 * Makes the tables when there are none, begins a new epoch, and keeps the memory of records that were promised and are gone.
 * @throws JOURNAL_DAMAGED, EVENT_INVALID (a newer format), DATA_IN_USE, DISK_FAILED
 */
export function beginEpoch(path: string, { promised, time }: { promised: number; time: number }): Beginning {
  let database: DatabaseSync | undefined;
  try {
    // SQLite gives its other files the mode of this one.
    makeFile(path);
    database = connectForWriting(path);
    database.exec("BEGIN IMMEDIATE");
    if (isBlank(database)) create(database);
    else if (checkFormat(database) === 1) migrate(database);
    const epoch = epochOf(database) + 1;
    database.prepare("INSERT OR REPLACE INTO meta VALUES ('epoch', ?)").run(epoch);
    const position = noteLoss(database, promised, time);
    database.exec("COMMIT");
    return { epoch, position };
  } catch (error) {
    throw openingFailure(error, path);
  } finally {
    database?.close();
  }
}

/**
 * Makes a file for its owner alone, and does not touch one that is there: a process that closes a file which it has open elsewhere,
 * in SQLite, loses its locks on it (POSIX). @throws whatever the file system says
 */
export function makeFile(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** A writer's connection: acknowledged means synced, and the log is written back on purpose, by the writer. */
export function connectForWriting(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: BUSY_MS_MAX });
  try {
    database.exec(`PRAGMA page_size = ${PAGE_BYTES}`);
    database.exec("PRAGMA journal_mode = WAL");
    database.exec("PRAGMA synchronous = FULL");
    database.exec("PRAGMA wal_autocheckpoint = 0");
    database.exec("PRAGMA cache_size = -8000");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * A reader's connection, for the journal of this process or of another one.
 * @throws JOURNAL_DAMAGED, EVENT_INVALID (a newer format), DATA_NOT_FOUND, DISK_FAILED
 */
export function openForReading(path: string): DatabaseSync {
  try {
    return connectForReading(path);
  } catch (error) {
    throw openingFailure(error, path);
  }
}

/**
 * Beside a writer, and after one, reading needs the writer's index of the log, and makes it when it is not there. In a folder
 * that is not ours to write it cannot; without a log there is no need of it, for then all there is stands in the database.
 */
function connectForReading(path: string): DatabaseSync {
  if (!existsSync(path)) throw new BanyanError("DATA_NOT_FOUND", `there is no journal at ${path}`);
  try {
    return readingFrom(path);
  } catch (error) {
    if (!isUnwritable(error) || (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) throw error;
    const url = pathToFileURL(path);
    url.searchParams.set("immutable", "1");
    return readingFrom(url);
  }
}

function readingFrom(path: string | URL): DatabaseSync {
  const database = new DatabaseSync(path, { readOnly: true, timeout: BUSY_MS_MAX });
  try {
    database.exec("PRAGMA cache_size = -16000");
    if (isBlank(database)) throw new BanyanError("DATA_NOT_FOUND", `the journal at ${path} has not begun`);
    checkFormat(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function isBlank(database: DatabaseSync): boolean {
  return pragma(database, "application_id") === 0 && tablesOf(database).size === 0;
}

function create(database: DatabaseSync): void {
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  for (const sql of Object.values(TABLES)) database.exec(sql);
  migrate(database);
}

/** From format 1 on. */
function migrate(database: DatabaseSync): void {
  for (const sql of Object.values(TABLES_OF_2)) database.exec(sql);
  database.exec(`PRAGMA user_version = ${FORMAT}`);
}

/**
 * The format. Tables must be word for word those that this version makes or made: damage there would change how all else is read.
 * @throws JOURNAL_DAMAGED, EVENT_INVALID (a newer format)
 */
function checkFormat(database: DatabaseSync): number {
  if (pragma(database, "application_id") !== APPLICATION_ID) {
    throw new BanyanError("JOURNAL_DAMAGED", "the database is no journal of Banyan's");
  }
  const format = pragma(database, "user_version");
  if (format > FORMAT) {
    throw new BanyanError("EVENT_INVALID", `the journal has format ${format}, this Banyan knows up to ${FORMAT}`);
  }
  const tables = tablesOf(database);
  const wanted = Object.entries(format === 1 ? TABLES : { ...TABLES, ...TABLES_OF_2 });
  const same = wanted.every(([name, sql]) => tables.get(name) === sql);
  if (format < 1 || !same || tables.size !== wanted.length) {
    throw new BanyanError("JOURNAL_DAMAGED", `the journal's tables are not those of format ${format}`);
  }
  return format;
}

function tablesOf(database: DatabaseSync): Map<string, string> {
  const rows = database.prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL").all();
  return new Map(rows.map(({ name, sql }) => [String(name), String(sql)]));
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

function epochOf(database: DatabaseSync): number {
  return Number(database.prepare("SELECT value FROM meta WHERE key = 'epoch'").get()?.value ?? 0);
}

function noteLoss(database: DatabaseSync, promised: number, time: number): number {
  const row = database.prepare("SELECT max(position) AS position FROM events").get();
  const position = Number(row?.position ?? 0);
  if (promised <= position) return position;
  database.prepare("INSERT OR REPLACE INTO losses VALUES (?, ?, ?)").run(position + 1, promised, time);
  return promised;
}

function openingFailure(error: unknown, path: string): BanyanError {
  const doing = `the journal at ${path} cannot be opened`;
  if (isBusy(error)) return new BanyanError("DATA_IN_USE", `${doing}: another process writes to it`, { cause: error });
  return failureOf(error, doing);
}
