/**
 * The check values. A record's is a CRC-32 over all its fields, run on from the check value of the agent's record before
 * it. So one number is checksum and chain: a changed record fails its own check, and a record exchanged for another valid
 * one fails the next one's (J5). A fork's first record runs on from its origin's. Every other row has a CRC-32 of its own.
 */
import { crc32 } from "node:zlib";
import type { NewRecord, Origin } from "../journal.ts";

export function checkOf(agent: string, seq: number, position: number, record: NewRecord, previous: number): number {
  const { time, type, body } = record;
  // A damaged check value may be no 32-bit number.
  return crc32(body, crc32(`${agent} ${seq} ${position} ${time} ${type.length} ${type}`, previous >>> 0));
}

/** Of what never changes about an agent: the sum of its row runs on from it. */
export function identitySum(n: number, agent: string, origin: Origin | undefined): number {
  return crc32(`${n} ${agent} ${origin ? `${origin.agent} ${origin.seq}` : ""}`);
}

/** Of an agent's row: who it is, and the sequence and check value of its newest record. */
export function agentSum(identity: number, seq: number, crc: number): number {
  return crc32(` ${seq} ${crc}`, identity);
}

/** The sum of an agent's row in one go: opening makes it of every agent. */
export function rowSum(n: number, agent: string, origin: Origin | undefined, seq: number, crc: number): number {
  return crc32(`${n} ${agent} ${origin ? `${origin.agent} ${origin.seq}` : ""} ${seq} ${crc}`);
}

export function summarySum(n: number, seq: number, text: string): number {
  return crc32(`${n} ${seq} ${text}`);
}
