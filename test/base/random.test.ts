import { describe, expect, test } from "vitest";
import { pick, type Random, randomInt, seededRandom, systemRandom } from "../../src/base/random.ts";

const draw = (random: Random, count: number) => Array.from({ length: count }, () => random.next());

describe("seededRandom", () => {
  test("repeats from a seed", () => {
    expect(draw(seededRandom(42), 100)).toEqual(draw(seededRandom(42), 100));
    expect(seededRandom(42).bytes(64)).toEqual(seededRandom(42).bytes(64));
  });

  test("is the same on every version: these draws never change", () => {
    expect(draw(seededRandom(1), 3).map((value) => value * 2 ** 32)).toEqual([
      2_420_951_833, 2_513_034_076, 3_847_892_949,
    ]);
  });

  test("differs between neighbouring seeds, zero and negative ones included", () => {
    const firsts = [-2, -1, 0, 1, 2, 3].map((seed) => draw(seededRandom(seed), 2).join());
    expect(new Set(firsts).size).toBe(firsts.length);
  });
});

describe.each([
  ["seededRandom", () => seededRandom(7)],
  ["systemRandom", () => systemRandom],
])("%s", (_, create) => {
  test("is uniform enough: chi-square of 100,000 draws over 100 bins", () => {
    const random = create();
    const bins = new Array<number>(100).fill(0);
    for (const value of draw(random, 100_000)) {
      expect(value >= 0 && value < 1).toBe(true);
      const bin = Math.floor(value * 100);
      bins[bin] = (bins[bin] ?? 0) + 1;
    }
    const chiSquare = bins.reduce((sum, count) => sum + (count - 1_000) ** 2 / 1_000, 0);
    // 99 degrees of freedom: above 180 once in a million runs (Wilson-Hilferty).
    expect(chiSquare).toBeLessThan(180);
  });

  test("fills bytes of every value", () => {
    const bytes = create().bytes(20_000);
    expect(bytes.length).toBe(20_000);
    expect(new Set(bytes).size).toBe(256);
  });

  test("randomInt and pick reach every choice and nothing else", () => {
    const random = create();
    const seen = new Set(Array.from({ length: 500 }, () => randomInt(random, 5)));
    expect([...seen].toSorted()).toEqual([0, 1, 2, 3, 4]);
    const picked = new Set(Array.from({ length: 500 }, () => pick(random, ["a", "b", "c"])));
    expect([...picked].toSorted()).toEqual(["a", "b", "c"]);
  });
});
