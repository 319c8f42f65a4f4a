import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Forest, type Node, type Sums } from "../../src/agent/forest.ts";
import type { Head } from "../../src/agent/state.ts";
import { hasEnded, type Status } from "../../src/agent/status.ts";
import { addUsage, NO_USAGE } from "../../src/agent/usage.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { headOf } from "../support/heads.ts";
import { at, idOf, usageOf } from "../support/journeys.ts";

const RUNS = { numRuns: 200 };

/** A forest of these parents: agent `i` is a child of agent `parents[i]`, or a root where that is `i` itself. */
function grow(
  parents: readonly number[],
  more: (index: number) => Partial<Head> = () => ({}),
): { forest: Forest; heads: Head[] } {
  const forest = new Forest();
  const heads: Head[] = [];
  parents.forEach((parent, index) => {
    heads.push(headOf(index, parent === index ? undefined : heads[parent], more(index)));
    forest.put(heads[index] as Head);
  });
  return { forest, heads };
}

/** Parents of up to so many agents, most of them children of recent ones, so that trees get deep. */
const trees = fc
  .array(fc.record({ any: fc.nat(), root: fc.nat(9) }), { minLength: 1, maxLength: 40 })
  .map((chances) => chances.map(({ any, root }, i) => (i === 0 || root === 0 ? i : any % 3 === 0 ? any % i : i - 1)));

function isBelow(heads: readonly Head[], agent: Head, top: Head): boolean {
  for (let each: Head | undefined = agent; each; ) {
    if (each.agent === top.agent) return true;
    const { parent }: Head = each;
    each = heads.find((other) => other.agent === parent);
  }
  return false;
}

function sumOf(heads: readonly Head[], reserved: ReadonlyMap<string, number>, top: Head): Sums {
  const all = heads.filter((head) => isBelow(heads, head, top));
  const add = (of: (head: Head) => number) => all.reduce((sum, head) => sum + of(head), 0);
  return {
    agents: all.length,
    live: all.filter(({ status }) => !hasEnded(status)).length,
    turns: add(({ turns }) => turns),
    usage: all.reduce((sum, { usage }) => addUsage(sum, usage), NO_USAGE),
    costUsd: add(({ costUsd }) => costUsd),
    estimatedUsd: add(({ estimatedUsd }) => estimatedUsd),
    reservedUsd: add(({ agent, reservedUsd }) => reserved.get(agent) ?? reservedUsd),
  };
}

const near = ({ costUsd, estimatedUsd, reservedUsd, ...rest }: Sums) => ({
  ...rest,
  costUsd: expect.closeTo(costUsd, 6),
  estimatedUsd: expect.closeTo(estimatedUsd, 6),
  reservedUsd: expect.closeTo(reservedUsd, 6),
});

const change = fc.record({
  agent: fc.nat(),
  kind: fc.constantFrom("spend", "end", "go on", "hold", "turn", "reserve", "start", "release", "message"),
  amount: fc.nat(1_000),
});

describe("the sums of a subtree", () => {
  test("F3: equal the sums over its agents, after any updates", () => {
    fc.assert(
      fc.property(trees, fc.array(change, { maxLength: 60 }), (parents, changes) => {
        const { forest, heads } = grow(parents);
        const reserved = new Map<string, number>();
        for (const { agent, kind, amount } of changes) {
          const index = agent % heads.length;
          const head = heads[index] as Head;
          const put = (more: Partial<Head>) => {
            heads[index] = { ...head, seq: head.seq + 1, ...more };
            forest.put(heads[index] as Head);
          };
          const usd = (amount + 1) / 3;
          if (kind === "spend")
            put({ costUsd: head.costUsd + usd, estimatedUsd: head.estimatedUsd + usd / 2, reservedUsd: 0 });
          if (kind === "turn") put({ turns: head.turns + 1, usage: addUsage(head.usage, usageOf(amount)) });
          if (kind === "end") put({ status: at<Status>(["completed", "failed", "cancelled"], amount), reservedUsd: 0 });
          if (kind === "go on") put({ status: "queued" });
          if (kind === "hold") put({ held: !head.held });
          if (kind === "message") put({ activity: "a message came" });
          if (kind === "spend" || kind === "end") reserved.delete(head.agent);
          if (kind === "release") {
            forest.release(head.agent);
            reserved.delete(head.agent);
          }
          if (kind === "reserve" && head.reservedUsd === 0 && !reserved.get(head.agent) && !hasEnded(head.status)) {
            expect(forest.reserve(head.agent, usd)).toBeUndefined();
            reserved.set(head.agent, usd);
          }
          const waiting = reserved.get(head.agent);
          if (kind === "start" && waiting !== undefined && !hasEnded(head.status)) {
            put({ reservedUsd: waiting });
            reserved.delete(head.agent);
          }
        }
        for (const head of heads) expect(forest.get(head.agent)?.subtree).toEqual(near(sumOf(heads, reserved, head)));
        for (const head of heads) {
          const top = heads.find(({ agent }) => agent === head.root) as Head;
          const own = reserved.get(head.agent) ?? head.reservedUsd;
          const beside = sumOf(heads, reserved, top).reservedUsd - own;
          expect(forest.reservedBeside(head.agent, top.agent)).toBeCloseTo(beside, 6);
        }
      }),
      RUNS,
    );
  });

  test("do not drift: a million cents are ten thousand dollars, and what was reserved comes to nothing again", () => {
    const { forest, heads } = grow([0, 0]);
    const [, child] = heads;
    for (let i = 1; i <= 100_000; i++)
      forest.put({ ...(child as Head), costUsd: i / 10, reservedUsd: i % 2 ? 0.1 : 0 });
    expect(forest.get(idOf(0))?.subtree).toMatchObject({ costUsd: 10_000, reservedUsd: 0 });
  });
});

describe("holds", () => {
  test("F1: cover the agent they are set on and all below it, those born later included; the nearest one is named", () => {
    fc.assert(
      fc.property(trees, fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }), (parents, held) => {
        const forest = new Forest();
        const heads: Head[] = [];
        parents.forEach((parent, index) => {
          heads.push(headOf(index, parent === index ? undefined : heads[parent], { held: held[index] === true }));
          forest.put(heads[index] as Head);
          const path = [...forest.path(idOf(index))];
          expect(path.map(({ head }) => head.level)).toEqual(path.map((_, up) => (heads[index] as Head).level - up));
          const nearest = path.find(({ head }) => head.held);
          expect(forest.holder(idOf(index))).toBe(nearest);
          expect(forest.status(idOf(index))).toBe(nearest ? "held" : "queued");
        });
        for (const top of heads.filter((head) => head.held)) {
          forest.put({ ...top, held: false });
          for (const { head } of forest.subtree(top.agent))
            expect(forest.holder(head.agent)?.head.agent).not.toBe(top.agent);
          forest.put(top);
        }
      }),
      RUNS,
    );
  });

  test("show on what has not ended", () => {
    const { forest, heads } = grow([0, 0, 0]);
    const [root, one, two] = heads as [Head, Head, Head];
    forest.put({ ...root, held: true });
    forest.put({ ...one, status: "completed" });
    forest.put({ ...two, status: "waiting" });
    expect([root, one, two].map(({ agent }) => forest.status(agent))).toEqual(["held", "completed", "held"]);
  });
});

describe("the links", () => {
  test("a subtree is the agent and all below it, parents before children, in the order of spawning", () => {
    fc.assert(
      fc.property(trees, (parents) => {
        const { forest, heads } = grow(parents);
        expect(forest.size).toBe(heads.length);
        expect([...forest.nodes()].map(({ head }) => head)).toEqual(heads);
        expect(forest.roots().map(({ head }) => head)).toEqual(heads.filter(({ parent }) => parent === null));
        for (const top of heads) {
          const subtree = [...forest.subtree(top.agent)];
          expect(new Set(subtree.map(({ head }) => head))).toEqual(
            new Set(heads.filter((head) => isBelow(heads, head, top))),
          );
          const seen = new Set<Node | undefined>([forest.get(top.agent)?.parent]);
          for (const node of subtree) {
            expect(seen.has(node.parent)).toBe(true);
            seen.add(node);
            const order = node.children.map(({ head }) => heads.indexOf(head));
            expect(order).toEqual(order.toSorted((a, b) => a - b));
          }
        }
      }),
      RUNS,
    );
  });

  test("an agent is an orphan when anything above it has ended, not when it has itself", () => {
    const { forest, heads } = grow([0, 0, 1]);
    const orphans = () => heads.map(({ agent }) => forest.isOrphan(agent));
    expect(orphans()).toEqual([false, false, false]);
    forest.put({ ...(heads[1] as Head), status: "failed" });
    expect(orphans()).toEqual([false, false, true]);
    forest.put({ ...(heads[0] as Head), status: "cancelled" });
    expect(orphans()).toEqual([false, true, true]);
  });

  test("of an agent that is not known there are none; a child before its parent is our bug", () => {
    const forest = new Forest();
    expect([forest.get(idOf(1)), forest.holder(idOf(1)), [...forest.path(idOf(1))]]).toEqual([
      undefined,
      undefined,
      [],
    ]);
    const orphan = headOf(2, headOf(1));
    for (const wrong of [
      () => forest.put(orphan),
      () => forest.status(idOf(1)),
      () => [...forest.subtree(idOf(1))],
      () => forest.reserve(idOf(1), 1),
    ]) {
      expect(wrong).toThrow(expect.objectContaining({ code: "INTERNAL" }));
    }
  });
});

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
