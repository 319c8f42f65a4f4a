/** What power-run.ts writes into its file of marks, a line each. */
import type { Digest } from "../../src/blobs/blobs.ts";
import type { Append } from "../../src/journal/journal.ts";

export const MARKS_FILE = "marks";

export type Mark =
  | { readonly begins: number; readonly appends: readonly Append[] }
  | { readonly ends: number }
  | { readonly stored: Digest };
