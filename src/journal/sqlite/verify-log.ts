/** The part of verifying that walks the log of one agent, record by record. */
import { BanyanError } from "../../base/errors.ts";
import { presentIsOver } from "../../base/event-loop.ts";
import { LIMITS } from "../../base/limits.ts";
import { checkOf } from "./checksum.ts";
import type { Lookup } from "./lookup.ts";
import { EVENT_COLUMNS, type EventRow, firstOf, isEvent, type Known } from "./records.ts";

/** Told of what is damaged, one record at a time where it can be. */
export type Name = (agent: string | undefined, seq: number | undefined, what: string) => void;

/** Where the walk has come: a sequence, and the check values that the next record may run on from; none when not known. */
interface Place {
  readonly seq: number;
  readonly crcs: readonly number[];
}

export class LogCheck {
  /** Records that could be read. */
  records = 0;
  readonly #lookup: Lookup;
  readonly #newest: number;
  readonly #name: Name;
  readonly #statements: ReturnType<typeof prepare>;

  /** Looks at records up to the position `newest`. */
  constructor(lookup: Lookup, newest: number, name: Name) {
    this.#lookup = lookup;
    this.#newest = newest;
    this.#name = name;
    this.#statements = prepare(lookup);
  }

  /** Goes on behind what is damaged, and lets others run between batches. */
  async walk(known: Known): Promise<void> {
    let place = this.#start(known);
    /** A part that cannot be read. It is named once; its records are passed over. */
    let lost: number | undefined;
    for (;;) {
      const rows = this.#rowsAfter(known, place.seq);
      for (const row of rows) {
        if (row[0] > this.#newest) return;
        if (row[5] === "") {
          const part = this.#lookup.bodies.partOf(known.n, row[2])?.id;
          if (part === undefined || part !== lost) lost = (await this.#fill(known, row)) ? undefined : part;
          if (part !== undefined && part === lost) {
            place = { seq: row[2], crcs: [row[6]] };
            continue;
          }
        }
        place = this.#step(known, place, row);
      }
      if (rows.length === 0) break;
      await presentIsOver();
    }
    if (place.seq < known.seq) this.#missing(known, place.seq + 1, known.seq);
  }

  /** False when the part that has the record's body cannot be read. */
  async #fill(known: Known, row: EventRow): Promise<boolean> {
    try {
      await this.#lookup.bodies.fill(row);
      return true;
    } catch (error) {
      this.#name(known.agent, row[2], `from here on records are in an archive: ${messageOf(error)}`);
      return false;
    }
  }

  #start(known: Known): Place {
    const first = firstOf(known);
    try {
      return this.#linked(known, first);
    } catch (error) {
      this.#name(known.agent, first, `the record before it cannot be read: ${messageOf(error)}`);
      return { seq: first - 1, crcs: [] };
    }
  }

  #linked(known: Known, first: number): Place {
    const { seq, crc } = this.#lookup.linkBefore(known, first);
    return { seq, crcs: [crc] };
  }

  #step(known: Known, place: Place, row: EventRow): Place {
    const [position, , seq, time, type, body, crc] = row;
    if (!isEvent(row)) {
      this.#name(known.agent, place.seq + 1, "the record is no record");
      return { seq: Math.max(place.seq + 1, Number(seq)), crcs: [] };
    }
    this.records += 1;
    const follows = seq === place.seq + 1;
    if (!follows) this.#missing(known, place.seq + 1, seq - 1);
    const sums = place.crcs.map((previous) => checkOf(known.agent, seq, position, { time, type, body }, previous));
    const isSound = !follows || sums.length === 0 || sums.includes(crc);
    if (!isSound) this.#name(known.agent, seq, "the record does not match its checksum");
    else if (seq === known.seq && crc !== known.crc) this.#name(known.agent, seq, "another record was the newest");
    if (seq > known.seq) this.#name(known.agent, seq, "the record stands behind the newest");
    // A damaged record may have its own check value damaged, or all else: the next one tells.
    return { seq, crcs: isSound ? [crc] : [crc, ...sums] };
  }

  #missing(known: Known, first: number, last: number): void {
    this.#name(
      known.agent,
      first,
      first === last ? "the record is missing" : `records ${first} to ${last} are missing`,
    );
  }

  #rowsAfter(known: Known, seq: number): EventRow[] {
    const { range, one } = this.#statements;
    const limit = LIMITS.readEventsMax;
    try {
      return this.#lookup.rows(known.agent, range, known.n, seq, limit);
    } catch (error) {
      if (!(error instanceof BanyanError)) throw error;
      // A page is broken: each record by itself. What cannot be read shows as missing.
      const last = Math.min(known.seq, seq + limit);
      return Array.from({ length: Math.max(0, last - seq) }, (_, index) => seq + index + 1).flatMap((each) => {
        try {
          return this.#lookup.rows(known.agent, one, known.n, each);
        } catch {
          return [];
        }
      });
    }
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function prepare(lookup: Lookup) {
  return {
    range: lookup.prepare(`SELECT ${EVENT_COLUMNS} FROM events WHERE agent = ? AND seq > ? ORDER BY seq LIMIT ?`),
    one: lookup.prepare(`SELECT ${EVENT_COLUMNS} FROM events WHERE agent = ? AND seq = ?`),
  };
}
