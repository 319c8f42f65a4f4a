/** Whose turn it is: trees by what they were given, the deepest agent first. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { AgentId } from "../../../src/base/ids.ts";
import { FairQueue, type Place } from "../../../src/coordinator/fairness/fair-queue.ts";

const SIZE_MAX = 1_000;
const place = (number: number, tree: string, level: number, size: number): Place => ({
  agent: `${number}` as AgentId,
  tree: tree as AgentId,
  level,
  size,
});

test("Q1: what two trees that wait were given differs by no more than their largest requests, and all are served", () => {
  const asked = fc.record({ tree: fc.constantFrom("a", "b", "c"), size: fc.integer({ min: 1, max: SIZE_MAX }) });
  fc.assert(
    fc.property(fc.array(asked, { maxLength: 60 }), (wanted) => {
      const queue = new FairQueue();
      const left = new Map<string, number>();
      for (const [number, { tree, size }] of wanted.entries()) {
        queue.add(place(number, tree, number % 3, size));
        left.set(tree, (left.get(tree) ?? 0) + 1);
      }
      const given = new Map([...left.keys()].map((tree) => [tree, 0]));
      for (let first = queue.first(); first; first = queue.first()) {
        queue.take(first);
        given.set(first.tree, (given.get(first.tree) ?? 0) + first.size);
        left.set(first.tree, (left.get(first.tree) ?? 0) - 1);
        const waiting = [...given].filter(([tree]) => left.get(tree) !== 0).map(([, sum]) => sum);
        if (waiting.length > 1) expect(Math.max(...waiting) - Math.min(...waiting)).toBeLessThanOrEqual(2 * SIZE_MAX);
      }
      expect([queue.length, [...left.values()].every((count) => count === 0)]).toEqual([0, true]);
    }),
  );
});

test("Q2: a tree that comes late does not make up for the time it was away", () => {
  const queue = new FairQueue();
  for (let number = 0; number < 20; number++) queue.add(place(number, "early", 0, 10));
  const serve = () => {
    const first = queue.first();
    if (first) queue.take(first);
    return first?.tree;
  };
  for (let time = 0; time < 10; time++) serve();
  for (let number = 20; number < 24; number++) queue.add(place(number, "late", 0, 10));
  const turns = Array.from({ length: 8 }, serve);
  expect(turns.filter((tree) => tree === "late").length).toBe(4);
});

test("Q2: a tree that leaves and comes back at once does not starve one that stays", () => {
  const queue = new FairQueue();
  for (let number = 0; number < 20; number++) queue.add(place(number, "stays", 0, 10));
  const served = [];
  for (let number = 20; number < 30; number++) {
    // It asks for one thing at a time, and asks again as soon as it has it.
    if (served.at(-1) !== "stays") queue.add(place(number, "returns", 0, 10));
    const first = queue.first();
    if (first) queue.take(first);
    served.push(first?.tree);
  }
  expect(served.filter((tree) => tree === "stays").length).toBe(5);
});

test("within a tree the deepest goes first, and of a level the first that came", () => {
  const queue = new FairQueue();
  for (const [number, level] of [0, 2, 1, 2].entries()) queue.add(place(number, "tree", level, 1));
  const order = [];
  for (let first = queue.first(); first; first = queue.first()) {
    queue.take(first);
    order.push(first.agent);
  }
  expect(order).toEqual(["1", "3", "2", "0"]);
});
