import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { List } from "../../src/agent/list.ts";

const unpack = async () => undefined;

describe("List", () => {
  test("reads from both ends, and nothing beyond them", () => {
    const list = List.of("a", "b", "c");
    expect([0, 2, -1, -3].map((index) => list.at(index))).toEqual(["a", "c", "c", "a"]);
    expect([3, -4, 100, -100].map((index) => list.at(index))).toEqual([undefined, undefined, undefined, undefined]);
  });

  test("an older version does not see what was appended to a newer one", () => {
    const past = List.of(1);
    const future = past.append(2);
    expect([past.length, past.at(1), past.at(-1), past.includes(2)]).toEqual([1, undefined, 1, false]);
    expect([...past]).toEqual([1]);
    expect([...future]).toEqual([1, 2]);
  });

  test("two futures of one past do not see each other", () => {
    const past = List.of(1);
    const one = past.append(2).append(3);
    const other = past.append(4);
    expect([[...one], [...other], [...past]]).toEqual([[1, 2, 3], [1, 4], [1]]);
  });

  test("what is taken from a list can grow without changing the list", () => {
    const list = List.of(1, 2, 3);
    const taken = list.take(1);
    expect([...taken.append(9)]).toEqual([1, 9]);
    expect([...list]).toEqual([1, 2, 3]);
    expect([...list.take(9)]).toEqual([1, 2, 3]);
    expect([...list.take(0)]).toEqual([]);
  });

  test("countWhile finds the place where a condition turns false", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50)), fc.integer({ min: -1, max: 51 }), (items, bound) => {
        const sorted = items.toSorted((a, b) => a - b);
        const count = sorted.filter((item) => item <= bound).length;
        expect(List.of(...sorted).countWhile((item) => item <= bound)).toBe(count);
      }),
    );
  });

  test("any version, whatever was made of it or of another since, is what a copied array would be", () => {
    const step = fc.record({ from: fc.nat(), take: fc.option(fc.nat(20)), item: fc.nat(30) });
    const packed = fc.array(fc.nat(30), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), packed, (steps, past) => {
        const versions: { list: List<number>; model: number[] }[] = [
          { list: List.of(), model: [] },
          { list: List.over({ length: past.length, at: (index) => past[index] as number, unpack }), model: past },
        ];
        for (const { from, take, item } of steps) {
          const base = versions[from % versions.length];
          if (!base) throw new Error("there is always a version");
          const list = take === null ? base.list.append(item) : base.list.take(take);
          const model = take === null ? [...base.model, item] : base.model.slice(0, take);
          versions.push({ list, model });
        }
        for (const { list, model } of versions) {
          expect([...list]).toEqual(model);
          expect([list.length, list.at(0), list.at(-1)]).toEqual([model.length, model.at(0), model.at(-1)]);
          expect(list.slice(2, 6)).toEqual(model.slice(2, 6));
          for (const item of [0, 7, 30]) expect(list.includes(item)).toBe(model.includes(item));
        }
      }),
      { numRuns: 50 },
    );
  });
});
