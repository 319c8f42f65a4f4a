/**
 * Following: the records of all agents in the order of their positions. Within one follow each agent's newest check value is
 * remembered, so that a record costs no question but its own, and is checked all the same (J5). Positions have no gaps but
 * those that the journal knows of.
 */
import { BanyanError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { StoredRecord } from "../journal.ts";
import type { Lookup } from "./lookup.ts";
import { checked, EVENT_COLUMNS, type Known, type Link } from "./records.ts";

/** Agents whose place is remembered; beyond, all are asked for anew. */
const PLACES_MAX = 50_000;

/** Batches without end, an empty one when nothing more is there yet. @throws JOURNAL_DAMAGED after the last sound record */
export async function* readOn(lookup: Lookup, position: number): AsyncGenerator<StoredRecord[]> {
  const after = lookup.prepare(`SELECT ${EVENT_COLUMNS} FROM events WHERE position > ? ORDER BY position LIMIT ?`);
  const loss = lookup.prepare("SELECT 1 FROM losses WHERE first <= ? AND last = ?");
  const places = new Map<number, { readonly known: Known; link: Link }>();
  const isLost = (from: number, to: number) => lookup.ask(undefined, () => loss.get(from, to)) !== undefined;

  const placeOf = (n: number, seq: number) => {
    const place = places.get(n);
    if (place) return place;
    if (places.size >= PLACES_MAX) places.clear();
    const known = lookup.at(n);
    const found = { known, link: lookup.linkBefore(known, seq) };
    places.set(n, found);
    return found;
  };

  for (let at = position; ; ) {
    const records: StoredRecord[] = [];
    let damage: unknown;
    try {
      for (const row of lookup.rows(undefined, after, at, LIMITS.readEventsMax)) {
        const [found, n, seq, , , , crc] = row;
        if (found !== at + 1 && !isLost(at + 1, found - 1)) throw gap(at + 1, found - 1);
        const place = placeOf(n, seq);
        if (row[5] === "") await lookup.bodies.fill(row);
        const record = checked(place.known, row, place.link);
        if (record instanceof BanyanError) throw record;
        place.link = { seq, crc };
        records.push(record);
        at = found;
      }
    } catch (error) {
      damage = error;
    }
    if (records.length > 0 || damage === undefined) yield records;
    if (damage !== undefined) throw damage;
  }
}

function gap(first: number, last: number): BanyanError {
  return new BanyanError("JOURNAL_DAMAGED", `the records at positions ${first} to ${last} are missing`);
}
