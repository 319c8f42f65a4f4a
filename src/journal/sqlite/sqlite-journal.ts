/**
 * The journal in a SQLite file: one writer on a thread of its own, group commit, readers beside it. Records are
 * acknowledged after fsync (WAL, synchronous FULL).
 */
import { mkdirSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { extname, join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { Worker } from "node:worker_threads";
import { type Clock, systemClock } from "../../base/clock.ts";
import { BanyanError } from "../../base/errors.ts";
import type { AgentId } from "../../base/ids.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Append, Journal, JournalHead, StoredRecord, Verification } from "../journal.ts";
import { takeOwnership } from "./owner.ts";
import { Reader } from "./reader.ts";
import { DATABASE_FILE, openForReading, openForWriting } from "./schema.ts";
import { verifyJournal } from "./verify.ts";
import type { Committed, ToWriter, WireAppend, WriterData } from "./wire.ts";
import { witnessed } from "./witness.ts";

export interface SqliteJournalOptions {
  /** Made when it is not there. */
  readonly folder: string;
  /** Nothing is written; works beside a writer. */
  readonly readOnly?: boolean;
  readonly clock?: Clock;
}

/** @throws DATA_IN_USE, DATA_NOT_FOUND (readOnly), JOURNAL_DAMAGED, EVENT_INVALID (written by a newer Banyan) */
export async function openSqliteJournal({
  folder,
  readOnly = false,
  clock = systemClock({ keepAlive: false }),
}: SqliteJournalOptions): Promise<Journal> {
  const path = join(folder, DATABASE_FILE);
  if (readOnly) return new SqliteJournal(reading(path), folder, clock, undefined);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const release = takeOwnership(join(folder, "owner.lock"));
  try {
    const { database, epoch } = openForWriting(path);
    const position = noteLosses(database, folder, clock.now());
    database.close();
    await chmod(path, 0o600);
    const writer = await startWriter({ folder, epoch, position });
    return new SqliteJournal(openForReading(path), folder, clock, { writer, epoch, release });
  } catch (error) {
    release();
    throw error;
  }
}

function reading(path: string): DatabaseSync {
  try {
    return openForReading(path);
  } catch (cause) {
    if (cause instanceof BanyanError) throw cause;
    throw new BanyanError("DATA_NOT_FOUND", `no journal can be read at ${path}`, { cause });
  }
}

/** Keeps the memory of records that were acknowledged and are gone, and returns the position to go on from. */
function noteLosses(database: DatabaseSync, folder: string, time: number): number {
  const row = database.prepare("SELECT max(position) AS position FROM events").get();
  const position = Number(row?.position ?? 0);
  const promised = witnessed(join(folder, "witness"));
  if (promised <= position) return position;
  database.prepare("INSERT OR REPLACE INTO losses VALUES (?, ?, ?)").run(position + 1, promised, time);
  return promised;
}

async function startWriter(workerData: WriterData): Promise<Worker> {
  const writer = new Worker(new URL(`./writer${extname(import.meta.filename)}`, import.meta.url), { workerData });
  await new Promise<void>((resolve, reject) => {
    writer.once("online", resolve);
    writer.once("error", reject);
  });
  return writer;
}

interface Group {
  readonly appends: readonly WireAppend[];
  readonly agent: AgentId | undefined;
  readonly resolve: () => void;
  readonly reject: (error: BanyanError) => void;
}

interface Writing {
  readonly writer: Worker;
  readonly epoch: number;
  readonly release: () => void;
}

class SqliteJournal implements Journal {
  readonly epoch: number;
  readonly #database: DatabaseSync;
  readonly #reader: Reader;
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #writing: Writing | undefined;
  #queue: Group[] = [];
  #queuedBytes = 0;
  #inFlight: Group[] = [];
  #scheduled = false;
  readonly #room: (() => void)[] = [];
  readonly #watchers = new Set<() => void>();
  #closing: Promise<void> | undefined;
  #idle: (() => void) | undefined;

  constructor(database: DatabaseSync, folder: string, clock: Clock, writing: Writing | undefined) {
    this.#database = database;
    this.#reader = new Reader(database);
    this.#folder = folder;
    this.#clock = clock;
    this.#writing = writing;
    this.epoch = writing?.epoch ?? 0;
    writing?.writer.on("message", (done: Committed) => this.#committed(done));
    writing?.writer.on("error", (error) => this.#writerDied(error));
    writing?.writer.unref();
  }

  append(appends: readonly Append[]): Promise<void> {
    if (this.#closing || !this.#writing) {
      return Promise.reject(
        new BanyanError("SHUTTING_DOWN", this.#writing ? "the journal is closed" : "the journal is open for reading"),
      );
    }
    if (this.#queuedBytes > LIMITS.commitBytesMax) return this.#hasRoom().then(() => this.append(appends));
    return new Promise((resolve, reject) => {
      const group = appends.map(wireOf);
      this.#queue.push({ appends: group, agent: appends[0]?.agent, resolve, reject });
      for (const { records } of appends) for (const { body } of records) this.#queuedBytes += body.length;
      this.#schedule();
    });
  }

  async *read(agent: AgentId, { from = 1, to = Number.MAX_SAFE_INTEGER } = {}): AsyncGenerator<StoredRecord[]> {
    yield* this.#reader.read(agent, from, to);
  }

  async head(agent: AgentId): Promise<JournalHead | undefined> {
    return this.#reader.head(agent);
  }

  async *heads(): AsyncGenerator<JournalHead[]> {
    yield* this.#reader.heads();
  }

  async *follow(position: number, signal: AbortSignal): AsyncGenerator<StoredRecord[]> {
    let at = position;
    while (!signal.aborted && !this.#closing) {
      const records = this.#reader.after(at);
      const last = records.at(-1);
      if (!last) {
        await this.#change(signal);
        continue;
      }
      at = last.position;
      yield records;
    }
  }

  async position(): Promise<number> {
    return this.#reader.position();
  }

  async positionOf(agent: AgentId, seq: number): Promise<number | undefined> {
    return this.#reader.positionOf(agent, seq);
  }

  async seqAt(agent: AgentId, position: number): Promise<number | undefined> {
    return this.#reader.seqAt(agent, position);
  }

  async verify(): Promise<Verification> {
    return verifyJournal(this.#database, this.#folder);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const watcher of this.#watchers) watcher();
    if (this.#inFlight.length > 0 || this.#queue.length > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    this.#reader.close();
    if (!this.#writing) return;
    const { writer, release } = this.#writing;
    writer.ref();
    const ended = new Promise<void>((resolve) => writer.once("exit", () => resolve()));
    writer.postMessage({ do: "close" } satisfies ToWriter);
    await ended;
    release();
  }

  /** One batch is with the writer at a time; what comes meanwhile goes into the next one (group commit). */
  #schedule(): void {
    if (this.#inFlight.length > 0 || this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (this.#inFlight.length === 0) this.#flush();
    });
  }

  #flush(): void {
    const batch: Group[] = [];
    let records = 0;
    for (const group of this.#queue) {
      const size = group.appends.reduce((sum, append) => sum + append.length / 3, 0);
      if (batch.length > 0 && records + size > LIMITS.commitRecordsMax) break;
      records += size;
      batch.push(group);
    }
    if (batch.length === 0) return;
    this.#queue = this.#queue.slice(batch.length);
    if (this.#queue.length === 0) this.#queuedBytes = 0;
    this.#inFlight = batch;
    this.#writing?.writer.ref();
    this.#writing?.writer.postMessage({ do: "commit", groups: batch.map(({ appends }) => appends) } satisfies ToWriter);
  }

  #committed({ refusals }: Committed): void {
    const batch = this.#inFlight;
    this.#inFlight = [];
    this.#flush();
    for (const [index, { resolve, reject, agent }] of batch.entries()) {
      const refusal = refusals[index];
      if (refusal) reject(new BanyanError(refusal.code, refusal.message, { agent }));
      else resolve();
    }
    for (const watcher of this.#watchers) watcher();
    for (const wake of this.#room.splice(0)) wake();
    if (this.#inFlight.length > 0) return;
    this.#writing?.writer.unref();
    this.#idle?.();
  }

  #writerDied(error: unknown): void {
    const batch = [...this.#inFlight, ...this.#queue];
    this.#inFlight = [];
    this.#queue = [];
    const refusal = new BanyanError("DISK_FAILED", `the journal's writer died: ${String(error)}`, { cause: error });
    for (const { reject } of batch) reject(refusal);
    this.#idle?.();
  }

  #hasRoom(): Promise<void> {
    return new Promise((resolve) => this.#room.push(resolve));
  }

  /** Resolves at the next commit; a reader of another process's data looks again after a while. */
  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#writing ? undefined : this.#clock.timer(FOLLOW_POLL_MS, () => wake());
      const wake = () => {
        timer?.cancel();
        this.#watchers.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#watchers.add(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }
}

/** How often the data of another process is looked at for news. */
const FOLLOW_POLL_MS = 100;

function wireOf({ agent, expectedSeq, origin, records, summary }: Append): WireAppend {
  const wire: [string, number, string | null, number | null, string | null, ...(string | number)[]] = [
    agent,
    expectedSeq,
    origin?.agent ?? null,
    origin?.seq ?? null,
    summary ?? null,
  ];
  for (const { time, type, body } of records) wire.push(time, type, body);
  return wire;
}
