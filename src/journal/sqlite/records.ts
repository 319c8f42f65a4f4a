/** Rows as SQLite returns them, made into records and checked (J5). */
import { BanyanError } from "../../base/errors.ts";
import type { AgentId } from "../../base/ids.ts";
import type { Origin, StoredRecord } from "../journal.ts";
import { checkOf, rowSum } from "./checksum.ts";

export const EVENT_COLUMNS = "position, agent, seq, time, type, body, crc";
export type EventRow = [
  position: number,
  n: number,
  seq: number,
  time: number,
  type: string,
  body: string,
  crc: number,
];

/** False for a row with values that no writer writes: damage knows no types. */
export function isEvent(row: EventRow): boolean {
  const [position, n, seq, time, type, body, crc] = row;
  const isPlaced = typeof position === "number" && typeof n === "number" && typeof seq === "number";
  const isTold = typeof time === "number" && typeof type === "string" && typeof body === "string";
  return isPlaced && isTold && typeof crc === "number";
}

export const AGENT_COLUMNS = "n, id, origin, origin_seq, seq, crc, sum";
export type AgentRow = [
  n: number,
  id: string,
  origin: string | null,
  originSeq: number | null,
  seq: number,
  crc: number,
  sum: number,
];

export type SummaryRow = [seq: number, text: string, sum: number];

/** An agent as its row has it. */
export interface Known {
  readonly n: number;
  readonly agent: AgentId;
  readonly origin: Origin | undefined;
  /** Sequence and check value of its newest record. */
  readonly seq: number;
  readonly crc: number;
  /** False when the row does not match its own sum. */
  readonly isSound: boolean;
}

/** A place in an agent's log: sequence and check value of a record, which the next one runs on from. */
export interface Link {
  readonly seq: number;
  readonly crc: number;
}

export function knownOf([n, id, origin, originSeq, seq, crc, sum]: AgentRow): Known {
  const from = origin === null ? undefined : { agent: origin, seq: Number(originSeq) };
  const isSound = rowSum(n, id, from, seq, crc) === sum;
  return { n, agent: String(id), origin: from, seq: Number(seq), crc, isSound };
}

/** The sequence of the agent's first own record. */
export function firstOf({ origin }: Pick<Known, "origin">): number {
  return (origin?.seq ?? 0) + 1;
}

/** The record, when it is the one that follows and is sound; otherwise what is wrong. */
export function checked(known: Known, row: EventRow, link: Link): StoredRecord | BanyanError {
  const [position, n, seq, time, type, body, crc] = row;
  const record = { agent: known.agent, seq, position, time, type, body };
  if (n !== known.n || seq !== link.seq + 1) return damaged(known.agent, link.seq + 1, "is missing");
  if (!isEvent(row)) return damaged(known.agent, seq, "is no record");
  const isWrongEnd = seq === known.seq && crc !== known.crc;
  if (isWrongEnd || checkOf(known.agent, seq, position, record, link.crc) !== crc) {
    return damaged(known.agent, seq, "does not match its checksum");
  }
  return record;
}

export function damaged(agent: AgentId, seq: number, what: string): BanyanError {
  return new BanyanError("JOURNAL_DAMAGED", `record ${seq} of ${agent} ${what}`, { agent });
}
