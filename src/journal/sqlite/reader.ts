/** Reading: its own connection, on the calling thread, beside whatever writes. Every record is checked before it is served (J5). */
import type { DatabaseSync } from "node:sqlite";
import { BanyanError } from "../../base/errors.ts";
import type { AgentId } from "../../base/ids.ts";
import { LIMITS } from "../../base/limits.ts";
import type { JournalHead, Origin, StoredRecord } from "../journal.ts";
import { checkOf } from "./checksum.ts";

type Row = Record<string, unknown>;

export class Reader {
  readonly #database: DatabaseSync;
  readonly #statements: ReturnType<typeof prepare>;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#statements = prepare(database);
  }

  /** @throws AGENT_NOT_FOUND, JOURNAL_DAMAGED after the last sound batch */
  *read(agent: AgentId, from: number, to: number): Generator<StoredRecord[]> {
    const known = this.#agent(agent);
    if (!known) throw new BanyanError("AGENT_NOT_FOUND", `no journal of ${agent}`, { agent });
    const first = (known.origin?.seq ?? 0) + 1;
    let seq = Math.max(from, first);
    let crc = this.#checkBefore(agent, known, seq);
    while (seq <= to) {
      const rows = this.#guard(agent, seq, () => this.#statements.range.all(known.n, seq, to, LIMITS.readEventsMax));
      const { records, damage, crc: last } = checkRows(agent, rows, seq, crc);
      if (records.length > 0) yield records;
      if (damage) throw damage;
      if (rows.length < LIMITS.readEventsMax) return;
      seq += rows.length;
      crc = last;
    }
  }

  head(agent: AgentId): JournalHead | undefined {
    const known = this.#agent(agent);
    return known && headOf(known.row);
  }

  *heads(): Generator<JournalHead[]> {
    for (let after = 0; ; ) {
      const rows = this.#guard(undefined, undefined, () => this.#statements.heads.all(after, LIMITS.readEventsMax));
      if (rows.length === 0) return;
      yield rows.map(headOf);
      after = Number(rows.at(-1)?.n);
    }
  }

  /** Records of all agents after a position, checked. */
  after(position: number): StoredRecord[] {
    const rows = this.#guard(undefined, undefined, () => this.#statements.after.all(position, LIMITS.readEventsMax));
    return rows.map((row) => {
      const agent = String(row.id);
      const seq = Number(row.seq);
      const known = this.#agent(agent);
      const crc = known ? this.#checkBefore(agent, known, seq) : 0;
      const { records, damage } = checkRows(agent, [row], seq, crc);
      const [record] = records;
      if (!record) throw damage ?? damaged(agent, seq, "is missing");
      return record;
    });
  }

  position(): number {
    return Number(this.#statements.position.get()?.position ?? 0);
  }

  positionOf(agent: AgentId, seq: number): number | undefined {
    const row = this.#statements.positionOf.get(agent, seq);
    return row && Number(row.position);
  }

  seqAt(agent: AgentId, position: number): number | undefined {
    const row = this.#statements.seqAt.get(agent, position);
    return row?.seq == null ? undefined : Number(row.seq);
  }

  close(): void {
    this.#database.close();
  }

  #agent(agent: AgentId) {
    const row = this.#guard(agent, undefined, () => this.#statements.agent.get(agent));
    if (!row) return undefined;
    return { n: Number(row.n), origin: originOf(row), row };
  }

  /** The check value that the record at `seq` runs on from. */
  #checkBefore(agent: AgentId, known: { n: number; origin: Origin | undefined }, seq: number): number {
    if (known.origin && seq === known.origin.seq + 1) {
      return Number(this.#statements.crc.get(known.origin.agent, known.origin.seq)?.crc ?? 0);
    }
    return Number(this.#statements.crc.get(agent, seq - 1)?.crc ?? 0);
  }

  /** A page that SQLite itself finds broken is damage like any other. */
  #guard<T>(agent: AgentId | undefined, seq: number | undefined, read: () => T): T {
    try {
      return read();
    } catch (cause) {
      if (!isCorruption(cause)) throw cause;
      throw new BanyanError(
        "JOURNAL_DAMAGED",
        `the database is damaged near ${agent ?? "?"} ${seq ?? ""}: ${String(cause)}`,
        { agent, cause },
      );
    }
  }
}

/** Checks rows of one agent that begin at `seq` and run on from `crc`. */
export function checkRows(agent: AgentId, rows: readonly Row[], seq: number, crc: number) {
  const records: StoredRecord[] = [];
  let previous = crc;
  let expected = seq;
  for (const row of rows) {
    const record = recordOf(agent, row);
    if (record.seq !== expected) return { records, damage: damaged(agent, expected, "is missing"), crc: previous };
    const check = checkOf(agent, record.seq, record, previous);
    if (check !== Number(row.crc))
      return { records, damage: damaged(agent, expected, "does not match its checksum"), crc: previous };
    records.push(record);
    previous = check;
    expected += 1;
  }
  return { records, damage: undefined, crc: previous };
}

function recordOf(agent: AgentId, row: Row): StoredRecord {
  return {
    agent,
    seq: Number(row.seq),
    position: Number(row.position),
    time: Number(row.time),
    type: String(row.type),
    body: String(row.body),
  };
}

function damaged(agent: AgentId, seq: number, what: string): BanyanError {
  return new BanyanError("JOURNAL_DAMAGED", `record ${seq} of ${agent} ${what}`, { agent });
}

function originOf(row: Row): Origin | undefined {
  return row.origin === null ? undefined : { agent: String(row.origin), seq: Number(row.origin_seq) };
}

function headOf(row: Row): JournalHead {
  const origin = originOf(row);
  const text = row.summary;
  return {
    agent: String(row.id),
    origin,
    seq: Number(row.seq ?? origin?.seq ?? 0),
    summary: text == null ? undefined : { seq: Number(row.summary_seq), text: String(text) },
  };
}

/** SQLITE_CORRUPT and SQLITE_NOTADB, in the low byte of an extended code. */
export function isCorruption(error: unknown): boolean {
  const code = (error as { errcode?: number }).errcode;
  return code !== undefined && [11, 26].includes(code & 0xff);
}

function prepare(database: DatabaseSync) {
  const newest = "(SELECT max(seq) FROM events WHERE agent = n) AS seq";
  return {
    agent: database.prepare(`SELECT *, ${newest} FROM agents WHERE id = ?`),
    heads: database.prepare(`SELECT *, ${newest} FROM agents WHERE n > ? ORDER BY n LIMIT ?`),
    range: database.prepare(
      "SELECT position, seq, time, type, body, crc FROM events WHERE agent = ? AND seq >= ? AND seq <= ? ORDER BY seq LIMIT ?",
    ),
    after: database.prepare(
      "SELECT id, position, seq, time, type, body, crc FROM events JOIN agents ON n = agent WHERE position > ? ORDER BY position LIMIT ?",
    ),
    crc: database.prepare("SELECT crc FROM agents JOIN events ON agent = n WHERE id = ? AND seq = ?"),
    position: database.prepare("SELECT max(position) AS position FROM events"),
    positionOf: database.prepare("SELECT position FROM agents JOIN events ON agent = n WHERE id = ? AND seq = ?"),
    seqAt: database.prepare(
      "SELECT seq FROM agents JOIN events ON agent = n WHERE id = ? AND position <= ? ORDER BY seq DESC LIMIT 1",
    ),
  };
}
