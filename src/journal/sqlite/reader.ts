/**
 * Reading: its own connection, on the calling thread, beside whatever writes. Every record is checked before it is served
 * (J5), and an agent's log has to reach the end that the agent's row has noted.
 */
import type { DatabaseSync } from "node:sqlite";
import { BanyanError } from "../../base/errors.ts";
import type { AgentId } from "../../base/ids.ts";
import { LIMITS } from "../../base/limits.ts";
import type { ArchivePart, ArchiveStore } from "../archive.ts";
import type { JournalHead, StoredRecord, Verification } from "../journal.ts";
import type { Run } from "./archive-part.ts";
import { readOn } from "./follower.ts";
import { headOf, readHeads, readHeadsAfter } from "./heads.ts";
import { Lookup } from "./lookup.ts";
import { checked, damaged, EVENT_COLUMNS, firstOf, type Known, type SummaryRow } from "./records.ts";
import { verifyJournal } from "./verify.ts";

export class Reader {
  readonly #lookup: Lookup;
  readonly #statements: ReturnType<typeof prepare>;

  constructor(database: DatabaseSync, archive: ArchiveStore | undefined) {
    this.#lookup = new Lookup(database, archive);
    this.#statements = prepare(this.#lookup);
  }

  /** @throws AGENT_NOT_FOUND, JOURNAL_DAMAGED after the last sound record */
  async *read(agent: AgentId, from: number, to: number): AsyncGenerator<StoredRecord[]> {
    const known = this.#known(agent);
    const first = Math.max(from, firstOf(known));
    if (first > Math.min(to, known.seq)) return;
    let link = this.#lookup.linkBefore(known, first);
    while (link.seq < to) {
      const rows = this.#lookup.rows(agent, this.#statements.range, known.n, link.seq + 1, to, LIMITS.readEventsMax);
      if (rows.length === 0) break;
      const records: StoredRecord[] = [];
      let damage: unknown;
      try {
        for (const row of rows) {
          if (row[5] === "") await this.#lookup.bodies.fill(row);
          const record = checked(known, row, link);
          if (record instanceof BanyanError) throw record;
          records.push(record);
          link = { seq: record.seq, crc: row[6] };
        }
      } catch (error) {
        damage = error;
      }
      if (records.length > 0) yield records;
      if (damage !== undefined) throw damage;
    }
    if (link.seq < Math.min(to, known.seq)) throw damaged(agent, link.seq + 1, "is missing");
  }

  head(agent: AgentId): JournalHead | undefined {
    const known = this.#lookup.find(agent);
    if (!known) return undefined;
    const row = this.#lookup.ask(agent, () => this.#statements.summary.get(known.n));
    return headOf(known, row as unknown as SummaryRow | undefined);
  }

  heads(after: number): Generator<JournalHead[]> {
    return after === 0 ? readHeads(this.#lookup) : readHeadsAfter(this.#lookup, after);
  }

  /** Every record behind a position, in batches; an empty one when there is none yet. */
  follow(position: number): AsyncGenerator<StoredRecord[]> {
    return readOn(this.#lookup, position);
  }

  /** The position of the newest record. */
  position(): number {
    const [row] = this.#lookup.rows(undefined, this.#statements.newest);
    if (!row) return 0;
    const [position, n, seq] = row;
    const known = this.#lookup.at(n);
    if (this.#lookup.positionOf(known, seq) === position) return position;
    throw damaged(known.agent, seq, "is not where the order of the journal has it");
  }

  positionOf(agent: AgentId, seq: number): number | undefined {
    const known = this.#lookup.find(agent);
    return known && this.#lookup.positionOf(known, seq);
  }

  /** Halves the agent's log until the place is found: within one agent positions grow with the sequence. */
  seqAt(agent: AgentId, position: number): number | undefined {
    const known = this.#lookup.find(agent);
    if (!known) return undefined;
    let below = firstOf(known) - 1;
    let above = known.seq + 1;
    while (above - below > 1) {
      const middle = Math.floor((below + above) / 2);
      const found = this.#lookup.positionOf(known, middle);
      if (found !== undefined && found <= position) below = middle;
      else above = middle;
    }
    return below < firstOf(known) ? undefined : below;
  }

  /** Parts of an archive that have records of this journal. */
  parts(root: AgentId | undefined): ArchivePart[] {
    return this.#lookup.bodies.parts(root);
  }

  /** @throws JOURNAL_DAMAGED, what the store throws */
  readPart(part: ArchivePart): Promise<Run[]> {
    return this.#lookup.bodies.read(part);
  }

  /** The last of the agent's own records whose body is in an archive; what is before the first when none is. */
  movedTo(agent: AgentId): number {
    const known = this.#known(agent);
    return Math.max(this.#lookup.bodies.movedTo(known.n), firstOf(known) - 1);
  }

  /** Of records whose bodies are in the database. */
  weigh(agents: readonly AgentId[]): { records: number; bodyBytes: number } {
    const statement = this.#lookup.prepare(
      "SELECT count(*), coalesce(sum(octet_length(body)), 0) FROM events WHERE agent = ? AND seq > ?",
    );
    const sum = { records: 0, bodyBytes: 0 };
    for (const agent of agents) {
      const row = this.#lookup.ask(agent, () => statement.get(this.numberOf(agent), this.movedTo(agent)));
      const [records, bodyBytes] = row as unknown as [number, number];
      sum.records += records;
      sum.bodyBytes += bodyBytes;
    }
    return sum;
  }

  numberOf(agent: AgentId): number {
    return this.#known(agent).n;
  }

  room(): { bytes: number; freeBytes: number } {
    const [pages, free, size] = ["page_count", "freelist_count", "page_size"].map((name) => {
      const row = this.#lookup.ask(undefined, () => this.#lookup.prepare(`PRAGMA ${name}`).get());
      return (row as unknown as [number])[0];
    }) as [number, number, number];
    return { bytes: pages * size, freeBytes: free * size };
  }

  verify(folder: string): Promise<Verification> {
    return verifyJournal(this.#lookup, folder);
  }

  close(): void {
    this.#lookup.close();
  }

  #known(agent: AgentId): Known {
    const known = this.#lookup.find(agent);
    if (!known) throw new BanyanError("AGENT_NOT_FOUND", `no journal of ${agent}`, { agent });
    return known;
  }
}

function prepare(lookup: Lookup) {
  return {
    range: lookup.prepare(
      `SELECT ${EVENT_COLUMNS} FROM events WHERE agent = ? AND seq >= ? AND seq <= ? ORDER BY seq LIMIT ?`,
    ),
    newest: lookup.prepare(`SELECT ${EVENT_COLUMNS} FROM events ORDER BY position DESC LIMIT 1`),
    summary: lookup.prepare("SELECT seq, text, sum FROM summaries WHERE n = ?"),
  };
}
