/** Opening, closing and opening again (J1). */
import { expect, test } from "vitest";
import {
  appendOf,
  collect,
  forkOf,
  headsOf,
  idOf,
  inWorld,
  type MakeWorld,
  orderFrom,
  readAll,
  withJournal,
} from "./journal-world.ts";

const [a, b] = [idOf(1), idOf(2)] as const;

export function lifeSuite(make: MakeWorld): void {
  test("J1: what was acknowledged is there when the store is opened again, and goes on", () =>
    inWorld(make, async (world) => {
      const first = await world.open();
      await first.append([{ ...appendOf(a, 0, "1", "2"), summary: "s" }, forkOf(b, { agent: a, seq: 1 }, "2b")]);
      const before = { order: await orderFrom(first), heads: await headsOf(first) };
      await first.close();
      for (let times = 0; times < 3; times += 1) {
        const again = await world.open();
        expect({ order: await orderFrom(again), heads: await headsOf(again) }).toEqual(before);
        expect(again.epoch).toBe(first.epoch + times + 1);
        await again.close();
      }
      const last = await world.open();
      await last.append([appendOf(a, 2, "3"), appendOf(b, 2, "3b")]);
      expect((await orderFrom(last)).map(({ seq, position }) => [seq, position])).toEqual([
        [1, 1],
        [2, 2],
        [2, 3],
        [3, 4],
        [3, 5],
      ]);
    }));

  test("J1: closing waits for the appends under way", () =>
    inWorld(make, async (world) => {
      const journal = await world.open();
      const appends = Array.from({ length: 50 }, (_, seq) => journal.append([appendOf(a, seq, `${seq}`)]));
      await journal.close();
      await Promise.all(appends);
      expect(await readAll(await world.open(), a)).toHaveLength(50);
    }));

  test(
    "a closed journal refuses everything, and closing twice is harmless",
    withJournal(make, async (journal) => {
      await journal.append([appendOf(a, 0, "1")]);
      await Promise.all([journal.close(), journal.close()]);
      await journal.close();
      const calls = [
        () => journal.append([appendOf(a, 1, "2")]),
        () => readAll(journal, a),
        () => journal.head(a),
        () => headsOf(journal),
        () => journal.position(),
        () => journal.positionOf(a, 1),
        () => journal.seqAt(a, 1),
        () => journal.verify(),
      ];
      for (const call of calls) await expect(call()).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
      expect(await collect(journal.follow(0, new AbortController().signal))).toEqual([]);
    }),
  );

  test(
    "J5: a sound journal verifies, with the number of its agents and records",
    withJournal(make, async (journal) => {
      expect(await journal.verify()).toEqual({ agents: 0, records: 0, damaged: [] });
      await journal.append([{ ...appendOf(a, 0, "1", "2"), summary: "s" }, forkOf(b, { agent: a, seq: 1 }, "2b")]);
      expect(await journal.verify()).toEqual({ agents: 2, records: 3, damaged: [] });
    }),
  );

  test(
    "J5: verifying beside appends gives no false alarm",
    withJournal(make, async (journal) => {
      let going = true;
      const writing = (async () => {
        for (let seq = 0; going; seq += 1) {
          const births = seq % 5 === 0 ? [appendOf(idOf(100 + seq), 0, "begins")] : [];
          await journal.append([{ ...appendOf(a, seq, `${seq}`), summary: `${seq}` }, ...births]);
        }
      })();
      for (let times = 0; times < 20; times += 1) expect((await journal.verify()).damaged).toEqual([]);
      going = false;
      await writing;
      expect((await journal.verify()).damaged).toEqual([]);
    }),
  );
}
