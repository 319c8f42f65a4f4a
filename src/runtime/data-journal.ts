/** The journal of a data folder, with the archives in which some of its records are. */
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { Journal } from "../journal/journal.ts";
import { openSqliteJournal } from "../journal/sqlite/sqlite-journal.ts";
import { ArchivePlaces } from "./archive.ts";

export interface DataJournalOptions {
  readonly readOnly?: boolean | undefined;
  readonly clock?: Clock | undefined;
}

/** @throws as `openSqliteJournal` */
export function openDataJournal(
  folder: string,
  { readOnly = false, clock }: DataJournalOptions = {},
): Promise<Journal> {
  const archive = new ArchivePlaces(folder, process.env);
  return openSqliteJournal({ folder: join(folder, "journal"), readOnly, archive, ...(clock && { clock }) });
}
