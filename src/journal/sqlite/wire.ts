/** What the journal and its writer's thread say to each other: flat arrays, because they are copied between threads. */
import type { ErrorCode } from "../../base/errors.ts";

/** agent, expectedSeq, origin's agent and seq, summary, then time, type and body of each record. */
export type WireAppend = readonly [string, number, string | null, number | null, string | null, ...(number | string)[]];

/** Where the records begin. */
export const RECORDS_AT = 5;

export type ToWriter =
  | { readonly do: "commit"; readonly groups: readonly (readonly WireAppend[])[] }
  | { readonly do: "close" };

/** For each group: null, or why it was refused. */
export interface Committed {
  readonly refusals: readonly ({ readonly code: ErrorCode; readonly message: string } | null)[];
  readonly position: number;
}

export interface WriterData {
  readonly folder: string;
  readonly epoch: number;
  readonly position: number;
}
