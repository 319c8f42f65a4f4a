/** The heads of a fleet in one piece: used where they are of this journal, and passed over where they are not. */
import { expect, test } from "vitest";
import type { Head } from "../../src/agent/state.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { keepHeads, newestRecord, readKeptHeads } from "../../src/checkpoints/kept-heads.ts";
import { MemorySnapshots } from "../../src/checkpoints/memory/memory-snapshots.ts";
import type { StoredRecord } from "../../src/journal/journal.ts";
import { MemoryJournal } from "../../src/journal/memory/memory-journal.ts";
import { grow } from "../support/forests.ts";

const records = (count: number, body = "b") => Array.from({ length: count }, () => ({ time: 1, type: "t", body }));

async function kept(body?: string) {
  const { heads } = grow([0, 0]);
  const [{ agent }] = heads as [Head];
  const journal = new MemoryJournal();
  await journal.append([{ agent, expectedSeq: 0, records: records(3, body) }]);
  const snapshots = new MemorySnapshots();
  const newest = (await newestRecord(journal)) as StoredRecord;
  await keepHeads(snapshots, { heads, newest, unread: ["one"] });
  return { heads, agent, journal, snapshots, newest };
}

test("what was kept is read, with the position that it is of", async () => {
  const { heads, journal, snapshots, newest } = await kept();
  expect(newest).toMatchObject({ seq: 3, position: 3 });
  const read = await readKeptHeads({ journal, snapshots });
  expect(read).toMatchObject({ position: 3, unread: ["one"] });
  expect(heads.map((_, at) => read?.columns.head(at))).toEqual(heads);
});

test("M1: what is of another journal, or of one that was cut since, is not used", async () => {
  const { agent, snapshots } = await kept();
  const others = [records(3, "other"), records(2), records(0)];
  for (const each of others) {
    const journal = new MemoryJournal();
    if (each.length > 0) await journal.append([{ agent, expectedSeq: 0, records: each }]);
    expect(await readKeptHeads({ journal, snapshots })).toBeUndefined();
  }
});

test("M2: what is damaged anywhere, or too far behind, is as good as none", async () => {
  const { agent, journal, snapshots } = await kept();
  const bytes = (await snapshots.readHeads()) as Buffer;
  for (let at = 0; at < bytes.length; at += 1) {
    const flipped = Buffer.from(bytes);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
    for (const damaged of [flipped, bytes.subarray(0, at)]) {
      await snapshots.keepHeads(damaged);
      expect(await readKeptHeads({ journal, snapshots }), `byte ${at}`).toBeUndefined();
    }
  }
  await snapshots.keepHeads(bytes);
  await journal.append([{ agent, expectedSeq: 3, records: records(LIMITS.headsBehindMax) }]);
  expect(await readKeptHeads({ journal, snapshots })).toBeDefined();
  await journal.append([{ agent, expectedSeq: 3 + LIMITS.headsBehindMax, records: records(1) }]);
  expect(await readKeptHeads({ journal, snapshots })).toBeUndefined();
  expect(await readKeptHeads({ journal, snapshots: new MemorySnapshots() })).toBeUndefined();
});

test("an empty journal has no newest record", async () => {
  expect(await newestRecord(new MemoryJournal())).toBeUndefined();
});
