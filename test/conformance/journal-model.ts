/** Random lives of a store, against a naive model of it (J1 to J4, J6). A failure prints the seed that repeats it. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Append, Journal, JournalHead, Origin, StoredRecord } from "../../src/journal/journal.ts";
import { headsOf, idOf, inWorld, type MakeWorld, orderFrom, readAll, said } from "./journal-world.ts";

interface Log {
  readonly agent: string;
  readonly origin: Origin | undefined;
  readonly records: StoredRecord[];
  summary: JournalHead["summary"];
}

/** What the store should hold. */
class Model {
  readonly logs = new Map<string, Log>();
  readonly order: StoredRecord[] = [];

  seqOf(agent: string): number {
    const log = this.logs.get(agent);
    return log ? (log.records.at(-1)?.seq ?? 0) : 0;
  }

  apply(appends: readonly Append[]): void {
    for (const { agent, origin, expectedSeq, records, summary } of appends) {
      const log = this.logs.get(agent) ?? { agent, origin, records: [], summary: undefined };
      this.logs.set(agent, log);
      for (const [index, record] of records.entries()) {
        const stored = { ...record, agent, seq: expectedSeq + index + 1, position: this.order.length + 1 };
        log.records.push(stored);
        this.order.push(stored);
      }
      if (summary !== undefined) log.summary = { seq: expectedSeq + records.length, text: summary };
    }
  }
}

/** One append of a group: to whom, from where, of what, and how wrong about the sequence. */
interface Wish {
  readonly agent: number;
  readonly forkFrom: number | null;
  readonly at: number;
  readonly texts: readonly string[];
  readonly summary: string | null;
  readonly stale: boolean;
}

type Step = { readonly do: "append"; readonly groups: readonly (readonly Wish[])[] } | { readonly do: "reopen" };

const wish: fc.Arbitrary<Wish> = fc.record({
  agent: fc.nat(11),
  forkFrom: fc.option(fc.nat(11)),
  at: fc.nat(),
  texts: fc.array(fc.string({ unit: "grapheme", maxLength: 40 }), { minLength: 1, maxLength: 5 }),
  summary: fc.option(fc.string()),
  stale: fc.nat(6).map((toss) => toss === 0),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("append" as const), groups: groupsOf(wish) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reopen" as const) }) },
);

function groupsOf(one: fc.Arbitrary<Wish>): fc.Arbitrary<Wish[][]> {
  return fc.array(fc.uniqueArray(one, { minLength: 1, maxLength: 3, selector: ({ agent }) => agent }), {
    minLength: 1,
    maxLength: 5,
  });
}

export function modelSuite(make: MakeWorld): void {
  test("J1, J2, J3, J4, J6: random appends, forks and reopenings leave what a naive model holds", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), fc.nat(), (steps, probe) =>
        inWorld(make, async (world) => {
          const model = new Model();
          let journal = await world.open();
          for (const each of steps) {
            if (each.do === "append") await appendAll(journal, model, each.groups);
            else {
              await journal.close();
              journal = await world.open();
            }
          }
          await compare(journal, model, probe);
        }),
      ),
      { numRuns: 15 },
    );
  });
}

/** All groups in one turn of the event loop: those that are refused must not touch the others. */
async function appendAll(journal: Journal, model: Model, groups: readonly (readonly Wish[])[]): Promise<void> {
  const pending: Promise<void>[] = [];
  const expected: string[] = [];
  for (const group of groups) {
    const appends = group.map((one) => appendOf(model, one));
    const isRefused = group.some(({ stale }) => stale);
    pending.push(journal.append(appends));
    expected.push(isRefused ? "rejected" : "fulfilled");
    if (!isRefused) model.apply(appends);
  }
  expect((await Promise.allSettled(pending)).map(({ status }) => status)).toEqual(expected);
}

function appendOf(model: Model, { agent, forkFrom, at, texts, summary, stale }: Wish): Append {
  const id = idOf(agent);
  const log = model.logs.get(id);
  const past = forkFrom === null || log ? [] : (model.logs.get(idOf(forkFrom))?.records ?? []);
  const origin = past[at % past.length];
  return {
    agent: id,
    expectedSeq: (origin?.seq ?? model.seqOf(id)) + (stale ? 1 : 0),
    ...(origin && { origin: { agent: origin.agent, seq: origin.seq } }),
    records: said(...texts),
    ...(summary !== null && { summary }),
  };
}

async function compare(journal: Journal, model: Model, probe: number): Promise<void> {
  const heads: JournalHead[] = [...model.logs.values()].map(({ agent, origin, records, summary }) => ({
    agent,
    origin,
    seq: records.at(-1)?.seq ?? 0,
    summary,
  }));
  expect(await headsOf(journal)).toEqual(heads);
  expect(await journal.position()).toBe(model.order.length);
  const from = probe % (model.order.length + 1);
  expect(await orderFrom(journal, from)).toEqual(model.order.slice(from));
  for (const { agent, records } of model.logs.values()) {
    expect(await readAll(journal, agent)).toEqual(records);
    const some = records[probe % records.length] as StoredRecord;
    expect(await readAll(journal, agent, { from: some.seq, to: some.seq + 1 })).toEqual(
      records.filter(({ seq }) => seq === some.seq || seq === some.seq + 1),
    );
    expect(await journal.positionOf(agent, some.seq)).toBe(some.position);
    expect(await journal.seqAt(agent, from)).toBe(records.findLast(({ position }) => position <= from)?.seq);
  }
  expect(await journal.verify()).toEqual({ agents: heads.length, records: model.order.length, damaged: [] });
}
