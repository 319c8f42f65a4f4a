/** Reading: what was appended comes back, in order, without gaps, whole or in part (J4); heads, summaries and places. */
import { expect, test } from "vitest";
import { LIMITS } from "../../src/base/limits.ts";
import type { NewRecord } from "../../src/journal/journal.ts";
import {
  appendOf,
  bodies,
  collect,
  forkOf,
  headsOf,
  idOf,
  type MakeWorld,
  orderFrom,
  readAll,
  said,
  withJournal,
} from "./journal-world.ts";

const [a, b, c] = [idOf(1), idOf(2), idOf(3)] as const;

export function readSuite(make: MakeWorld): void {
  const inJournal = (use: Parameters<typeof withJournal>[1]) => withJournal(make, use);

  test(
    "J4: every field of a record comes back as it was",
    inJournal(async (journal) => {
      const records: NewRecord[] = [
        { time: 0, type: "empty", body: "" },
        { time: -1, type: "", body: "no type" },
        { time: Number.MAX_SAFE_INTEGER, type: "a b\n", body: '{"json":"\\u0000"}' },
        { time: 1_700_000_000_000, type: "größe", body: "grüße, 你好, 👩‍👩‍👧, \u0000, \uffff, \ufeff" },
        { time: 1_700_000_000_001, type: "t", body: "12345678901234567890" },
      ];
      await journal.append([{ agent: a, expectedSeq: 0, records }]);
      const expected = records.map((record, index) => ({ ...record, agent: a, seq: index + 1, position: index + 1 }));
      expect(await readAll(journal, a)).toEqual(expected);
      expect(await orderFrom(journal)).toEqual(expected);
    }),
  );

  test(
    "J4: a range is exactly what was asked for; a fork's numbers begin behind its origin",
    inJournal(async (journal) => {
      await journal.append([appendOf(a, 0, "1", "2", "3", "4", "5")]);
      await journal.append([forkOf(b, { agent: a, seq: 3 }, "4b", "5b", "6b")]);
      expect(await bodies(journal, a, { from: 2, to: 4 })).toEqual(["2", "3", "4"]);
      expect(await bodies(journal, a, { from: 5 })).toEqual(["5"]);
      expect(await bodies(journal, a, { from: -3, to: 1 })).toEqual(["1"]);
      expect(await bodies(journal, a, { from: 6 })).toEqual([]);
      expect(await bodies(journal, a, { from: 900, to: 1_000 })).toEqual([]);
      expect(await bodies(journal, a, { from: 4, to: 2 })).toEqual([]);
      expect(await bodies(journal, a, { to: 0 })).toEqual([]);
      expect(await bodies(journal, b)).toEqual(["4b", "5b", "6b"]);
      expect(await bodies(journal, b, { from: 1, to: 3 })).toEqual([]);
      expect(await bodies(journal, b, { from: 5, to: 5 })).toEqual(["5b"]);
    }),
  );

  test(
    "J4: a long journal comes in batches of bounded length",
    inJournal(async (journal) => {
      const texts = Array.from({ length: 2 * LIMITS.readEventsMax + 500 }, (_, index) => `record ${index + 1}`);
      await journal.append([appendOf(a, 0, ...texts)]);
      const lengths: number[] = [];
      const found: string[] = [];
      for await (const batch of journal.read(a)) {
        lengths.push(batch.length);
        found.push(...batch.map(({ body }) => body));
      }
      expect(found).toEqual(texts);
      expect(Math.min(...lengths)).toBeGreaterThan(0);
      expect(Math.max(...lengths)).toBeLessThanOrEqual(LIMITS.readEventsMax);
    }),
  );

  test(
    "J4: large records come in batches of bounded size",
    inJournal(async (journal) => {
      const texts = Array.from({ length: 40 }, (_, index) => String(index).repeat(LIMITS.recordBytesMax / 4));
      await journal.append([appendOf(a, 0, ...texts)]);
      expect(await bodies(journal, a)).toEqual(texts);
      expect((await orderFrom(journal)).map(({ body }) => body)).toEqual(texts);
    }),
  );

  test(
    "an agent that has not begun has no journal",
    inJournal(async (journal) => {
      expect(await journal.head(a)).toBeUndefined();
      expect(await headsOf(journal)).toEqual([]);
      expect(await journal.position()).toBe(0);
      expect(await journal.positionOf(a, 1)).toBeUndefined();
      expect(await journal.seqAt(a, 1)).toBeUndefined();
      await expect(readAll(journal, a)).rejects.toMatchObject({ code: "AGENT_NOT_FOUND", agent: a });
    }),
  );

  test(
    "a summary stands until the next one, and says which record it is of",
    inJournal(async (journal) => {
      await journal.append([appendOf(a, 0, "1")]);
      expect(await journal.head(a)).toEqual({ agent: a, origin: undefined, seq: 1, summary: undefined });
      await journal.append([{ ...appendOf(a, 1, "2", "3"), summary: "after 3: ü" }]);
      await journal.append([appendOf(a, 3, "4"), { ...forkOf(b, { agent: a, seq: 2 }, "3b"), summary: "" }]);
      const first = { agent: a, origin: undefined, seq: 4, summary: { seq: 3, text: "after 3: ü" } };
      const second = { agent: b, origin: { agent: a, seq: 2 }, seq: 3, summary: { seq: 3, text: "" } };
      expect(await journal.head(a)).toEqual(first);
      expect(await headsOf(journal)).toEqual([first, second]);
      await journal.append([{ ...appendOf(a, 4, "5"), summary: "after 5" }]);
      expect((await journal.head(a))?.summary).toEqual({ seq: 5, text: "after 5" });
      await expect(journal.append([{ ...appendOf(a, 1, "late"), summary: "late" }])).rejects.toThrow();
      expect((await journal.head(a))?.summary).toEqual({ seq: 5, text: "after 5" });
    }),
  );

  test(
    "heads come in the order of the agents' first records, in batches",
    inJournal(async (journal) => {
      const agents = Array.from({ length: LIMITS.readEventsMax + 200 }, (_, index) => idOf(index + 10));
      const shuffled = agents.toSorted((x, y) => (x.slice(-1) < y.slice(-1) ? -1 : 1));
      await journal.append(shuffled.map((agent) => appendOf(agent, 0, "begins")));
      await journal.append([appendOf(shuffled[3] as string, 1, "goes on")]);
      const lengths: number[] = [];
      for await (const batch of journal.heads()) lengths.push(batch.length);
      expect(Math.max(...lengths)).toBeLessThanOrEqual(LIMITS.readEventsMax);
      expect((await headsOf(journal)).map(({ agent }) => agent)).toEqual(shuffled);
    }),
  );

  test(
    "heads behind a position are those of the agents that have records there, new ones included",
    inJournal(async (journal) => {
      const changedSince = async (after: number) => (await collect(journal.heads({ after }))).map(({ agent }) => agent);
      await journal.append([appendOf(a, 0, "1", "2"), appendOf(b, 0, "1")]);
      const first = await journal.position();
      expect([await changedSince(0), await changedSince(first)]).toEqual([[a, b], []]);
      await journal.append([{ ...appendOf(b, 1, "2"), summary: "after 2" }, forkOf(c, { agent: a, seq: 2 }, "3c")]);
      expect(await changedSince(first)).toEqual([b, c]);
      expect((await collect(journal.heads({ after: first })))[0]).toEqual(await journal.head(b));
      await journal.append([appendOf(a, 2, "3")]);
      expect((await changedSince(first)).toSorted()).toEqual([a, b, c]);
      expect(await changedSince(await journal.position())).toEqual([]);
    }),
  );

  test(
    "J6: a record's position leads to it, and every position to the newest record of an agent by then",
    inJournal(async (journal) => {
      await journal.append([appendOf(a, 0, "1", "2"), appendOf(b, 0, "1")]);
      await journal.append([appendOf(a, 2, "3")]);
      await journal.append([forkOf(c, { agent: a, seq: 2 }, "3c")]);
      await journal.append([appendOf(b, 1, "2"), appendOf(a, 3, "4")]);
      const all = await orderFrom(journal);
      for (const { agent, seq, position } of all) expect(await journal.positionOf(agent, seq)).toBe(position);
      for (const agent of [a, b, c]) {
        for (let position = 0; position <= all.length + 3; position += 1) {
          const by = all.filter((record) => record.agent === agent && record.position <= position);
          expect(await journal.seqAt(agent, position)).toBe(by.at(-1)?.seq);
        }
      }
      for (const [agent, seq] of [
        [a, 0],
        [a, 5],
        [c, 2],
        [c, 4],
      ] as const) {
        expect(await journal.positionOf(agent, seq)).toBeUndefined();
      }
    }),
  );

  test(
    "a reader that began sees no half of an append, and goes on while others are made",
    inJournal(async (journal) => {
      await journal.append([appendOf(a, 0, ...Array.from({ length: 1_500 }, (_, index) => `${index + 1}`))]);
      const reading = journal.read(a)[Symbol.asyncIterator]();
      const first = await reading.next();
      await journal.append([{ agent: a, expectedSeq: 1_500, records: said("1501", "1502") }]);
      const rest = await collect({ [Symbol.asyncIterator]: () => reading });
      const seqs = [...(first.value ?? []), ...rest].map(({ seq }) => seq);
      expect([1_500, 1_502]).toContain(seqs.length);
      expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, index) => index + 1));
    }),
  );
}
