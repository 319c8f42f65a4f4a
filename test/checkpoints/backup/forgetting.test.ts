/** A backup is made smaller, and the machine dies at every write of it. */
import { expect, test } from "vitest";
import type { Objects } from "../../../src/blobs/objects.ts";
import { beginShipping } from "../../../src/checkpoints/backup/beginning.ts";
import { forgetPoints, pruneBackup } from "../../../src/checkpoints/backup/forgetting.ts";
import { BackupStore } from "../../../src/checkpoints/backup/store.ts";
import type { Journal } from "../../../src/journal/journal.ts";
import { all, type BackupMemory, filled, id, restored, shipOnce } from "../../support/backups.ts";
import { MemoryObjects } from "../../support/memory-objects.ts";

const NONE = { last: 0, hourly: 0, daily: 0, weekly: 0, monthly: 0, withinMs: 0 };

/** `count` segments of a record each, behind a first one of six, an hour apart. */
async function shippedOften(objects: Objects, memory: BackupMemory, count: number) {
  const data = await filled();
  await shipOnce(objects, data, memory);
  for (let n = 1; n <= count; n++) {
    await data.add(id(0), n + 1, n * 3_600_000);
    await shipOnce(objects, data, memory);
  }
  return data;
}

async function forget(
  objects: Objects,
  journal: Journal,
  memory: BackupMemory,
  { last = 2, nonce = 1, dryRun = false } = {},
) {
  const store = await BackupStore.open(objects, {});
  const { shipped: remembered, forgetting } = memory;
  const from = await beginShipping({ store, journal, remembered, forgetting, time: 1 });
  return forgetPoints({
    ...{ store, from, dryRun, policy: { ...NONE, last }, now: 1, nonce: id(nonce) },
    onClaiming: async (claim) => {
      memory.forgetting = claim;
    },
  });
}

const prune = async (objects: Objects) => pruneBackup(await BackupStore.open(objects, {}));

test("F2: kept points and moments between are restored as before, from fewer and smaller objects", async () => {
  const objects = new MemoryObjects();
  const memory: BackupMemory = {};
  const data = await shippedOften(objects, memory, 8);
  const before = objects.all.size;
  const dry = await forget(objects, data.journal, memory, { dryRun: true });
  expect(dry).toMatchObject({ kept: 2, forgotten: 7, bytesAfter: null });
  expect(objects.all.size).toBe(before);
  const done = await forget(objects, data.journal, memory);
  expect(done.points.map(({ keptBy }) => keptBy)).toEqual([...new Array(7).fill([]), ["last"], ["last"]]);
  expect(done.bytesAfter).toBeLessThan(done.bytesBefore);
  const pruned = await prune(objects);
  // The first eight segments; the ninth is a part as it is.
  expect(pruned).toMatchObject({ objects: 8 });
  expect(pruned.bytesAfter).toBeLessThan(pruned.bytesBefore);
  expect(await prune(objects)).toMatchObject({ objects: 0 });
  for (const time of [999, 3 * 3_600_000, 8 * 3_600_000 - 1, Number.MAX_SAFE_INTEGER]) {
    const expected = (await all(data.journal)).filter((record) => record.time <= time);
    expect(await all((await restored(objects, { time })).journal)).toEqual(expected);
  }
  const { report } = await restored(objects);
  expect(report).toMatchObject({ segments: 2, records: 14, missing: 0, isWhole: true, end: { number: 9 } });

  // Shipping goes on behind the base, and the next base stands on this one.
  for (let n = 9; n <= 12; n++) {
    await data.add(id(0), n + 1, n * 3_600_000);
    await shipOnce(objects, data, memory);
  }
  await forget(objects, data.journal, memory, { nonce: 2 });
  await prune(objects);
  expect((await restored(objects)).report).toMatchObject({ segments: 2, end: { number: 13 } });
  expect(await all((await restored(objects)).journal)).toEqual(await all(data.journal));
  expect([...objects.all.keys()].filter((key) => key.startsWith("base/"))).toHaveLength(2);
});

test.each([false, true])(
  "F1, F2: cut at any write or removal (done: %s), all is restored, and the next run goes on",
  async (cutAfter) => {
    for (let cut = 1; ; cut++) {
      const objects = Object.assign(new MemoryObjects(), { cutAfter });
      const memory: BackupMemory = {};
      const data = await shippedOften(objects, memory, 5);
      objects.cut = cut;
      const outcome = await (async () => {
        await forget(objects, data.journal, memory);
        await prune(objects);
      })().then(
        () => "done",
        () => "cut",
      );
      objects.cut = Number.POSITIVE_INFINITY;
      const whole = await all(data.journal);
      expect(await all((await restored(objects)).journal)).toEqual(whole);
      // As after a start: what is added is shipped, and forgetting and pruning come to their end.
      await data.add(id(1), 2, 99_000_000);
      await shipOnce(objects, data, memory);
      await forget(objects, data.journal, memory, { nonce: 2 });
      await prune(objects);
      expect(await all((await restored(objects)).journal)).toEqual(await all(data.journal));
      expect([...objects.all.keys()].filter((key) => /seg$/.test(key))).toHaveLength(2);
      if (outcome === "done") return;
    }
  },
);

test("F1, F3: of two who take the backup at once one wins, and what it goes on with is not pruned", async () => {
  const objects = new MemoryObjects();
  const memory: BackupMemory = {};
  const data = await shippedOften(objects, memory, 5);
  // Restored elsewhere to its third segment, before points are forgotten here.
  const { journal, blobs, report } = await restored(objects, { time: 2 * 3_600_000 });
  const other: BackupMemory = { shipped: { ...report.end, owner: 1, restored: true } };
  const early = structuredClone(other);
  const elsewhere = { journal, blobs, add: data.add, digest: data.digest };
  const store = await BackupStore.open(objects, {});
  const from = await beginShipping({ store, journal: data.journal, remembered: memory.shipped, time: 1 });
  await shipOnce(objects, elsewhere, other);
  const losing = forgetPoints({
    ...{ store, from, policy: { ...NONE, last: 1 }, now: 1, nonce: id(1) },
    onClaiming: async (claim) => {
      memory.forgetting = claim;
    },
  });
  await expect(losing).rejects.toMatchObject({ code: "DATA_IN_USE" });
  await expect(shipOnce(objects, data, memory)).rejects.toMatchObject({ code: "DATA_IN_USE" });
  await expect(forget(objects, data.journal, memory)).rejects.toMatchObject({ code: "DATA_IN_USE" });
  // The three segments that the restore left out, and the part and the list of who lost, are removed, and what it goes on with is there.
  expect(await prune(objects)).toMatchObject({ objects: 5 });
  expect(await all((await restored(objects)).journal)).toEqual(await all(journal));

  // The other way round: the base is there first, and whoever had restored before it is refused.
  const again = new MemoryObjects();
  const first: BackupMemory = {};
  const mine = await shippedOften(again, first, 5);
  await forget(again, mine.journal, first);
  await expect(shipOnce(again, elsewhere, early)).rejects.toMatchObject({ code: "DATA_IN_USE" });
  await prune(again);
  expect(await all((await restored(again)).journal)).toEqual(await all(mine.journal));
});

test("G1: restored to a moment inside a part, and again to an earlier one, the backup goes on with the newest owner", async () => {
  const objects = new MemoryObjects();
  const memory: BackupMemory = {};
  const data = await shippedOften(objects, memory, 6);
  await forget(objects, data.journal, memory, { last: 4 });
  await prune(objects);
  let owner = 2;
  for (const hour of [5, 4, 1]) {
    const { journal, blobs, report } = await restored(objects, { time: hour * 3_600_000 });
    const memory = { shipped: { ...report.end, owner, restored: true } };
    owner += 1;
    const head = await journal.head(id(0));
    await journal.append([
      {
        agent: id(0),
        expectedSeq: head?.seq ?? 0,
        records: [
          {
            time: 1,
            type: "message.received",
            body: JSON.stringify({ id: "n", from: { kind: "person" }, content: "new" }),
          },
        ],
      },
    ]);
    const here = { journal, blobs, add: data.add, digest: data.digest };
    await shipOnce(objects, here, memory);
    expect(await all((await restored(objects)).journal)).toEqual(await all(journal));
    await prune(objects);
    expect(await all((await restored(objects)).journal)).toEqual(await all(journal));
  }
});

test("a base or a part that was changed is found, and nothing is removed then", async () => {
  const objects = new MemoryObjects();
  const memory: BackupMemory = {};
  const data = await shippedOften(objects, memory, 5);
  await forget(objects, data.journal, memory);
  const keys = [...objects.all.keys()].filter((key) => key.startsWith("base/"));
  expect(keys).toHaveLength(2);
  const whole = await all(data.journal);
  for (const key of keys) {
    const sound = objects.all.get(key) as Buffer;
    for (let bit = 0; bit < sound.length * 8; bit += 37) {
      const changed = Buffer.from(sound);
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      objects.all.set(key, changed);
      // A bit of a part that says nothing may be changed: the text is what its digest says.
      const outcome = await restored(objects).then(
        ({ journal }) => all(journal),
        ({ code }) => code,
      );
      expect([whole, "BLOB_DAMAGED"]).toContainEqual(outcome);
    }
    objects.all.set(key, sound);
  }
  const [manifest = ""] = keys.filter((key) => key.endsWith(".json"));
  objects.all.set(manifest, Buffer.from("{}"));
  await expect(prune(objects)).rejects.toMatchObject({ code: "BLOB_DAMAGED" });
});
