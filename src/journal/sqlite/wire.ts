/** What the journal and its writer's thread say to each other: flat arrays, because they are copied between threads. */
import type { ErrorCode } from "../../base/errors.ts";
import type { Append } from "../journal.ts";
import type { Move } from "./moves.ts";
import type { Beginning } from "./schema.ts";

/** agent, expectedSeq, origin's agent and seq, summary, then time, type and body of each record. */
export type WireAppend = readonly [string, number, string | null, number | null, string | null, ...(number | string)[]];

/** Appends that are whole or absent together (J3). */
export type Group = readonly WireAppend[];

export type ToWriter =
  | { readonly do: "commit"; readonly groups: readonly Group[] }
  | { readonly do: "move"; readonly move: Move }
  | { readonly do: "close" };

export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
}

/**
 * `ready` comes once; then a `committed` for each commit, which says of each group whether it was refused, and why, and how long
 * the disk took, and a `moved` for each move.
 */
export type FromWriter =
  | { readonly is: "ready" }
  | { readonly is: "committed"; readonly refusals: readonly (Refusal | null)[]; readonly syncMs: number }
  | { readonly is: "moved"; readonly refusal: Refusal | null };

export interface WriterData extends Beginning {
  readonly folder: string;
}

/** Where the records of a `WireAppend` begin, and how many places each takes. */
export const RECORDS_AT = 5;
export const RECORD_LENGTH = 3;

export function wireOf({ agent, expectedSeq, origin, records, summary }: Append): WireAppend {
  const wire: [string, number, string | null, number | null, string | null, ...(string | number)[]] = [
    agent,
    expectedSeq,
    origin?.agent ?? null,
    origin?.seq ?? null,
    summary ?? null,
  ];
  for (const { time, type, body } of records) wire.push(time, type, body);
  return wire;
}

export function recordCount(append: WireAppend): number {
  return (append.length - RECORDS_AT) / RECORD_LENGTH;
}
