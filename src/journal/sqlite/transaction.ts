/** One commit: groups of appends, each checked as a whole before any of it is written (J2, J3). */
import type { DatabaseSync } from "node:sqlite";
import { systemClock } from "../../base/clock.ts";
import { BanyanError } from "../../base/errors.ts";
import { agentSum, checkOf, identitySum, summarySum } from "./checksum.ts";
import { type End, Ends } from "./ends.ts";
import { type Group, RECORD_LENGTH, RECORDS_AT, type Refusal, recordCount, type WireAppend } from "./wire.ts";

export class Transactions {
  readonly #database: DatabaseSync;
  readonly #statements: ReturnType<typeof prepare>;
  readonly #ends: Ends;
  readonly #epoch: number;
  readonly #clock = systemClock();
  /** How long the disk took over the newest commit. */
  syncMs = 0;

  constructor(database: DatabaseSync, epoch: number) {
    this.#database = database;
    this.#statements = prepare(database);
    this.#ends = new Ends(database);
    this.#epoch = epoch;
  }

  /**
   * Writes and syncs the groups that are not refused, from the position on, and returns the newest position. After a throw
   * nothing of it was kept, and neither this object nor its connection is to be used again.
   */
  commit(groups: readonly Group[], position: number): { refusals: (Refusal | null)[]; position: number } {
    this.#database.exec("BEGIN IMMEDIATE");
    const isOver = this.#statements.epoch.get()?.value !== this.#epoch;
    let at = position;
    const refusals = groups.map((group) => {
      const refusal = isOver ? conflict(`epoch ${this.#epoch} is over`) : this.#check(group);
      if (!refusal) for (const append of group) at = this.#insert(append, at);
      return refusal;
    });
    for (const { n, identity, seq, crc } of this.#ends.written) {
      this.#statements.end.run(seq, crc, agentSum(identity, seq, crc), n);
    }
    const startMs = this.#clock.monotonic();
    this.#database.exec("COMMIT");
    this.syncMs = this.#clock.monotonic() - startMs;
    this.#ends.settle();
    return { refusals, position: at };
  }

  #check(group: Group): Refusal | null {
    try {
      /** What the group itself makes of each agent: its sequences after `from`, up to `to`. */
      const made = new Map<string, { readonly from: number; readonly to: number }>();
      for (const append of group) {
        const [agent, expectedSeq, origin, originSeq] = append;
        const known = made.get(agent)?.to ?? this.#ends.of(agent)?.seq;
        const seq = known ?? originSeq ?? 0;
        if (seq !== expectedSeq) return conflict(`${agent} is at ${seq}, not at ${expectedSeq}`);
        if (origin !== null && known !== undefined) return conflict(`${agent} has begun already`);
        if (origin !== null && !this.#has(origin, Number(originSeq), made.get(origin))) {
          return { code: "CHECKPOINT_NOT_FOUND", message: `${origin} has no record ${originSeq} of its own` };
        }
        made.set(agent, { from: made.get(agent)?.from ?? seq, to: seq + recordCount(append) });
      }
      return null;
    } catch (error) {
      if (error instanceof BanyanError) return { code: error.code, message: error.message };
      throw error;
    }
  }

  #has(agent: string, seq: number, made: { from: number; to: number } = { from: 0, to: 0 }): boolean {
    return (seq > made.from && seq <= made.to) || this.#ends.crcAt(agent, seq) !== undefined;
  }

  #insert(append: WireAppend, position: number): number {
    const [agent, expectedSeq, , , summary] = append;
    const end = this.#ends.of(agent) ?? this.#begin(append);
    let { seq, crc } = { seq: expectedSeq, crc: end.crc };
    let at = position;
    for (let index = RECORDS_AT; index < append.length; index += RECORD_LENGTH) {
      const time = append[index] as number;
      const type = append[index + 1] as string;
      const body = append[index + 2] as string;
      seq += 1;
      at += 1;
      crc = checkOf(agent, seq, at, { time, type, body }, crc);
      this.#statements.event.run(at, end.n, seq, time, type, body, crc);
    }
    this.#ends.write(agent, { ...end, seq, crc });
    if (summary !== null) this.#statements.summary.run(end.n, seq, summary, summarySum(end.n, seq, summary));
    return at;
  }

  /** A new agent's row; a fork's check values run on from its origin's. */
  #begin([agent, , origin, originSeq]: WireAppend): End {
    const n = Number(this.#statements.newest.get()?.n ?? 0) + 1;
    const from = origin === null ? undefined : { agent: origin, seq: Number(originSeq) };
    const end = {
      n,
      identity: identitySum(n, agent, from),
      seq: from?.seq ?? 0,
      crc: from ? (this.#ends.crcAt(from.agent, from.seq) ?? 0) : 0,
    };
    this.#statements.begin.run(n, agent, origin, originSeq, end.seq, end.crc, agentSum(end.identity, end.seq, end.crc));
    return end;
  }
}

function conflict(message: string): Refusal {
  return { code: "JOURNAL_CONFLICT", message };
}

function prepare(database: DatabaseSync) {
  return {
    epoch: database.prepare("SELECT value FROM meta WHERE key = 'epoch'"),
    newest: database.prepare("SELECT max(n) AS n FROM agents"),
    begin: database.prepare("INSERT INTO agents VALUES (?, ?, ?, ?, ?, ?, ?)"),
    end: database.prepare("UPDATE agents SET seq = ?, crc = ?, sum = ? WHERE n = ?"),
    event: database.prepare("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)"),
    summary: database.prepare("INSERT OR REPLACE INTO summaries VALUES (?, ?, ?, ?)"),
  };
}
