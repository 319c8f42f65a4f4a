/** Reads every record of a journal and names what is damaged. Changes nothing. */
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { LIMITS } from "../../base/limits.ts";
import type { Damage, Verification } from "../journal.ts";
import { checkOf } from "./checksum.ts";
import { isCorruption } from "./reader.ts";
import { witnessed } from "./witness.ts";

export function verifyJournal(database: DatabaseSync, folder: string): Verification {
  const damaged: Damage[] = [...checkPages(database), ...checkLosses(database, folder)];
  let agents = 0;
  let records = 0;
  const list = database.prepare("SELECT n, id, origin, origin_seq FROM agents WHERE n > ? ORDER BY n LIMIT 1");
  for (let n = 0; ; ) {
    const row = attempt(damaged, undefined, () => list.get(n));
    if (!row) break;
    n = Number(row.n);
    agents += 1;
    records += verifyAgent(database, row, damaged);
  }
  return { agents, records, damaged };
}

/** Goes on behind a damaged record, trusting what it says its check value is, so that every one is named and no other. */
function verifyAgent(database: DatabaseSync, row: Record<string, unknown>, damaged: Damage[]): number {
  const agent = String(row.id);
  const originSeq = Number(row.origin_seq ?? 0);
  const before = database.prepare("SELECT crc FROM agents JOIN events ON agent = n WHERE id = ? AND seq = ?");
  const range = database.prepare(
    "SELECT seq, time, type, body, crc FROM events WHERE agent = ? AND seq > ? ORDER BY seq LIMIT ?",
  );
  let crc = row.origin === null ? 0 : Number(before.get(String(row.origin), originSeq)?.crc ?? 0);
  let seq = originSeq;
  let records = 0;
  for (;;) {
    const rows = attempt(damaged, agent, () => range.all(Number(row.n), seq, LIMITS.readEventsMax)) ?? [];
    for (const each of rows) {
      const found = Number(each.seq);
      if (found !== seq + 1)
        damaged.push({ agent, seq: seq + 1, what: `records ${seq + 1} to ${found - 1} are missing` });
      const record = { time: Number(each.time), type: String(each.type), body: String(each.body) };
      if (checkOf(agent, found, record, crc) !== Number(each.crc)) {
        damaged.push({ agent, seq: found, what: "the record does not match its checksum" });
      }
      seq = found;
      crc = Number(each.crc);
      records += 1;
    }
    if (rows.length < LIMITS.readEventsMax) return records;
  }
}

function checkPages(database: DatabaseSync): Damage[] {
  const damaged: Damage[] = [];
  const rows = attempt(damaged, undefined, () => database.prepare("PRAGMA quick_check(20)").all()) ?? [];
  for (const row of rows) {
    const what = String(row.quick_check);
    if (what !== "ok") damaged.push({ agent: undefined, seq: undefined, what: `database page: ${what}` });
  }
  return damaged;
}

/** Acknowledged records that are gone from the end, now or at an earlier opening. */
function checkLosses(database: DatabaseSync, folder: string): Damage[] {
  const damaged: Damage[] = [];
  const losses = attempt(damaged, undefined, () => database.prepare("SELECT first, last FROM losses").all()) ?? [];
  for (const { first, last } of losses) damaged.push(lossOf(Number(first), Number(last)));
  const newest = attempt(damaged, undefined, () =>
    database.prepare("SELECT max(position) AS position FROM events").get(),
  );
  const position = Number(newest?.position ?? 0);
  const promised = witnessed(join(folder, "witness"));
  if (promised > position) damaged.push(lossOf(position + 1, promised));
  return damaged;
}

function lossOf(first: number, last: number): Damage {
  return { agent: undefined, seq: undefined, what: `acknowledged records at positions ${first} to ${last} are gone` };
}

function attempt<T>(damaged: Damage[], agent: string | undefined, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!isCorruption(error)) throw error;
    damaged.push({
      agent,
      seq: undefined,
      what: `database: ${error instanceof Error ? error.message : String(error)}`,
    });
    return undefined;
  }
}
