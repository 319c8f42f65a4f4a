/**
 * The writer's thread: the only place that writes the database. Groups of appends come in batches; each batch is one
 * transaction, acknowledged after its sync, so that the event loop of the main thread never waits for a disk.
 *
 * W1  A commit that failed is never tried again on the connection that failed: the next one opens and reads anew.
 * W2  Nothing of a commit that failed shows later, be it after a crash.
 * W3  What fails because of one group fails that group alone.
 */
import { join } from "node:path";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import { failureOf, isCorruption, isTaken } from "./failures.ts";
import { type Move, Moves } from "./moves.ts";
import { connectForWriting, DATABASE_FILE } from "./schema.ts";
import { Transactions } from "./transaction.ts";
import type { FromWriter, Group, Refusal, ToWriter, WriterData } from "./wire.ts";
import { Witness } from "./witness.ts";

/** Size of the log after which it is written back into the database and begun anew. */
const LOG_BYTES_MAX = 4 * 1024 * 1024;

interface Connection {
  readonly database: DatabaseSync;
  readonly transactions: Transactions;
  readonly moves: Moves;
  /** Says how many frames the log has, and changes nothing. */
  readonly log: StatementSync;
  readonly pageBytes: number;
}

class Writer {
  readonly #path: string;
  readonly #epoch: number;
  readonly #witness: Witness;
  #connection: Connection | undefined;
  #position: number;
  /** Size of the log at which it is written back next. */
  #trimAtBytes = LOG_BYTES_MAX;
  #syncMs = 0;

  constructor({ folder, epoch, position }: WriterData) {
    this.#path = join(folder, DATABASE_FILE);
    this.#epoch = epoch;
    this.#position = position;
    this.#witness = new Witness(folder);
  }

  /** How long the disk took over the newest commit that succeeded. */
  get syncMs(): number {
    return this.#syncMs;
  }

  commit(groups: readonly Group[]): (Refusal | null)[] {
    try {
      const { transactions } = this.#connect();
      const done = transactions.commit(groups, this.#position);
      this.#syncMs = transactions.syncMs;
      if (done.position > this.#position) this.#witness.note(done.position);
      this.#position = done.position;
      return done.refusals;
    } catch (error) {
      this.#forget();
      const concernsOne = isCorruption(error) || isTaken(error);
      if (concernsOne && groups.length > 1) return groups.flatMap((group) => this.commit([group]));
      if (isTaken(error)) return [{ code: "JOURNAL_CONFLICT", message: "another writer appended first" }];
      if (!concernsOne) this.#cover();
      const { code, message } = failureOf(error, "the journal could not be written");
      return groups.map(() => ({ code, message }));
    }
  }

  /** One that failed may show later all the same: the bodies are in both places then, and either is as good (X1). */
  move(move: Move): Refusal | null {
    try {
      this.#connect().moves.make(move);
      return null;
    } catch (error) {
      this.#forget();
      const { code, message } = failureOf(error, "the journal's records could not be moved");
      return { code, message };
    }
  }

  /**
   * Writes the log back when it has grown; the next commit then begins it anew. Never waits for readers: while one of them needs
   * the log it goes on growing, and this is tried again at every quarter more. What fails here shows when a commit fails.
   */
  trim(): void {
    if (!this.#connection) return;
    try {
      const { database, log, pageBytes } = this.#connection;
      const bytes = Number(log.get()?.log) * pageBytes;
      if (bytes < LOG_BYTES_MAX) this.#trimAtBytes = LOG_BYTES_MAX;
      if (bytes < this.#trimAtBytes) return;
      this.#trimAtBytes = bytes + LOG_BYTES_MAX / 4;
      database.exec("PRAGMA wal_checkpoint(PASSIVE)");
    } catch {
      this.#forget();
    }
  }

  close(): void {
    this.#forget();
    this.#witness.close();
  }

  /**
   * W2: a commit whose sync failed may stand whole in the log, and a crash would bring it to life. One that changes nothing is
   * written over it. On a disk that refuses this too, only the machine's own crash could still tell.
   */
  #cover(): void {
    try {
      this.#connect().database.exec("UPDATE meta SET value = value WHERE key = 'epoch'");
    } catch {
      this.#forget();
    }
  }

  #connect(): Connection {
    this.#connection ??= connect(this.#path, this.#epoch);
    return this.#connection;
  }

  #forget(): void {
    const database = this.#connection?.database;
    this.#connection = undefined;
    database?.close();
  }
}

function connect(path: string, epoch: number): Connection {
  const database = connectForWriting(path);
  try {
    database.exec(`PRAGMA journal_size_limit = ${LOG_BYTES_MAX}`);
    return {
      database,
      transactions: new Transactions(database, epoch),
      moves: new Moves(database, epoch),
      log: database.prepare("PRAGMA wal_checkpoint(NOOP)"),
      pageBytes: Number(database.prepare("PRAGMA page_size").get()?.page_size),
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

const port = parentPort;
if (port) {
  const say = (message: FromWriter) => port.postMessage(message);
  const writer = new Writer(workerData as WriterData);
  port.on("message", (message: ToWriter) => {
    if (message.do === "commit") {
      say({ is: "committed", refusals: writer.commit(message.groups), syncMs: writer.syncMs });
      writer.trim();
      return;
    }
    if (message.do === "move") {
      say({ is: "moved", refusal: writer.move(message.move) });
      writer.trim();
      return;
    }
    writer.close();
    port.close();
  });
  say({ is: "ready" });
}
