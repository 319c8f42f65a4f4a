/**
 * The tables, as docs/format.md describes them. Agent ids are interned: a record carries a small number instead. The unique
 * index over (agent, seq) is the fence that refuses a second writer (J2).
 */
import { DatabaseSync } from "node:sqlite";
import { BanyanError } from "../../base/errors.ts";

export const SCHEMA_VERSION = 1;
export const DATABASE_FILE = "journal.db";

const TABLES = `
  CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS agents (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    origin TEXT,
    origin_seq INTEGER,
    summary TEXT,
    summary_seq INTEGER
  );
  CREATE TABLE IF NOT EXISTS events (
    position INTEGER PRIMARY KEY,
    agent INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    time INTEGER NOT NULL,
    type TEXT NOT NULL,
    body TEXT NOT NULL,
    crc INTEGER NOT NULL
  );
  CREATE UNIQUE INDEX IF NOT EXISTS events_agent_seq ON events (agent, seq);
  CREATE TABLE IF NOT EXISTS losses (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, time INTEGER NOT NULL);
`;

/** Opens the database for writing, makes the tables, and begins a new epoch. */
export function openForWriting(path: string): { database: DatabaseSync; epoch: number } {
  const database = connectForWriting(path);
  database.exec("BEGIN IMMEDIATE");
  database.exec(TABLES);
  checkVersion(database);
  database.exec(`INSERT OR IGNORE INTO meta VALUES ('version', ${SCHEMA_VERSION})`);
  const epoch = Number(metaOf(database, "epoch") ?? 0) + 1;
  database.prepare("INSERT OR REPLACE INTO meta VALUES ('epoch', ?)").run(epoch);
  database.exec("COMMIT");
  return { database, epoch };
}

/** A writer's connection: acknowledged means synced, and the log is cut on purpose, by the writer. */
export function connectForWriting(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 5_000 });
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA synchronous = FULL");
  database.exec("PRAGMA wal_autocheckpoint = 0");
  database.exec("PRAGMA cache_size = -8000");
  return database;
}

/** @throws JOURNAL_DAMAGED when it is no journal, EVENT_INVALID when a newer Banyan wrote it */
export function openForReading(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  try {
    database.exec("PRAGMA cache_size = -16000");
    checkVersion(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

export function metaOf(database: DatabaseSync, key: string): unknown {
  return database.prepare("SELECT value FROM meta WHERE key = ?").get(key)?.value;
}

function checkVersion(database: DatabaseSync): void {
  const version = metaOf(database, "version");
  if (version !== undefined && Number(version) > SCHEMA_VERSION) {
    throw new BanyanError("EVENT_INVALID", `the journal has format ${version}, this Banyan knows ${SCHEMA_VERSION}`);
  }
}
