/**
 * The journal port: append-only logs, one for each agent, in one store. What it promises, on every adapter:
 *
 * J1  An acknowledged append is durable: it survives the death of the process and, after fsync, of the machine.
 * J2  A stale writer is refused: an append names the sequence it builds on, a second one on the same is a conflict,
 *     and a writer whose epoch is not the newest appends nothing.
 * J3  An append is whole or absent, over all the agents that it names.
 * J4  Records come back as they were appended, in order, without gaps.
 * J5  A damaged record is detected and named, never served and never deleted; what stands before it is served.
 * J6  Positions order all records of the store as they became durable; an append's records never interleave with another's.
 *
 * A journal does not know what its records mean: `body` is opaque text.
 */
import type { AgentId } from "../base/ids.ts";
import type { AppendCounts } from "./append-counts.ts";
import type { Archiving } from "./archive.ts";

/**
 * One fact as it is appended. `time` is a whole number of milliseconds since the epoch; `body` is at most LIMITS.recordBytesMax
 * bytes of UTF-8. Text without a place in UTF-8 (a lone surrogate) is refused, for it would come back changed.
 */
export interface NewRecord {
  readonly time: number;
  readonly type: string;
  readonly body: string;
}

export interface StoredRecord extends NewRecord {
  readonly agent: AgentId;
  /** 1 for the first record of an agent; a fork goes on counting where it left its origin. */
  readonly seq: number;
  /** Place in the order of the whole store; grows, not necessarily by one. */
  readonly position: number;
}

/** A place in an agent's past. */
export interface Origin {
  readonly agent: AgentId;
  readonly seq: number;
}

export interface Append {
  readonly agent: AgentId;
  /** The sequence of the agent's newest record; 0 for a new agent, `origin.seq` for a new fork. */
  readonly expectedSeq: number;
  /** Only with the first append of a fork: its past is `origin.agent` up to and with `origin.seq`, a record of that agent's own. */
  readonly origin?: Origin;
  /** At least one. */
  readonly records: readonly NewRecord[];
  /** Replaces the agent's summary: a text that stands for its state after the last of these records, bounded like a body. */
  readonly summary?: string;
}

/** What the store knows of an agent without reading its records. */
export interface JournalHead {
  readonly agent: AgentId;
  readonly origin: Origin | undefined;
  /** Sequence of the newest record. */
  readonly seq: number;
  /** The newest one that is sound; it may be older than the newest record. */
  readonly summary: { readonly seq: number; readonly text: string } | undefined;
}

export interface Damage {
  /** The agent whose record it is, or undefined when that cannot be told. */
  readonly agent: AgentId | undefined;
  readonly seq: number | undefined;
  readonly what: string;
}

export interface Verification {
  readonly agents: number;
  readonly records: number;
  readonly damaged: readonly Damage[];
}

/** Once closed, everything is refused with SHUTTING_DOWN, and what follows the journal ends. */
export interface Journal {
  /** Grows by one each time the store is opened for writing. 0 for one opened for reading. */
  readonly epoch: number;
  /** Of a journal that can move bodies of records out. */
  readonly archiving?: Archiving | undefined;
  /** Of a journal that counts what it makes durable. */
  readonly appended?: AppendCounts | undefined;

  /**
   * Appends to one agent or to several at once (J3) and resolves when all is durable (J1).
   * @throws JOURNAL_CONFLICT (J2), CHECKPOINT_NOT_FOUND (no such origin), DISK_FAILED (nothing of it was kept, unless the
   * writer died), JOURNAL_DAMAGED (the agent's end is), CONTENT_TOO_LARGE, INPUT_INVALID, SHUTTING_DOWN
   */
  append(appends: readonly Append[]): Promise<void>;

  /**
   * The agent's own records with `from <= seq <= to`, in batches; a fork's past is read from its origin.
   * @throws AGENT_NOT_FOUND, JOURNAL_DAMAGED after the last sound record (J5)
   */
  read(agent: AgentId, range?: { from?: number; to?: number }): AsyncIterable<StoredRecord[]>;

  /** The agent's head, or undefined when there is none. @throws JOURNAL_DAMAGED */
  head(agent: AgentId): Promise<JournalHead | undefined>;

  /**
   * Heads of all agents, in the order of their first records, in batches; with `after`, of those that have records behind that
   * position.
   * @throws JOURNAL_DAMAGED when all that can be read has been served, and some could not
   */
  heads(options?: { after?: number }): AsyncIterable<JournalHead[]>;

  /**
   * Every record after `position`, then new ones as they become durable, until `signal` is aborted or the journal closed.
   * @throws JOURNAL_DAMAGED after the last sound record (J5)
   */
  follow(position: number, signal: AbortSignal): AsyncIterable<StoredRecord[]>;

  /** The position of the newest durable record; 0 when there is none. */
  position(): Promise<number>;

  /** The position of one record, or undefined when there is no such record. */
  positionOf(agent: AgentId, seq: number): Promise<number | undefined>;

  /** The agent's newest sequence at or before a position of the store; undefined when it began later. */
  seqAt(agent: AgentId, position: number): Promise<number | undefined>;

  /** Reads every record and names each that is damaged. Changes nothing. */
  verify(): Promise<Verification>;

  /** Waits for appends under way, refuses new ones, and lets go of the store. Twice is harmless. */
  close(): Promise<void>;
}
