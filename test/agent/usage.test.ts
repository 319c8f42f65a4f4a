import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addUsage,
  costUsd,
  NO_USAGE,
  type Price,
  price,
  promptTokens,
  type Usage,
  usage,
  worstCaseUsd,
} from "../../src/agent/usage.ts";

const tokens = fc.nat(2_000_000);
const usages: fc.Arbitrary<Usage> = fc.record({ input: tokens, output: tokens, cacheRead: tokens, cacheWrite: tokens });
const rate = fc.double({ min: 0, max: 100, noNaN: true }).map(Math.abs);
const rates = { input: rate, output: rate, cacheRead: rate, cacheWrite: rate };
const prices: fc.Arbitrary<Price> = fc.oneof(
  fc.record(rates),
  fc.record({ ...rates, long: fc.record({ ...rates, promptTokensOver: fc.integer({ min: 1, max: 3_000_000 }) }) }),
);

const FLAT: Price = { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 };
const TIERED: Price = {
  ...FLAT,
  long: { input: 6, output: 22.5, cacheRead: 0.6, cacheWrite: 7.5, promptTokensOver: 200_000 },
};

describe("usage", () => {
  test("adds up class by class; nothing is nothing", () => {
    const one = { input: 1, output: 2, cacheRead: 3, cacheWrite: 4 };
    expect(addUsage(one, { input: 10, output: 20, cacheRead: 30, cacheWrite: 40 })).toEqual({
      input: 11,
      output: 22,
      cacheRead: 33,
      cacheWrite: 44,
    });
    expect(addUsage(one, NO_USAGE)).toEqual(one);
    expect(promptTokens(one)).toBe(8);
    expect(Object.isFrozen(NO_USAGE)).toBe(true);
  });

  test.each([{ input: -1 }, { input: 0.5 }, { input: Number.NaN }, { thinking: 1 }])("is not %o", (wrong) => {
    expect(usage.safeParse({ ...NO_USAGE, ...wrong }).success).toBe(false);
  });
});

describe("cost", () => {
  test("is each class at its own price, for a million tokens", () => {
    expect(costUsd({ input: 1_000_000, output: 0, cacheRead: 0, cacheWrite: 0 }, FLAT)).toBe(3);
    expect(costUsd({ input: 0, output: 1_000_000, cacheRead: 0, cacheWrite: 0 }, FLAT)).toBe(15);
    expect(costUsd({ input: 0, output: 0, cacheRead: 1_000_000, cacheWrite: 0 }, FLAT)).toBe(0.3);
    expect(costUsd({ input: 0, output: 0, cacheRead: 0, cacheWrite: 1_000_000 }, FLAT)).toBe(3.75);
    expect(costUsd(NO_USAGE, FLAT)).toBe(0);
  });

  test("is that of the long tier for all tokens, once the prompt, cached parts included, is over its bound", () => {
    const at = (input: number, cacheRead: number) =>
      costUsd({ input, output: 1_000, cacheRead, cacheWrite: 0 }, TIERED);
    expect(at(100_000, 100_000)).toBeCloseTo((100_000 * 3 + 1_000 * 15 + 100_000 * 0.3) / 1e6, 12);
    expect(at(100_000, 100_001)).toBeCloseTo((100_000 * 6 + 1_000 * 22.5 + 100_001 * 0.6) / 1e6, 12);
  });

  test("grows with every token", () => {
    fc.assert(
      fc.property(
        usages,
        fc.record(rates),
        fc.constantFrom("input", "output", "cacheRead", "cacheWrite"),
        (of, at, kind) => {
          expect(costUsd({ ...of, [kind]: of[kind] + 1 }, at)).toBeGreaterThanOrEqual(costUsd(of, at));
        },
      ),
    );
  });
});

describe("the worst case", () => {
  test("F2: is never less than what any call within its bounds costs, in either tier", () => {
    fc.assert(
      fc.property(usages, prices, fc.nat(100_000), fc.nat(100_000), (of, at, morePrompt, moreOutput) => {
        const worst = worstCaseUsd(promptTokens(of) + morePrompt, of.output + moreOutput, at);
        // Sums of doubles round in the last place, far below a billionth of a dollar.
        expect(worst * (1 + 1e-12)).toBeGreaterThanOrEqual(costUsd(of, at));
      }),
      { numRuns: 1_000 },
    );
  });

  test("is reached: it promises no more than it must", () => {
    const all = (promptTokensMax: number): Usage => ({
      input: 0,
      output: 500,
      cacheRead: 0,
      cacheWrite: promptTokensMax,
    });
    for (const [prompt, at] of [
      [1_000, FLAT],
      [200_000, TIERED],
      [200_001, TIERED],
    ] as const) {
      expect(worstCaseUsd(prompt, 500, at)).toBeCloseTo(costUsd(all(prompt), at), 12);
    }
  });

  test("counts the short tier too where the long one is cheaper: the prompt may turn out short", () => {
    const cheapLong: Price = {
      ...FLAT,
      long: { input: 1, output: 1, cacheRead: 1, cacheWrite: 1, promptTokensOver: 1_000 },
    };
    expect(worstCaseUsd(1_001, 1_000_000, cheapLong)).toBeGreaterThanOrEqual(15);
  });
});

test.each([
  { input: -1 },
  { output: Number.POSITIVE_INFINITY },
  { long: { ...FLAT, promptTokensOver: 0 } },
  { thinking: 1 },
])("a price is not %o", (wrong) => {
  expect(price.safeParse({ ...FLAT, ...wrong }).success).toBe(false);
  expect(price.safeParse(TIERED).success).toBe(true);
});
