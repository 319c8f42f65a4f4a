/**
 * Where each agent's log ends, as the writer knows it: from the database, then from what it wrote itself. What a commit adds is
 * set apart until the commit is durable.
 */
import type { DatabaseSync } from "node:sqlite";
import { BanyanError } from "../../base/errors.ts";
import { agentSum, identitySum } from "./checksum.ts";

export interface End {
  readonly n: number;
  /** Sum of what never changes about the agent. */
  readonly identity: number;
  /** Sequence and check value of the newest record. */
  readonly seq: number;
  readonly crc: number;
}

/** Ends kept in memory, about 200 bytes each; beyond, all are read anew. */
const ENDS_MAX = 50_000;

export class Ends {
  readonly #durable = new Map<string, End>();
  readonly #written = new Map<string, End>();
  readonly #byId;
  readonly #crcAt;

  constructor(database: DatabaseSync) {
    this.#byId = database.prepare(
      "SELECT n, origin, origin_seq, agents.seq, agents.crc, sum, events.crc AS newest FROM agents " +
        "LEFT JOIN events ON agent = n AND events.seq = agents.seq WHERE id = ?",
    );
    this.#crcAt = database.prepare("SELECT crc FROM events WHERE agent = ? AND seq = ?");
  }

  /** The agent's end, or undefined when it has not begun. @throws JOURNAL_DAMAGED: nothing may be built on a broken end */
  of(agent: string): End | undefined {
    const known = this.#written.get(agent) ?? this.#durable.get(agent);
    if (known) return known;
    const read = this.#read(agent);
    if (read) this.#durable.set(agent, read);
    return read;
  }

  /** The check value of one record, or undefined when the agent has none of that sequence itself. */
  crcAt(agent: string, seq: number): number | undefined {
    const end = this.of(agent);
    if (!end) return undefined;
    if (end.seq === seq) return end.crc;
    const row = this.#crcAt.get(end.n, seq);
    return row && Number(row.crc);
  }

  write(agent: string, end: End): void {
    this.#written.set(agent, end);
  }

  /** What this commit wrote, so far. */
  get written(): Iterable<End> {
    return this.#written.values();
  }

  settle(): void {
    if (this.#durable.size + this.#written.size > ENDS_MAX) this.#durable.clear();
    for (const [agent, end] of this.#written) this.#durable.set(agent, end);
    this.#written.clear();
  }

  #read(agent: string): End | undefined {
    const row = this.#byId.get(agent);
    if (!row) return undefined;
    const [n, seq, crc] = [Number(row.n), Number(row.seq), Number(row.crc)];
    const origin = row.origin === null ? undefined : { agent: String(row.origin), seq: Number(row.origin_seq) };
    const identity = identitySum(n, agent, origin);
    if (agentSum(identity, seq, crc) !== row.sum || row.newest !== crc) {
      throw new BanyanError("JOURNAL_DAMAGED", `the end of ${agent} is damaged near record ${seq}`);
    }
    return { n, identity, seq, crc };
  }
}
