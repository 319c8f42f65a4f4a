/**
 * Finding one thing in the database, without trusting its indexes: an index that has lost an entry would make an agent or a
 * record look as if it had never been.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { BanyanError } from "../../base/errors.ts";
import type { AgentId } from "../../base/ids.ts";
import type { ArchiveStore } from "../archive.ts";
import { Bodies } from "./bodies.ts";
import { failureOf } from "./failures.ts";
import {
  AGENT_COLUMNS,
  type AgentRow,
  checked,
  damaged,
  EVENT_COLUMNS,
  type EventRow,
  firstOf,
  isEvent,
  type Known,
  knownOf,
  type Link,
} from "./records.ts";

type Value = number | string;

/** Bytes of one batch, about: it ends with the record that reaches them. */
const BATCH_BYTES = 4 * 1024 * 1024;

export class Lookup {
  /** Of records that were moved out. */
  readonly bodies: Bodies;
  readonly #database: DatabaseSync;
  readonly #statements: ReturnType<typeof prepare>;

  constructor(database: DatabaseSync, archive?: ArchiveStore) {
    this.#database = database;
    this.#statements = prepare(database);
    this.bodies = new Bodies(this, archive);
  }

  hasTable(name: string): boolean {
    const found = this.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?");
    return this.ask(undefined, () => found.get(name)) !== undefined;
  }

  /** A statement whose rows come as arrays. */
  prepare(sql: string): StatementSync {
    return this.ask(undefined, () => arrays(this.#database, sql));
  }

  /** What `read` reads, with SQLite's errors as ours. @throws JOURNAL_DAMAGED, SHUTTING_DOWN, DISK_FAILED */
  ask<T>(agent: AgentId | undefined, read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw failureOf(error, `the journal cannot be read${agent === undefined ? "" : ` near ${agent}`}`, agent);
    }
  }

  /** Rows of events, up to about BATCH_BYTES of them. */
  rows(agent: AgentId | undefined, statement: StatementSync, ...values: Value[]): EventRow[] {
    return this.ask(agent, () => {
      const rows: EventRow[] = [];
      let bytes = 0;
      for (const each of statement.iterate(...values)) {
        const row = each as unknown as EventRow;
        rows.push(row);
        const body: unknown = row[5];
        bytes += typeof body === "string" ? body.length : 0;
        if (bytes >= BATCH_BYTES) break;
      }
      return rows;
    });
  }

  /** The agent's row, or undefined when it has not begun. @throws JOURNAL_DAMAGED */
  find(agent: AgentId): Known | undefined {
    const { number, scan, agentAt } = this.#statements;
    return this.ask(agent, () => {
      const n = first(number, agent) ?? first(scan, agent);
      if (n === undefined) return undefined;
      const row = agentAt.get(n) as unknown as AgentRow | undefined;
      const known = row && knownOf([...row]);
      if (known?.agent === agent && known.isSound) return known;
      throw new BanyanError("JOURNAL_DAMAGED", `what the journal knows of ${agent} is damaged`, { agent });
    });
  }

  /** True when the index of ids leads to the agent's row. */
  isIndexed({ agent, n }: Known): boolean {
    return this.ask(agent, () => first(this.#statements.number, agent)) === n;
  }

  /** The agent of that number. @throws JOURNAL_DAMAGED also when there is none */
  at(n: number): Known {
    const row = this.ask(undefined, () => this.#statements.agentAt.get(n)) as unknown as AgentRow | undefined;
    const known = row && knownOf([...row]);
    if (known?.isSound) return known;
    throw new BanyanError("JOURNAL_DAMAGED", `what the journal knows of agent number ${n} is damaged`);
  }

  /** The place that the agent's record `seq` runs on from. @throws JOURNAL_DAMAGED */
  linkBefore(known: Known, seq: number): Link {
    const { origin } = known;
    if (seq > firstOf(known)) return { seq: seq - 1, crc: this.#crcAt(known, known, seq - 1) };
    if (!origin) return { seq: 0, crc: 0 };
    const from = this.find(origin.agent);
    if (!from) throw damaged(origin.agent, origin.seq, `is missing, and ${known.agent} was forked there`);
    return { seq: origin.seq, crc: this.#crcAt(known, from, origin.seq) };
  }

  /**
   * The position of one record, checked; undefined when the agent has none of that sequence itself. One whose body is in an archive is
   * not fetched for it. @throws JOURNAL_DAMAGED
   */
  positionOf(known: Known, seq: number): number | undefined {
    if (seq < firstOf(known) || seq > known.seq) return undefined;
    const row = this.ask(known.agent, () => this.#statements.event.get(known.n, seq)) as unknown as
      | EventRow
      | undefined;
    if (!row) throw damaged(known.agent, seq, "is missing");
    if (row[5] === "" && isEvent(row) && this.bodies.partOf(known.n, seq)) return row[0];
    const record = checked(known, row, this.linkBefore(known, seq));
    if (record instanceof BanyanError) throw record;
    return record.position;
  }

  close(): void {
    this.#database.close();
  }

  #crcAt(reader: Known, { n, agent }: Known, seq: number): number {
    const crc = this.ask(reader.agent, () => first(this.#statements.crc, n, seq));
    if (crc === undefined) throw damaged(agent, seq, "is missing");
    return crc;
  }
}

function arrays(database: DatabaseSync, sql: string): StatementSync {
  const statement = database.prepare(sql);
  statement.setReturnArrays(true);
  return statement;
}

/** The number in the first column of the first row. */
function first(statement: StatementSync, ...values: Value[]): number | undefined {
  const row = statement.get(...values) as unknown as [number | null] | undefined;
  return row?.[0] ?? undefined;
}

function prepare(database: DatabaseSync) {
  return {
    number: arrays(database, "SELECT n FROM agents WHERE id = ?"),
    scan: arrays(database, "SELECT n FROM agents NOT INDEXED WHERE id = ?"),
    agentAt: arrays(database, `SELECT ${AGENT_COLUMNS} FROM agents WHERE n = ?`),
    event: arrays(database, `SELECT ${EVENT_COLUMNS} FROM events WHERE agent = ? AND seq = ?`),
    crc: arrays(database, "SELECT crc FROM events WHERE agent = ? AND seq = ?"),
  };
}
