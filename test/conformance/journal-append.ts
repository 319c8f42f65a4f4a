/** Appending: who wins, what is refused, and that what is refused leaves no trace (J2, J3). */
import { expect, test } from "vitest";
import { LIMITS } from "../../src/base/limits.ts";
import type { Append } from "../../src/journal/journal.ts";
import {
  appendOf,
  bodies,
  forkOf,
  headsOf,
  idOf,
  type MakeWorld,
  orderFrom,
  said,
  withJournal,
} from "./journal-world.ts";

const [a, b, c, d] = [idOf(1), idOf(2), idOf(3), idOf(4)] as const;

export function appendSuite(make: MakeWorld): void {
  const inJournal = (use: Parameters<typeof withJournal>[1]) => withJournal(make, use);

  test(
    "J2: of 20 writers racing for the same place exactly one wins, and what it wrote is what stands",
    inJournal(async (journal) => {
      for (let seq = 0; seq < 30; seq += 1) {
        const names = Array.from({ length: 20 }, (_, writer) => `round ${seq}, writer ${writer}`);
        const race = names.map(async (name, writer) => {
          // Some come later, into another commit.
          for (let wait = 0; wait < writer % 3; wait += 1) await journal.head(a);
          await journal.append([appendOf(a, seq, name)]);
          return name;
        });
        const results = await Promise.allSettled(race);
        const won = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
        const lost = results.flatMap((result) => (result.status === "rejected" ? [result.reason.code] : []));
        expect(won).toHaveLength(1);
        expect(lost).toEqual(Array.from({ length: 19 }, () => "JOURNAL_CONFLICT"));
        expect((await bodies(journal, a)).at(-1)).toBe(won[0]);
      }
      expect(await bodies(journal, a)).toHaveLength(30);
    }),
  );

  test(
    "J2: an append behind the newest record, or ahead of it, is refused and leaves no trace",
    inJournal(async (journal) => {
      await journal.append([appendOf(a, 0, "one", "two")]);
      for (const seq of [0, 1, 3]) {
        await expect(journal.append([appendOf(a, seq, "late")])).rejects.toMatchObject({
          code: "JOURNAL_CONFLICT",
          agent: a,
        });
      }
      await expect(journal.append([appendOf(b, 1, "nothing before it")])).rejects.toMatchObject({
        code: "JOURNAL_CONFLICT",
      });
      expect(await bodies(journal, a)).toEqual(["one", "two"]);
      expect(await journal.head(b)).toBeUndefined();
      expect(await journal.position()).toBe(2);
    }),
  );

  test(
    "J2: a conflict fails its own append and no other that is committed with it",
    inJournal(async (journal) => {
      const results = await Promise.allSettled([
        journal.append([appendOf(a, 0, "first")]),
        journal.append([appendOf(b, 7, "conflict")]),
        journal.append([appendOf(c, 0, "third")]),
        journal.append([appendOf(a, 1, "fourth")]),
      ]);
      expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "fulfilled"]);
      expect(await bodies(journal, a)).toEqual(["first", "fourth"]);
      expect(await bodies(journal, c)).toEqual(["third"]);
    }),
  );

  test(
    "J2: a writer whose epoch is over appends nothing, to old agents or new",
    inJournal(async (stale, world) => {
      await stale.append([appendOf(a, 0, "from the first epoch")]);
      const owner = await world.open();
      expect(owner.epoch).toBeGreaterThan(stale.epoch);
      for (const append of [
        appendOf(a, 1, "stale"),
        appendOf(b, 0, "stale"),
        forkOf(c, { agent: a, seq: 1 }, "stale"),
      ]) {
        await expect(stale.append([append])).rejects.toMatchObject({ code: "JOURNAL_CONFLICT" });
      }
      await owner.append([appendOf(a, 1, "from the second")]);
      expect(await bodies(owner, a)).toEqual(["from the first epoch", "from the second"]);
      expect(await headsOf(owner)).toHaveLength(1);
    }),
  );

  test(
    "J3: an append to several agents is whole, or absent from all of them",
    inJournal(async (journal) => {
      await journal.append([appendOf(a, 0, "parent"), appendOf(b, 0, "child"), appendOf(c, 0, "child")]);
      const refused = [
        [appendOf(a, 1, "x"), appendOf(d, 0, "x"), appendOf(b, 0, "conflict")],
        [appendOf(b, 0, "conflict"), appendOf(a, 1, "x"), appendOf(d, 0, "x")],
        [appendOf(a, 1, "x"), appendOf(a, 1, "conflict with itself")],
        [appendOf(d, 0, "x"), forkOf(a, { agent: b, seq: 1 }, "begun already")],
      ];
      for (const group of refused) {
        await expect(journal.append(group)).rejects.toMatchObject({ code: "JOURNAL_CONFLICT" });
      }
      expect(await bodies(journal, a)).toEqual(["parent"]);
      expect(await journal.head(d)).toBeUndefined();
      await journal.append([appendOf(a, 1, "y"), appendOf(d, 0, "y"), appendOf(a, 2, "z"), appendOf(b, 1, "y")]);
      expect(await bodies(journal, a)).toEqual(["parent", "y", "z"]);
      expect((await orderFrom(journal, 3)).map(({ agent, body }) => [agent, body])).toEqual([
        [a, "y"],
        [d, "y"],
        [a, "z"],
        [b, "y"],
      ]);
    }),
  );

  test(
    "J2: a fork begins behind its origin, once",
    inJournal(async (journal) => {
      await journal.append([appendOf(a, 0, "1", "2", "3")]);
      await journal.append([forkOf(b, { agent: a, seq: 2 }, "3b")]);
      await journal.append([appendOf(b, 3, "4b")]);
      await journal.append([forkOf(c, { agent: b, seq: 4 }, "5c")]);
      expect((await journal.head(c))?.origin).toEqual({ agent: b, seq: 4 });
      expect((await headsOf(journal)).map(({ seq }) => seq)).toEqual([3, 4, 5]);
      for (const again of [forkOf(b, { agent: a, seq: 2 }, "x"), forkOf(b, { agent: a, seq: 4 }, "x")]) {
        await expect(journal.append([again])).rejects.toMatchObject({ code: "JOURNAL_CONFLICT" });
      }
      const misnumbered = { ...forkOf(d, { agent: a, seq: 2 }, "x"), expectedSeq: 0 };
      await expect(journal.append([misnumbered])).rejects.toMatchObject({ code: "JOURNAL_CONFLICT" });
      expect(await bodies(journal, a)).toEqual(["1", "2", "3"]);
      expect(await bodies(journal, b)).toEqual(["3b", "4b"]);
      expect(await bodies(journal, c)).toEqual(["5c"]);
    }),
  );

  test(
    "a fork needs an origin that is there, and that is the origin's own",
    inJournal(async (journal) => {
      await journal.append([appendOf(a, 0, "1", "2", "3"), forkOf(b, { agent: a, seq: 2 }, "3b")]);
      const nowhere = [
        { agent: c, seq: 1 },
        { agent: a, seq: 4 },
        { agent: b, seq: 2 },
        { agent: b, seq: 4 },
        { agent: d, seq: 0 },
      ];
      for (const origin of nowhere) {
        await expect(journal.append([forkOf(d, origin, "x")])).rejects.toMatchObject({ code: "CHECKPOINT_NOT_FOUND" });
      }
      await journal.append([
        appendOf(a, 3, "4"),
        forkOf(c, { agent: a, seq: 4 }, "5c"),
        forkOf(d, { agent: c, seq: 5 }, "6d"),
      ]);
      expect(await bodies(journal, d)).toEqual(["6d"]);
      expect((await journal.verify()).damaged).toEqual([]);
    }),
  );

  test(
    "what could not come back as it was is refused",
    inJournal(async (journal) => {
      const at = (time: number): Append => ({ agent: a, expectedSeq: 0, records: [{ time, type: "t", body: "x" }] });
      const invalid: Append[][] = [
        [],
        [{ agent: a, expectedSeq: 0, records: [] }],
        [appendOf(a, 0, "half a \ud83d character")],
        [{ agent: a, expectedSeq: 0, records: [{ time: 1, type: "\udc00", body: "x" }] }],
        [{ ...appendOf(a, 0, "x"), summary: "\ud83d" }],
        [at(0.5)],
        [at(Number.NaN)],
        [at(2 ** 60)],
      ];
      for (const appends of invalid)
        await expect(journal.append(appends)).rejects.toMatchObject({ code: "INPUT_INVALID" });
      expect(await journal.position()).toBe(0);
    }),
  );

  test(
    "records up to the limit are kept, larger ones are refused, measured in bytes",
    inJournal(async (journal) => {
      const largest = "x".repeat(LIMITS.recordBytesMax);
      await journal.append([{ ...appendOf(a, 0, largest), summary: largest }]);
      for (const body of [`${largest}x`, "ö".repeat(LIMITS.recordBytesMax / 2 + 1)]) {
        await expect(journal.append([appendOf(a, 1, body)])).rejects.toMatchObject({ code: "CONTENT_TOO_LARGE" });
        await expect(journal.append([{ ...appendOf(a, 1, "x"), summary: body }])).rejects.toMatchObject({
          code: "CONTENT_TOO_LARGE",
        });
      }
      const many = Array.from({ length: LIMITS.commitBytesMax / LIMITS.recordBytesMax + 1 }, () => largest);
      await expect(journal.append([{ agent: b, expectedSeq: 0, records: said(...many) }])).rejects.toMatchObject({
        code: "CONTENT_TOO_LARGE",
      });
      expect(await bodies(journal, a)).toEqual([largest]);
      expect((await journal.head(a))?.summary?.text).toBe(largest);
    }),
  );
}
