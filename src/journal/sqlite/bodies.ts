/**
 * Bodies of records that stand in an archive. A row whose body is empty may be of one that was moved; where it is, `spans` says. What a
 * part has is kept at hand for a while, for its neighbours are read next.
 */
import { BanyanError } from "../../base/errors.ts";
import type { AgentId } from "../../base/ids.ts";
import { LIMITS } from "../../base/limits.ts";
import type { ArchivePart, ArchiveStore } from "../archive.ts";
import { type Run, readPart, runOf } from "./archive-part.ts";
import type { Lookup } from "./lookup.ts";
import type { EventRow } from "./records.ts";

const PART_COLUMNS = "id, root, place, key, digest, bytes, records, body_bytes, time";
export type PartRow = [
  id: number,
  root: string,
  place: string,
  key: string,
  digest: string,
  bytes: number,
  records: number,
  bodyBytes: number,
  time: number,
];

function partOf([id, root, place, key, digest, bytes, records, bodyBytes, time]: PartRow): ArchivePart {
  return { id, root, place, key, digest, bytes, records, bodyBytes, time };
}

interface AtHand {
  readonly runs: Promise<Run[]>;
  readonly bodyBytes: number;
}

export class Bodies {
  readonly #lookup: Lookup;
  readonly #store: ArchiveStore | undefined;
  #prepared: ReturnType<typeof prepare> | undefined;
  /** Parts read last, by key; the newest is last. */
  readonly #atHand = new Map<string, AtHand>();
  #atHandBytes = 0;
  /** What was read last, by the number of its agent: the next record mostly goes on there. A record never changes, wherever it is. */
  #last: { readonly n: number; readonly run: Run } | undefined;

  constructor(lookup: Lookup, store: ArchiveStore | undefined) {
    this.#lookup = lookup;
    this.#store = store;
  }

  /**
   * Puts the body into a row that lacks it. One that nobody knows of is left out: its record's check value tells.
   * @throws JOURNAL_DAMAGED (its part is not there, or not sound), CONFIG_INVALID (no archive), what the store throws
   */
  async fill(row: EventRow): Promise<void> {
    row[5] = await this.#bodyOf(row);
  }

  /** The part that has the record's body; undefined when none has. */
  partOf(n: number, seq: number): ArchivePart | undefined {
    const row = this.#lookup.ask(undefined, () => this.#statements?.span.get(n, seq, seq));
    return row && partOf(row as unknown as PartRow);
  }

  parts(root: AgentId | undefined): ArchivePart[] {
    const rows = this.#lookup.ask(undefined, () => {
      return root === undefined ? this.#statements?.all.all() : this.#statements?.ofRoot.all(root);
    });
    return ((rows ?? []) as unknown as PartRow[]).map(partOf);
  }

  /** The last record of an agent whose body was moved; 0 when none was. */
  movedTo(n: number): number {
    const row = this.#lookup.ask(undefined, () => this.#statements?.last.get(n));
    return (row as unknown as [number | null] | undefined)?.[0] ?? 0;
  }

  /** A part's records, from the archive. @throws as `fill` */
  async read({ place, key, digest }: ArchivePart): Promise<Run[]> {
    if (!this.#store)
      throw new BanyanError("CONFIG_INVALID", "records of this journal are in an archive, and none was given");
    try {
      return await readPart(await this.#store.get(place, key), digest, key);
    } catch (error) {
      if (!(error instanceof BanyanError) || error.code !== "OBJECT_NOT_FOUND") throw error;
      throw new BanyanError("JOURNAL_DAMAGED", `${key} is missing from the archive`, { cause: error });
    }
  }

  async #bodyOf([position, n, seq]: EventRow): Promise<string> {
    const next = this.#last?.n === n ? this.#last.run.bodies[seq - this.#last.run.first] : undefined;
    if (next !== undefined) return next;
    const part = this.partOf(n, seq);
    if (part) {
      const { agent } = this.#lookup.at(n);
      try {
        const run = runOf(await this.#keptAtHand(part), agent, seq);
        const body = run?.bodies[seq - run.first];
        if (run && body !== undefined) {
          this.#last = { n, run };
          return body;
        }
        throw new BanyanError("JOURNAL_DAMAGED", `${part.key} of the archive has no record ${seq} of ${agent}`, {
          agent,
        });
      } catch (error) {
        // It may have come back while it was asked for (X2).
        if (this.partOf(n, seq)?.id === part.id) throw error;
      }
    }
    const row = this.#lookup.ask(undefined, () => this.#statements?.body.get(position));
    return (row as unknown as [string] | undefined)?.[0] ?? "";
  }

  /** None for data of format 1, which has no archives and may be open for reading. */
  get #statements(): ReturnType<typeof prepare> | undefined {
    if (!this.#prepared && this.#lookup.hasTable("spans")) this.#prepared = prepare(this.#lookup);
    return this.#prepared;
  }

  #keptAtHand(part: ArchivePart): Promise<Run[]> {
    const found = this.#atHand.get(part.key) ?? this.#fetched(part);
    this.#atHand.delete(part.key);
    this.#atHand.set(part.key, found);
    for (const [oldest, each] of this.#atHand) {
      if (this.#atHandBytes <= LIMITS.archiveCacheBytesMax || each === found) break;
      this.#drop(oldest, each);
    }
    return found.runs;
  }

  #fetched(part: ArchivePart): AtHand {
    const fetched = { runs: this.read(part), bodyBytes: part.bodyBytes };
    this.#atHandBytes += fetched.bodyBytes;
    fetched.runs.catch(() => this.#drop(part.key, fetched));
    return fetched;
  }

  #drop(key: string, each: AtHand): void {
    if (this.#atHand.get(key) !== each) return;
    this.#atHand.delete(key);
    this.#atHandBytes -= each.bodyBytes;
  }
}

function prepare(lookup: Lookup) {
  const part = PART_COLUMNS.split(", ")
    .map((column) => `p.${column}`)
    .join(", ");
  return {
    span: lookup.prepare(
      `SELECT ${part} FROM spans AS s JOIN parts AS p ON p.id = s.part WHERE s.n = ? AND s.first <= ? AND s.last >= ?`,
    ),
    last: lookup.prepare("SELECT max(last) FROM spans WHERE n = ?"),
    all: lookup.prepare(`SELECT ${PART_COLUMNS} FROM parts ORDER BY id`),
    ofRoot: lookup.prepare(`SELECT ${PART_COLUMNS} FROM parts WHERE root = ? ORDER BY id`),
    body: lookup.prepare("SELECT body FROM events WHERE position = ?"),
  };
}
