/**
 * The check value of a record: a CRC-32 over all its fields, run on from the check value of the agent's record before it. So
 * one number is checksum and chain: a changed record fails its own check, and a record exchanged for another valid
 * one fails the next one's (J5). A fork's first record runs on from its origin's.
 */
import { crc32 } from "node:zlib";
import type { NewRecord } from "../journal.ts";

export function checkOf(agent: string, seq: number, record: NewRecord, previous: number): number {
  return crc32(record.body, crc32(`${agent} ${seq} ${record.time} ${record.type} `, previous));
}
