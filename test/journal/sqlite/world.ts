/** A SQLite journal in a temporary folder, and what tests do to its files. */
import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ArchiveStore } from "../../../src/journal/archive.ts";
import type { Journal } from "../../../src/journal/journal.ts";
import { openSqliteJournal } from "../../../src/journal/sqlite/sqlite-journal.ts";
import type { JournalWorld } from "../../conformance/journal-world.ts";

export interface SqliteWorld extends JournalWorld {
  readonly folder: string;
  openReadOnly(): Promise<Journal>;
}

export async function sqliteWorld({ archive }: { archive?: ArchiveStore } = {}): Promise<SqliteWorld> {
  const folder = await mkdtemp(join(tmpdir(), "banyan-journal-"));
  const opened: Journal[] = [];
  const keep = (journal: Journal) => {
    opened.push(journal);
    return journal;
  };
  return {
    folder,
    async open() {
      // Whoever held the lock is believed dead: a new file is a new lock.
      rmSync(join(folder, "owner.lock"), { force: true });
      return keep(await openSqliteJournal({ folder, archive }));
    },
    openReadOnly: async () => keep(await openSqliteJournal({ folder, readOnly: true, archive })),
    async dispose() {
      for (const journal of opened.reverse()) await journal.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
