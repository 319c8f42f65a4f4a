/**
 * The writer's thread: the only place that writes the database. Groups of appends come in batches; each batch is one
 * transaction, acknowledged after its sync, so that the event loop of the main thread never waits for a disk.
 */
import { join } from "node:path";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import type { ErrorCode } from "../../base/errors.ts";
import { checkOf } from "./checksum.ts";
import { connectForWriting, DATABASE_FILE } from "./schema.ts";
import { type Committed, RECORDS_AT, type ToWriter, type WireAppend, type WriterData } from "./wire.ts";
import { Witness } from "./witness.ts";

/** Bytes of records after which the log is written back into the database and begun anew. */
const LOG_BYTES_MAX = 4 * 1024 * 1024;
/** Agents whose end is kept in memory. */
const ENDS_MAX = 100_000;
const SQLITE_CONSTRAINT = 19;

interface End {
  readonly n: number;
  readonly seq: number;
  readonly crc: number;
}

type Refusal = NonNullable<Committed["refusals"][number]>;

class Writer {
  readonly #data: WriterData;
  readonly #witness: Witness;
  #database: DatabaseSync | undefined;
  #statements: ReturnType<typeof prepare> | undefined;
  /** Ends of agents' logs that are known to be durable; emptied whenever that is in doubt. */
  readonly #ends = new Map<string, End>();
  #position: number;
  #logBytes = 0;

  constructor(data: WriterData) {
    this.#data = data;
    this.#position = data.position;
    this.#witness = new Witness(join(data.folder, "witness"));
  }

  commit(groups: readonly (readonly WireAppend[])[]): Committed {
    const refusals = this.#commitAll(groups);
    this.#trimLog();
    return { refusals, position: this.#position };
  }

  close(): void {
    try {
      this.#database?.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } finally {
      this.#forget();
      this.#witness.close();
    }
  }

  #commitAll(groups: readonly (readonly WireAppend[])[]): (Refusal | null)[] {
    try {
      return this.#transaction(groups);
    } catch (error) {
      this.#forget();
      if (primaryCode(error) !== SQLITE_CONSTRAINT) {
        const message = error instanceof Error ? error.message : String(error);
        return groups.map(() => ({ code: "DISK_FAILED", message: `the journal could not be written: ${message}` }));
      }
      if (groups.length === 1) return [{ code: "JOURNAL_CONFLICT", message: "another writer appended first" }];
      // One group met a record of another writer: each for itself, so that only that one is refused.
      return groups.flatMap((group) => this.#commitAll([group]));
    }
  }

  #transaction(groups: readonly (readonly WireAppend[])[]): (Refusal | null)[] {
    const { database, statements } = this.#connect();
    const firstPosition = this.#position;
    const ends = new Map<string, End>();
    database.exec("BEGIN IMMEDIATE");
    try {
      const epoch = Number(statements.epoch.get()?.value);
      const refusals = groups.map((group) => {
        if (epoch !== this.#data.epoch) return refuse("JOURNAL_CONFLICT", `epoch ${this.#data.epoch} is over`);
        return this.#check(group, ends, statements) ?? this.#insert(group, ends, statements);
      });
      database.exec("COMMIT");
      if (this.#ends.size > ENDS_MAX) this.#ends.clear();
      for (const [agent, end] of ends) this.#ends.set(agent, end);
      if (this.#position > firstPosition) this.#witness.note(this.#position);
      return refusals;
    } catch (error) {
      this.#position = firstPosition;
      throw error;
    }
  }

  /** J2, J3: the whole group is checked before any of it is written. */
  #check(group: readonly WireAppend[], ends: ReadonlyMap<string, End>, statements: Statements): Refusal | undefined {
    const seqs = new Map<string, number>();
    for (const [agent, expectedSeq, origin, originSeq, , ...records] of group) {
      const end = ends.get(agent) ?? this.#endOf(agent, statements);
      const seq = seqs.get(agent) ?? end?.seq ?? (origin === null ? 0 : originSeq);
      if (seq !== expectedSeq || (origin !== null && (end || seqs.has(agent)))) {
        return refuse("JOURNAL_CONFLICT", `${agent} is at ${seq}, not at ${expectedSeq}`);
      }
      seqs.set(agent, expectedSeq + records.length / 3);
    }
    return undefined;
  }

  #insert(group: readonly WireAppend[], ends: Map<string, End>, statements: Statements): null {
    for (const append of group) {
      const [agent, expectedSeq, origin, originSeq, summary] = append;
      const end =
        ends.get(agent) ?? this.#endOf(agent, statements) ?? this.#begin(agent, origin, originSeq, ends, statements);
      let { crc } = end;
      let seq = expectedSeq;
      for (let at = RECORDS_AT; at < append.length; at += 3) {
        seq += 1;
        const record = { time: append[at] as number, type: append[at + 1] as string, body: append[at + 2] as string };
        crc = checkOf(agent, seq, record, crc);
        statements.insert.run(++this.#position, end.n, seq, record.time, record.type, record.body, crc);
        this.#logBytes += record.body.length + 64;
      }
      if (summary !== null) {
        statements.summary.run(summary, seq, end.n);
        this.#logBytes += summary.length;
      }
      ends.set(agent, { n: end.n, seq, crc });
    }
    return null;
  }

  /** A new agent's row; a fork's check values run on from its origin's. */
  #begin(
    agent: string,
    origin: string | null,
    originSeq: number | null,
    ends: ReadonlyMap<string, End>,
    statements: Statements,
  ): End {
    const n = Number(statements.begin.run(agent, origin, originSeq).lastInsertRowid);
    if (origin === null) return { n, seq: 0, crc: 0 };
    const before = ends.get(origin) ?? this.#endOf(origin, statements);
    const crc = before?.seq === originSeq ? before?.crc : statements.crc.get(origin, originSeq)?.crc;
    return { n, seq: Number(originSeq), crc: Number(crc ?? 0) };
  }

  #endOf(agent: string, statements: Statements): End | undefined {
    const known = this.#ends.get(agent);
    if (known) return known;
    const row = statements.end.get(agent);
    if (!row) return undefined;
    const end = { n: Number(row.n), seq: Number(row.seq), crc: Number(row.crc) };
    this.#ends.set(agent, end);
    return end;
  }

  /** The log is cut when it has grown; a reader in the way only puts that off. */
  #trimLog(): void {
    if (this.#logBytes < LOG_BYTES_MAX || !this.#database) return;
    const [row] = this.#database.prepare("PRAGMA wal_checkpoint(RESTART)").all();
    if (Number(row?.busy) === 0) this.#logBytes = 0;
    else this.#logBytes = LOG_BYTES_MAX / 2;
  }

  #connect(): { database: DatabaseSync; statements: Statements } {
    this.#database ??= connectForWriting(join(this.#data.folder, DATABASE_FILE));
    this.#statements ??= prepare(this.#database);
    return { database: this.#database, statements: this.#statements };
  }

  /** After a failure nothing that was believed holds: the next batch opens and reads anew, and a failed sync is never tried again. */
  #forget(): void {
    this.#ends.clear();
    this.#statements = undefined;
    const database = this.#database;
    this.#database = undefined;
    database?.close();
  }
}

type Statements = ReturnType<typeof prepare>;

function prepare(database: DatabaseSync) {
  const statement = (sql: string): StatementSync => database.prepare(sql);
  return {
    epoch: statement("SELECT value FROM meta WHERE key = 'epoch'"),
    end: statement("SELECT n, seq, crc FROM agents JOIN events ON agent = n WHERE id = ? ORDER BY seq DESC LIMIT 1"),
    begin: statement("INSERT INTO agents (id, origin, origin_seq) VALUES (?, ?, ?)"),
    crc: statement("SELECT crc FROM agents JOIN events ON agent = n WHERE id = ? AND seq = ?"),
    insert: statement("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)"),
    summary: statement("UPDATE agents SET summary = ?, summary_seq = ? WHERE n = ?"),
  };
}

function refuse(code: ErrorCode, message: string): Refusal {
  return { code, message };
}

/** SQLite's extended codes carry the primary one in their low byte. */
function primaryCode(error: unknown): number | undefined {
  const code = (error as { errcode?: number }).errcode;
  return code === undefined ? undefined : code & 0xff;
}

const port = parentPort;
if (port) {
  const writer = new Writer(workerData as WriterData);
  port.on("message", (message: ToWriter) => {
    if (message.do === "commit") {
      port.postMessage(writer.commit(message.groups));
      return;
    }
    writer.close();
    port.close();
  });
}
