/**
 * The journal in memory: for tests, and the store of the seeded simulation. A `MemoryStore` is the disk: it holds what was
 * committed. A `MemoryJournal` is one process's hold on it: opening another makes the first one stale (J2).
 */
import { BanyanError } from "../../base/errors.ts";
import type { AgentId } from "../../base/ids.ts";
import { LIMITS } from "../../base/limits.ts";
import { bytesOf } from "../appendable.ts";
import type { Append, Damage, Journal, JournalHead, Origin, StoredRecord, Verification } from "../journal.ts";

interface Log {
  readonly origin: Origin | undefined;
  readonly records: StoredRecord[];
  summary: JournalHead["summary"];
}

/** What outlives a process. */
export class MemoryStore {
  readonly logs = new Map<AgentId, Log>();
  readonly order: StoredRecord[] = [];
  epoch = 0;
  readonly watchers = new Set<() => void>();
}

export interface MemoryJournalOptions {
  readonly store?: MemoryStore;
  /** Called with every append before it is committed: it may take its time, or throw to have the append fail. */
  readonly commit?: (appends: readonly Append[]) => Promise<void>;
}

export class MemoryJournal implements Journal {
  readonly epoch: number;
  readonly #store: MemoryStore;
  readonly #commit: ((appends: readonly Append[]) => Promise<void>) | undefined;
  /** Appends go one after the other, as they would to one disk. */
  #last: Promise<void> = Promise.resolve();
  #closed = false;

  constructor({ store = new MemoryStore(), commit }: MemoryJournalOptions = {}) {
    this.#store = store;
    this.#commit = commit;
    this.epoch = ++store.epoch;
  }

  async append(appends: readonly Append[]): Promise<void> {
    bytesOf(appends);
    this.#mustBeOpen();
    const done = this.#last.then(async () => {
      await this.#commit?.(appends);
      this.#apply(appends);
    });
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** J2, J3: everything is checked before anything is kept. */
  #apply(appends: readonly Append[]): void {
    if (this.epoch !== this.#store.epoch) throw conflict(appends, `epoch ${this.epoch} is over`);
    /** What these appends make of each agent: its sequences after `from`, up to `to`. */
    const made = new Map<AgentId, Span>();
    for (const { agent, expectedSeq, origin, records } of appends) {
      const known = made.get(agent)?.to ?? this.#spanOf(agent)?.to;
      const seq = known ?? origin?.seq ?? 0;
      if (seq !== expectedSeq) throw conflict(appends, `${agent} is at ${seq}, not at ${expectedSeq}`);
      if (origin && known !== undefined) throw conflict(appends, `${agent} has begun already`);
      if (origin && !holds(made.get(origin.agent), origin.seq) && !holds(this.#spanOf(origin.agent), origin.seq)) {
        throw new BanyanError("CHECKPOINT_NOT_FOUND", `${origin.agent} has no record ${origin.seq} of its own`, {
          agent,
        });
      }
      made.set(agent, { from: made.get(agent)?.from ?? seq, to: seq + records.length });
    }
    for (const append of appends) this.#keep(append);
    for (const watcher of this.#store.watchers) watcher();
  }

  #spanOf(agent: AgentId): Span | undefined {
    const log = this.#store.logs.get(agent);
    return log && { from: log.origin?.seq ?? 0, to: seqOf(log) };
  }

  #keep({ agent, expectedSeq, origin, records, summary }: Append): void {
    const log: Log = this.#store.logs.get(agent) ?? { origin, records: [], summary: undefined };
    this.#store.logs.set(agent, log);
    records.forEach(({ time, type, body }, index) => {
      const record = { agent, seq: expectedSeq + index + 1, position: this.#store.order.length + 1, time, type, body };
      log.records.push(record);
      this.#store.order.push(record);
    });
    if (summary !== undefined) log.summary = { seq: seqOf(log), text: summary };
  }

  async *read(agent: AgentId, { from = 1, to = Number.MAX_SAFE_INTEGER } = {}): AsyncGenerator<StoredRecord[]> {
    this.#mustBeOpen();
    const log = this.#store.logs.get(agent);
    if (!log) throw new BanyanError("AGENT_NOT_FOUND", `no journal of ${agent}`, { agent });
    const first = log.origin?.seq ?? 0;
    const found = log.records.slice(Math.max(0, from - first - 1), Math.max(0, to - first));
    for (let at = 0; at < found.length; at += LIMITS.readEventsMax) yield found.slice(at, at + LIMITS.readEventsMax);
  }

  async head(agent: AgentId): Promise<JournalHead | undefined> {
    this.#mustBeOpen();
    const log = this.#store.logs.get(agent);
    return log && { agent, origin: log.origin, seq: seqOf(log), summary: log.summary };
  }

  async *heads({ after = 0 } = {}): AsyncGenerator<JournalHead[]> {
    this.#mustBeOpen();
    const isChanged = ({ records }: Log) => after === 0 || (records.at(-1)?.position ?? 0) > after;
    const changed = [...this.#store.logs].filter(([, log]) => isChanged(log));
    const all = changed.map(([agent, log]) => ({
      agent,
      origin: log.origin,
      seq: seqOf(log),
      summary: log.summary,
    }));
    for (let at = 0; at < all.length; at += LIMITS.readEventsMax) yield all.slice(at, at + LIMITS.readEventsMax);
  }

  async *follow(position: number, signal: AbortSignal): AsyncGenerator<StoredRecord[]> {
    let at = position;
    while (!signal.aborted && !this.#closed) {
      const found = this.#store.order.slice(at, at + LIMITS.readEventsMax);
      if (found.length > 0) {
        at += found.length;
        yield found;
      } else await this.#change(signal);
    }
  }

  async position(): Promise<number> {
    this.#mustBeOpen();
    return this.#store.order.length;
  }

  async positionOf(agent: AgentId, seq: number): Promise<number | undefined> {
    this.#mustBeOpen();
    const log = this.#store.logs.get(agent);
    return log?.records[seq - (log.origin?.seq ?? 0) - 1]?.position;
  }

  async seqAt(agent: AgentId, position: number): Promise<number | undefined> {
    this.#mustBeOpen();
    return this.#store.logs.get(agent)?.records.findLast((record) => record.position <= position)?.seq;
  }

  async verify(): Promise<Verification> {
    this.#mustBeOpen();
    const damaged: Damage[] = [];
    return { agents: this.#store.logs.size, records: this.#store.order.length, damaged };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#last;
    for (const watcher of this.#store.watchers) watcher();
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new BanyanError("SHUTTING_DOWN", "the journal is closed");
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#store.watchers.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#store.watchers.add(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }
}

/** Sequences after `from`, up to `to`. */
interface Span {
  readonly from: number;
  readonly to: number;
}

function holds(span: Span | undefined, seq: number): boolean {
  return span !== undefined && seq > span.from && seq <= span.to;
}

function seqOf({ origin, records }: Log): number {
  return (origin?.seq ?? 0) + records.length;
}

function conflict(appends: readonly Append[], why: string): BanyanError {
  return new BanyanError("JOURNAL_CONFLICT", `the append is refused: ${why}`, { agent: appends[0]?.agent });
}
