/** Heads in columns and back, and the forest that is planted with them. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Forest } from "../../src/agent/forest.ts";
import { HeadColumns, HeadColumnsWriter } from "../../src/agent/head-columns.ts";
import type { Head } from "../../src/agent/state.ts";
import { STATUSES, WAITS } from "../../src/agent/status.ts";
import { idOf, usageOf } from "../support/commands.ts";
import { grow, near, sumOf, trees } from "../support/forests.ts";

const usd = fc.nat(1_000_000).map((micros) => micros / 1e6);
const more = fc.record<Partial<Head>>(
  {
    seq: fc.integer({ min: 1, max: 2 ** 40 }),
    time: fc.integer({ min: 0, max: 2 ** 45 }),
    status: fc.constantFrom(...STATUSES),
    waitingFor: fc.constantFrom(null, ...WAITS),
    held: fc.boolean(),
    interrupted: fc.constantFrom(true, undefined),
    turns: fc.nat(),
    usage: fc.nat(10_000).map(usageOf),
    costUsd: usd,
    estimatedUsd: usd,
    reservedUsd: usd,
    childrenLive: fc.nat(9),
    childrenTotal: fc.nat(9),
    processes: fc.constantFrom(undefined, 0, 3),
    name: fc.constantFrom("one", "two", "three"),
    activity: fc.string(),
    tenant: fc.constantFrom(undefined, "acme"),
    budget: fc.constantFrom(null, { costUsd: 5, agents: 7 }),
    mode: fc.constantFrom("task", "chat"),
    origin: fc.constantFrom(null, { agent: idOf(900), seq: 3 }),
    error: fc.constantFrom(null, { code: "MODEL_FAILED" as const, message: "ü\n" }),
    artifacts: fc.constantFrom(
      [],
      [{ name: "a", digest: `sha256:${"0".repeat(64)}`, bytes: 3, mediaType: "text/plain" }],
    ),
  },
  { requiredKeys: [] },
);
const fleets = fc
  .tuple(trees, fc.array(more, { minLength: 40, maxLength: 40 }))
  .map(([parents, chances]) => grow(parents, (index) => chances[index] ?? {}));

function written(heads: readonly Head[], note: unknown = null): Buffer {
  const writer = new HeadColumnsWriter();
  for (const head of heads) writer.add(head);
  return writer.bytes(note);
}

test("H1: every head is read back as it was, and what was noted of them", () => {
  fc.assert(
    fc.property(fleets, fc.jsonValue(), ({ heads }, note) => {
      // Read from any place in memory: numbers must be found wherever the bytes begin.
      for (const offset of [0, 3]) {
        const bytes = written(heads, note);
        const columns = new HeadColumns(Buffer.concat([Buffer.alloc(offset), bytes]).subarray(offset));
        expect([columns.count, columns.note]).toEqual([heads.length, JSON.parse(JSON.stringify(note))]);
        for (const [at, head] of heads.entries()) {
          expect(columns.head(at)).toEqual(head);
          expect(head).toMatchObject(columns.brief(at));
        }
      }
    }),
    { numRuns: 100 },
  );
});

test("H2: bytes that are cut, longer, or of another format are refused", () => {
  const { heads } = grow([0, 0, 1]);
  const bytes = written(heads);
  for (let at = 0; at < bytes.length; at += 1)
    expect(() => new HeadColumns(bytes.subarray(0, at)), `cut at ${at}`).toThrow();
  expect(() => new HeadColumns(Buffer.concat([bytes, Buffer.of(0)]))).toThrow();
  const other = Buffer.from(bytes.toString("latin1").replace('"format":1', '"format":9'), "latin1");
  expect(() => new HeadColumns(other)).toThrow();
});

test("F1, F3: a forest that is planted with columns is the one that heads were put into, and goes on as it would", () => {
  fc.assert(
    fc.property(fleets, fc.array(fc.tuple(fc.nat(), more), { maxLength: 20 }), ({ forest, heads }, changes) => {
      const planted = new Forest();
      planted.plantColumns(new HeadColumns(written(heads)));
      const same = () => {
        expect(planted.size).toBe(forest.size);
        for (const { agent } of heads) {
          const [a, b] = [planted.get(agent), forest.get(agent)];
          expect(a?.children.map((child) => child.agent)).toEqual(b?.children.map((child) => child.agent));
          expect([a?.parent?.agent, planted.status(agent), planted.isOrphan(agent)]).toEqual([
            b?.parent?.agent,
            forest.status(agent),
            forest.isOrphan(agent),
          ]);
        }
      };
      same();
      for (const [chance, change] of changes) {
        const index = chance % heads.length;
        const { reservedUsd: _, name: __, ...rest } = change;
        heads[index] = { ...(heads[index] as Head), ...rest };
        planted.put(heads[index] as Head);
        forest.put(heads[index] as Head);
      }
      same();
      const reserved = new Map(heads.map(({ agent }) => [agent, forest.get(agent)?.subtree.reservedUsd ?? 0]));
      for (const head of heads) {
        const sums = planted.get(head.agent)?.subtree;
        expect(sums).toEqual({
          ...near(sumOf(heads, new Map(), head)),
          reservedUsd: expect.closeTo(reserved.get(head.agent) ?? 0, 6),
        });
        expect(planted.get(head.agent)?.head).toEqual(head);
      }
    }),
    { numRuns: 100 },
  );
});
