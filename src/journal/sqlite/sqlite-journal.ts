/**
 * The journal in a SQLite file: one writer on a thread of its own, group commit, readers beside it. Records are
 * acknowledged after fsync (WAL, synchronous FULL). docs/format.md describes the files.
 */
import { join } from "node:path";
import { type Clock, systemClock } from "../../base/clock.ts";
import { makeFolder } from "../../base/durable-folder.ts";
import { BanyanError } from "../../base/errors.ts";
import type { AgentId } from "../../base/ids.ts";
import { AppendCounts } from "../append-counts.ts";
import { bytesOf } from "../appendable.ts";
import type { ArchiveStore, Archiving } from "../archive.ts";
import type { Append, Journal, JournalHead, StoredRecord, Verification } from "../journal.ts";
import { Archiver } from "./archiver.ts";
import { type Committer, startCommitter } from "./committer.ts";
import { failureOf } from "./failures.ts";
import { takeOwnership } from "./owner.ts";
import { Reader } from "./reader.ts";
import { beginEpoch, DATABASE_FILE, openForReading } from "./schema.ts";
import { witnessed } from "./witness.ts";

export interface SqliteJournalOptions {
  /** Made when it is not there. */
  readonly folder: string;
  /** No record is written; works beside a writer. */
  readonly readOnly?: boolean;
  readonly clock?: Clock;
  /** Where bodies of records go that are moved out, and are read from. */
  readonly archive?: ArchiveStore | undefined;
}

/** How often the data of another process is looked at for news. */
const FOLLOW_POLL_MS = 100;

/** @throws DATA_IN_USE, DATA_NOT_FOUND (readOnly), JOURNAL_DAMAGED, EVENT_INVALID (written by a newer Banyan), DISK_FAILED */
export async function openSqliteJournal({
  folder,
  readOnly = false,
  clock = systemClock({ keepAlive: false }),
  archive,
}: SqliteJournalOptions): Promise<Journal> {
  const path = join(folder, DATABASE_FILE);
  const archiverOf = (reader: Reader, committer?: Committer) =>
    archive && new Archiver({ reader, committer, store: archive, clock });
  if (readOnly) {
    const reader = new Reader(openForReading(path), archive);
    return new SqliteJournal({ folder, reader, clock, archiving: archiverOf(reader) });
  }
  makeFolder(folder);
  const release = takeOwnership(folder);
  const watchers = new Set<() => void>();
  const wake = () => {
    for (const watcher of watchers) watcher();
  };
  try {
    const beginning = beginEpoch(path, { promised: witnessed(folder), time: clock.now() });
    const committer = await startCommitter({ folder, ...beginning }, wake);
    const reader = new Reader(openForReading(path), archive);
    const writing = { committer, epoch: beginning.epoch, release };
    return new SqliteJournal({ folder, reader, clock, archiving: archiverOf(reader, committer), writing, watchers });
  } catch (error) {
    release();
    throw failureOf(error, `the journal in ${folder} cannot be opened`);
  }
}

interface Writing {
  readonly committer: Committer;
  readonly epoch: number;
  /** Lets another process own the data. */
  readonly release: () => void;
}

interface SqliteJournalParts {
  readonly folder: string;
  readonly reader: Reader;
  readonly clock: Clock;
  readonly archiving: Archiving | undefined;
  /** Absent where it is open for reading. */
  readonly writing?: Writing;
  /** Called at every commit, and when the journal closes. */
  readonly watchers?: Set<() => void>;
}

class SqliteJournal implements Journal {
  readonly epoch: number;
  readonly archiving: Archiving | undefined;
  readonly #folder: string;
  readonly #reader: Reader;
  readonly #clock: Clock;
  readonly #writing: Writing | undefined;
  readonly #counts: AppendCounts;
  readonly #watchers: Set<() => void>;
  /** How often they were called. */
  #changes = 0;
  #closing: Promise<void> | undefined;

  constructor({ folder, reader, clock, archiving, writing, watchers = new Set() }: SqliteJournalParts) {
    this.archiving = archiving;
    this.#folder = folder;
    this.#reader = reader;
    this.#clock = clock;
    this.#writing = writing;
    this.#counts = new AppendCounts(clock);
    this.#watchers = watchers;
    watchers.add(() => {
      this.#changes += 1;
    });
    this.epoch = writing?.epoch ?? 0;
  }

  async append(appends: readonly Append[]): Promise<void> {
    const bytes = bytesOf(appends);
    if (!this.#writing) throw new BanyanError("SHUTTING_DOWN", "the journal is open for reading");
    return this.#counts.count(appends, bytes, this.#writing.committer.append(appends, bytes));
  }

  get appended(): AppendCounts | undefined {
    return this.#writing && this.#counts;
  }

  async *read(agent: AgentId, { from = 1, to = Number.MAX_SAFE_INTEGER } = {}): AsyncGenerator<StoredRecord[]> {
    yield* this.#reader.read(agent, from, to);
  }

  async head(agent: AgentId): Promise<JournalHead | undefined> {
    return this.#reader.head(agent);
  }

  async *heads({ after = 0 } = {}): AsyncGenerator<JournalHead[]> {
    yield* this.#reader.heads(after);
  }

  async *follow(position: number, signal: AbortSignal): AsyncGenerator<StoredRecord[]> {
    const batches = this.#reader.follow(position);
    while (!signal.aborted && !this.#closing) {
      const changes = this.#changes;
      const { value: records } = await batches.next();
      if (records && records.length > 0) yield records;
      else if (changes === this.#changes && !signal.aborted) await this.#change(signal);
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
    return this.#reader.verify(this.#folder);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const watcher of this.#watchers) watcher();
    // The writer lets go last: the last one out writes the log back and takes it away.
    const closeReader = () => this.#reader.close();
    if (!this.#writing) return closeReader();
    await this.#writing.committer.close(closeReader);
    this.#writing.release();
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
