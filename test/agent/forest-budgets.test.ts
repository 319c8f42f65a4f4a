import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Head } from "../../src/agent/state.ts";
import { hasEnded } from "../../src/agent/status.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { idOf } from "../support/commands.ts";
import { grow, isBelow, near, sumOf, trees } from "../support/forests.ts";

const RUNS = { numRuns: 200 };

describe("budgets", () => {
  test("F2: what is spent and reserved together never exceeds a budget that stood when it was reserved", () => {
    const act = fc.record({
      agent: fc.nat(),
      kind: fc.constantFrom(
        "reserve",
        "reserve",
        "start",
        "settle",
        "settle",
        "withdraw",
        "release",
        "cancel",
        "start and cancel",
        "message",
      ),
      cents: fc.nat(120),
      share: fc.nat(100),
    });
    const budgets = fc.array(fc.option(fc.nat(600)), { minLength: 40, maxLength: 40 });
    fc.assert(
      fc.property(trees, budgets, fc.array(act, { maxLength: 120 }), (parents, limits, acts) => {
        const cents = (index: number) => limits[index] ?? null;
        const { forest, heads } = grow(parents, (index) =>
          cents(index) === null ? {} : { budget: { costUsd: Number(cents(index)) / 100 } },
        );
        const pending = new Map<number, number>();
        for (const { agent, kind, cents: amount, share } of acts) {
          const index = agent % heads.length;
          const head = heads[index] as Head;
          const put = (more: Partial<Head>) => {
            heads[index] = { ...head, seq: head.seq + 1, ...more };
            forest.put(heads[index] as Head);
          };
          const reserved = pending.get(index);
          const spend = (usd: number) => ({ costUsd: head.costUsd + usd, reservedUsd: 0 });
          if (hasEnded(head.status)) continue;
          if (kind === "reserve" && reserved === undefined && head.reservedUsd === 0) {
            const shortage = forest.reserve(head.agent, amount / 100);
            if (!shortage) pending.set(index, amount / 100);
            else expect([...forest.path(head.agent)].map((node) => node.head.agent)).toContain(shortage.agent);
          }
          if (kind === "start" && reserved !== undefined) {
            put({ reservedUsd: reserved });
            pending.delete(index);
          }
          // Both in one append: the forest only sees what it came to.
          if (kind === "start and cancel" && reserved !== undefined) {
            put({ ...spend(reserved), status: "cancelled" });
            pending.delete(index);
          }
          if (kind === "settle" && head.reservedUsd > 0) put(spend((head.reservedUsd * share) / 100));
          if (kind === "withdraw" && head.reservedUsd > 0) put({ reservedUsd: 0 });
          if (kind === "release" && reserved !== undefined) {
            forest.release(head.agent);
            pending.delete(index);
          }
          if (kind === "cancel") {
            put({ ...spend(head.reservedUsd), status: "cancelled" });
            forest.release(head.agent);
            pending.delete(index);
          }
          if (kind === "message") put({ activity: "a message came" });
          for (const { head: each, subtree } of forest.nodes()) {
            const limitUsd = each.budget?.costUsd;
            if (limitUsd !== undefined)
              expect(subtree.costUsd + subtree.reservedUsd).toBeLessThanOrEqual(limitUsd + 1e-9);
          }
        }
        const left = new Map([...pending].map(([index, usd]) => [idOf(index), usd]));
        for (const head of heads) expect(forest.get(head.agent)?.subtree).toEqual(near(sumOf(heads, left, head)));
      }),
      { numRuns: 300 },
    );
  });

  const budget = (costUsd: number) => ({ budget: { costUsd } });

  test("allow what fits exactly, and refuse a millionth more, naming whose budget it is", () => {
    const { forest } = grow([0, 0, 1], (index) => (index === 0 ? budget(0.3) : {}));
    expect(forest.reserve(idOf(1), 0.1)).toBeUndefined();
    expect(forest.reserve(idOf(2), 0.200001)).toMatchObject({
      refused: "BUDGET_EXHAUSTED",
      agent: idOf(0),
      why: /\$0\.200000 of the \$0\.3 of agent-0 are left/,
    });
    expect(forest.reserve(idOf(2), 0.2)).toBeUndefined();
    forest.release(idOf(2));
    expect(forest.reserve(idOf(2), 0.2)).toBeUndefined();
  });

  test("refuse nothing that is free, however close to the limit sums of doubles come", () => {
    const { forest, heads } = grow([0, 0], () => budget(0.3));
    forest.put({ ...(heads[0] as Head), costUsd: 0.1 });
    forest.put({ ...(heads[1] as Head), costUsd: 0.2 });
    expect(forest.reserve(idOf(0), 0)).toBeUndefined();
  });

  test("bind through every level: the tightest above decides", () => {
    const { forest } = grow([0, 0, 1, 2], (index) => budget([10, 1, 5, 100][index] ?? 0));
    expect(forest.reserve(idOf(3), 2)).toMatchObject({ agent: idOf(1) });
    expect(forest.reserve(idOf(3), 1)).toBeUndefined();
  });

  test("a change of the budget binds from the next call on", () => {
    const { forest, heads } = grow([0], () => budget(1));
    expect(forest.reserve(idOf(0), 2)).toBeDefined();
    forest.put({ ...(heads[0] as Head), ...budget(2) });
    expect(forest.reserve(idOf(0), 2)).toBeUndefined();
  });

  test("one call at a time: a second reservation is our bug", () => {
    const { forest } = grow([0]);
    forest.reserve(idOf(0), 1);
    expect(() => forest.reserve(idOf(0), 1)).toThrow(/one call at a time/);
  });

  test("a reservation outlives other events of the agent until its call starts", () => {
    const { forest, heads } = grow([0]);
    forest.reserve(idOf(0), 1);
    forest.put({ ...(heads[0] as Head), activity: "a message came" });
    expect(forest.get(idOf(0))?.subtree.reservedUsd).toBe(1);
  });

  test.each<[string, Partial<Head>]>([
    ["cancelled", { status: "cancelled", costUsd: 1 }],
    ["rewound", { costUsd: 1, estimatedUsd: 1 }],
  ])("a reservation is gone when its call started and was %s in one append", (_, more) => {
    const { forest, heads } = grow([0]);
    forest.reserve(idOf(0), 1);
    forest.put({ ...(heads[0] as Head), ...more });
    expect(forest.get(idOf(0))?.subtree).toMatchObject({ costUsd: 1, reservedUsd: 0 });
    expect(forest.reserve(idOf(0), 1)).toBeUndefined();
  });
});

describe("growth", () => {
  test("is bounded by the agents of every budget above, itself and the ended included", () => {
    const { forest, heads } = grow([0, 0, 0], (index) => (index === 0 ? { budget: { agents: 4 } } : {}));
    forest.put({ ...(heads[1] as Head), status: "completed" });
    expect(forest.mayGrow(idOf(1))).toBeUndefined();
    expect(forest.mayGrow(idOf(1), 2)).toMatchObject({ refused: "BUDGET_EXHAUSTED", agent: idOf(0) });
  });

  test("is bounded by the levels of every budget above", () => {
    const { forest } = grow([0, 0, 1], (index) => (index === 1 ? { budget: { levels: 1 } } : {}));
    expect(forest.mayGrow(idOf(1))).toBeUndefined();
    expect(forest.mayGrow(idOf(2))).toMatchObject({ refused: "LEVELS_EXCEEDED", agent: idOf(1) });
    expect(forest.mayGrow(idOf(0))).toBeUndefined();
  });

  test("without a budget is bounded by the limits: levels of a tree, agents of a tree, each tree for itself", () => {
    const deep = grow(Array.from({ length: LIMITS.levelsMax + 1 }, (_, i) => Math.max(0, i - 1)));
    expect(deep.forest.mayGrow(idOf(LIMITS.levelsMax - 1))).toBeUndefined();
    expect(deep.forest.mayGrow(idOf(LIMITS.levelsMax))).toMatchObject({ refused: "LEVELS_EXCEEDED" });
    const { forest } = grow([0, 0, 2]);
    expect(forest.mayGrow(idOf(1), LIMITS.treeAgentsMax - 2)).toBeUndefined();
    expect(forest.mayGrow(idOf(1), LIMITS.treeAgentsMax - 1)).toMatchObject({
      refused: "BUDGET_EXHAUSTED",
      agent: idOf(0),
    });
    expect(forest.mayGrow(idOf(2), LIMITS.treeAgentsMax - 1)).toBeUndefined();
  });

  test("agrees with counting, over random trees and budgets", () => {
    const bounds = fc.array(
      fc.record({ agents: fc.option(fc.integer({ min: 1, max: 12 })), levels: fc.option(fc.nat(5)) }),
      { minLength: 40, maxLength: 40 },
    );
    fc.assert(
      fc.property(trees, bounds, fc.integer({ min: 1, max: 3 }), (parents, limits, count) => {
        const { forest, heads } = grow(parents, (index) => {
          const { agents, levels } = limits[index] ?? { agents: null, levels: null };
          return { budget: { ...(agents !== null && { agents }), ...(levels !== null && { levels }) } };
        });
        for (const head of heads) {
          const above = heads.filter((top) => isBelow(heads, head, top));
          const fits = above.every((top) => {
            const size = heads.filter((each) => isBelow(heads, each, top)).length;
            return (
              size + count <= (top.budget?.agents ?? Infinity) &&
              head.level + 1 - top.level <= (top.budget?.levels ?? Infinity)
            );
          });
          expect(forest.mayGrow(head.agent, count) === undefined).toBe(fits);
        }
      }),
      RUNS,
    );
  });
});
