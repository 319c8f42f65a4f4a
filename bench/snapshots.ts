/**
 * What snapshots take on the disk, over recorded runs: `node bench/snapshots.ts FILE...`, each JSON lines (.gz or not) in the form that
 * `banyan replay` reads. Each run is played as an agent through the real journal; then a snapshot is made of each agent.
 *
 * One JSON line a file: `saved` is what compression saves, `keptOverJournal` what the snapshots that the runs left take beside the journal.
 */
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { openFsSnapshots } from "../src/checkpoints/fs/fs-snapshots.ts";
import { recordAt } from "../src/checkpoints/restore.ts";
import { writeSnapshot } from "../src/checkpoints/snapshot-parts.ts";
import { foldAgent } from "../src/coordinator/fold.ts";
import { openSqliteJournal } from "../src/journal/sqlite/sqlite-journal.ts";
import { replay } from "../src/recordings/replay.ts";
import { round } from "./core/figures.ts";

const files = process.argv.slice(2);
if (files.length === 0) throw new Error("give files of recorded runs");
for (const file of files) console.log(JSON.stringify(await measured(file)));

async function measured(file: string) {
  const folder = await mkdtemp(join(tmpdir(), "banyan-snapshots-"));
  try {
    const { runs, turns } = await replay(file, folder, { concurrency: 16 });
    const written = await bytesBelow(join(folder, "snapshots"));
    const journalBytes = await bytesBelow(join(folder, "journal"));
    const { plain, compressed } = await snapshotAll(folder);
    const sizes = { plainBytes: plain, compressedBytes: compressed, journalBytes, keptBytes: written };
    const ratios = { saved: round(1 - compressed / plain), keptOverJournal: round(written / journalBytes) };
    return {
      bench: "snapshots",
      file: basename(file),
      runs,
      turns,
      ...sizes,
      ...ratios,
      load: round(loadavg()[0] ?? 0),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A snapshot of every agent as it is now, whatever its size. */
async function snapshotAll(folder: string): Promise<{ plain: number; compressed: number }> {
  const journal = await openSqliteJournal({ folder: join(folder, "journal"), readOnly: true });
  const snapshots = openFsSnapshots({ folder: join(folder, "all") });
  let plain = 0;
  try {
    for await (const heads of journal.heads()) {
      for (const { agent, seq } of heads) {
        const record = await recordAt(journal, agent, seq);
        if (!record) continue;
        const parts = await writeSnapshot(await foldAgent({ journal }, agent), record);
        for (const { length } of parts) plain += length;
        await snapshots.keep(agent, seq, parts);
      }
    }
    return { plain, compressed: await bytesBelow(join(folder, "all")) };
  } finally {
    await journal.close();
  }
}

async function bytesBelow(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  let bytes = 0;
  for (const entry of entries) if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  return bytes;
}
