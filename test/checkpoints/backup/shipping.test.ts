/** A backup of a journal in memory, with stores that fail at every step. */
import { expect, test } from "vitest";
import { ManualClock, systemClock } from "../../../src/base/clock.ts";
import { type Digest, digestOf } from "../../../src/blobs/blobs.ts";
import { beginShipping, type Remembered } from "../../../src/checkpoints/backup/beginning.ts";
import { ship } from "../../../src/checkpoints/backup/shipping.ts";
import { BackupStore } from "../../../src/checkpoints/backup/store.ts";
import { all, filled, id, restored, shipOnce, TEXT } from "../../support/backups.ts";
import { MemoryObjects } from "../../support/memory-objects.ts";

test("H1: what is restored is record for record what was shipped, whenever it was", async () => {
  const data = await filled();
  const objects = new MemoryObjects();
  const memory = {};
  await shipOnce(objects, data, memory);
  await data.add(id(0), 2, 5_000);
  await shipOnce(objects, data, memory);
  await shipOnce(objects, data, memory);
  const { journal, blobs, report } = await restored(objects);
  expect(await all(journal)).toEqual(await all(data.journal));
  expect(await blobs.verify(data.digest)).toBe(true);
  expect(report).toMatchObject({ records: 7, segments: 2, isWhole: true, missing: 0, end: { number: 2, position: 7 } });
});

test.each([false, true])(
  "H1: cut at any write (done: %s), the next run ships the rest, nothing twice",
  async (cutAfter) => {
    for (let cut = 1; ; cut++) {
      const data = await filled();
      const objects = Object.assign(new MemoryObjects(), { cutAfter });
      const memory: { shipped?: Remembered | undefined } = {};
      objects.cut = cut;
      const outcome = await shipOnce(objects, data, memory).then(
        () => "done",
        () => "cut",
      );
      objects.cut = Number.POSITIVE_INFINITY;
      // Whatever is there by now is a prefix.
      if (objects.all.has("backup.json")) {
        const { journal } = await restored(objects);
        expect((await all(data.journal)).slice(0, await journal.position())).toEqual(await all(journal));
      }
      await data.add(id(1), 2, 9_000);
      await shipOnce(objects, data, memory);
      expect(await all((await restored(objects)).journal)).toEqual(await all(data.journal));
      // And so it is when the memory is lost with the crash.
      await data.add(id(2), 2, 9_500);
      await shipOnce(objects, data, {});
      expect(await all((await restored(objects)).journal)).toEqual(await all(data.journal));
      if (outcome === "done") return;
    }
  },
);

test("a moment in the middle of a segment is restored to the record", async () => {
  const data = await filled({ agents: 3, turns: 4 });
  const objects = new MemoryObjects();
  await shipOnce(objects, data, {});
  for (const time of [0, 1_001, 2_999, 99_999]) {
    const { journal, report } = await restored(objects, { time });
    const expected = (await all(data.journal)).filter((record) => record.time <= time);
    expect(await all(journal)).toEqual(expected);
    expect(report.isWhole).toBe(time === 99_999);
  }
});

test("G1: data restored from a backup takes it over, and the machine that was thought dead stops", async () => {
  const data = await filled();
  const objects = new MemoryObjects();
  const old = {};
  await shipOnce(objects, data, old);
  // Restored to a moment before the end: what came behind it is no part of the backup from now on.
  const { journal, blobs, report } = await restored(objects, { time: 1_000 });
  const memory = { shipped: { ...report.end, owner: 1, restored: true } };
  await journal.append([
    {
      agent: id(7),
      expectedSeq: 0,
      records: [
        {
          time: 7_000,
          type: "message.received",
          body: JSON.stringify({ id: "n", from: { kind: "person" }, content: "new" }),
        },
      ],
    },
  ]);
  await shipOnce(objects, { journal, blobs }, memory);
  expect(await all((await restored(objects)).journal)).toEqual(await all(journal));
  await data.add(id(0), 2, 8_000);
  await expect(shipOnce(objects, data, old)).rejects.toMatchObject({ code: "DATA_IN_USE" });
  await expect(shipOnce(objects, data, {})).rejects.toMatchObject({ code: "DATA_IN_USE" });
  expect(await all((await restored(objects)).journal)).toEqual(await all(journal));
});

test("G1: of two that write at once one goes on, and the backup is a prefix of its journal", async () => {
  const data = await filled();
  const objects = new MemoryObjects();
  const one = {};
  await shipOnce(objects, data, one);
  const store = await BackupStore.open(objects, {});
  // The other has the same data and no memory: a copy of the disk. It takes over; the first one's next segment is left out.
  await shipOnce(objects, data, {});
  await data.add(id(0), 2, 8_000);
  await expect(shipOnce(objects, data, one)).rejects.toMatchObject({ code: "DATA_IN_USE" });
  const claim = { owner: 2, time: 1, begins: 2, previous: null };
  expect(await store.claim(claim)).toBe(false);
  const { journal } = await restored(objects);
  expect((await all(data.journal)).slice(0, await journal.position())).toEqual(await all(journal));
});

test("other data are not shipped into a backup", async () => {
  const objects = new MemoryObjects();
  await shipOnce(objects, await filled(), {});
  await expect(shipOnce(objects, await filled({ agents: 1 }), {})).rejects.toMatchObject({ code: "DATA_IN_USE" });
});

test("every flipped bit of a segment, and one that is missing or exchanged, is detected", async () => {
  const data = await filled({ agents: 2, turns: 1 });
  const objects = new MemoryObjects();
  const memory = {};
  for (let turn = 1; turn < 4; turn++) {
    await shipOnce(objects, data, memory);
    await data.add(id(0), turn, turn);
  }
  await shipOnce(objects, data, memory);
  const whole = new Map(objects.all);
  const [first = "", second = ""] = [...whole.keys()].filter((name) => name.endsWith(".seg"));
  const expectRefused = () => expect(restored(objects)).rejects.toMatchObject({ code: "BLOB_DAMAGED" });
  const bytes = whole.get(second) ?? Buffer.alloc(0);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Buffer.from(bytes);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    objects.all.set(second, flipped);
    const outcome = await restored(objects).then(
      async ({ journal }) => JSON.stringify(await all(journal)),
      ({ code }) => code,
    );
    // A bit that the compressor does not look at changes nothing.
    if (outcome !== "BLOB_DAMAGED") expect(outcome).toBe(JSON.stringify(await all(data.journal)));
  }
  objects.all.set(second, whole.get(first) ?? bytes);
  await expectRefused();
  objects.all.delete(second);
  await expectRefused();
  objects.all.set(second, bytes);
  const blob = [...whole.keys()].find((name) => name.startsWith("blobs/")) ?? "";
  objects.all.set(blob, Buffer.from("a lonG text"));
  await expectRefused();
  objects.all.delete(blob);
  expect((await restored(objects)).report.missing).toBe(1);
});

test("H2: while it follows, what is added is shipped within the delay, and blobs before what refers to them", async () => {
  const data = await filled();
  const objects = new MemoryObjects();
  const store = await BackupStore.open(objects, {}, 1);
  const clock = new ManualClock();
  const stop = new AbortController();
  const from = await beginShipping({ store, journal: data.journal, remembered: undefined, time: 1 });
  const told: number[] = [];
  const { promise: second, resolve } = Promise.withResolvers<void>();
  const shipped = ship(
    {
      journal: data.journal,
      blobs: data.blobs,
      store,
      clock,
      from,
      onMissing: () => undefined,
      onShipped: async ({ position }) => {
        told.push(position);
        const blob: Digest = digestOf(TEXT);
        expect([...objects.all.keys()].some((name) => name.endsWith(blob.slice(7)))).toBe(true);
        if (told.length === 1) {
          await data.add(id(0), 2, 1);
          systemClock().timer(0, () => clock.advance(1_000));
        } else resolve();
      },
    },
    { follow: true, signal: stop.signal },
  );
  systemClock().timer(0, () => clock.advance(1_000));
  await second;
  stop.abort();
  await shipped;
  expect(told).toEqual([6, 7]);
});
