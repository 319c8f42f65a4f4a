import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Forest } from "../../src/agent/forest.ts";
import type { Node } from "../../src/agent/forest-node.ts";
import type { Head } from "../../src/agent/state.ts";
import { hasEnded, type Status } from "../../src/agent/status.ts";
import { addUsage } from "../../src/agent/usage.ts";
import { idOf, usageOf } from "../support/commands.ts";
import { grow, headOf, isBelow, near, sumOf, trees } from "../support/forests.ts";
import { at } from "../support/journeys.ts";

const RUNS = { numRuns: 200 };

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
