/** How many calls may be made again. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { LIMITS } from "../../../src/base/limits.ts";
import { RetryBudget } from "../../../src/coordinator/governor/retry-budget.ts";

test("Y1: repetitions that fail stay within what was saved, what time brings, and a share of the calls that succeed", () => {
  const step = fc.record({
    do: fc.constantFrom("succeed", "repeatInVain", "repeatWell"),
    afterMs: fc.integer({ min: 0, max: 200 }),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 200, maxLength: 800 }), (steps) => {
      const budget = new RetryBudget(0);
      let [nowMs, failed, succeeded] = [0, 0, 0];
      for (const { do: what, afterMs } of steps) {
        nowMs += afterMs;
        if (what === "succeed") {
          budget.earn();
          succeeded += 1;
        } else if (budget.spend(nowMs)) {
          if (what === "repeatWell") budget.giveBack();
          else failed += 1;
        }
        const allowed =
          LIMITS.retriesSavedMax +
          (nowMs / 1_000) * LIMITS.retriesPerSecondMax +
          succeeded * (LIMITS.retryPercentMax / 100);
        expect(failed).toBeLessThanOrEqual(allowed + 1e-3);
      }
    }),
  );
});

test("an empty budget says when there is one again", () => {
  const budget = new RetryBudget(0);
  for (let spent = 0; spent < LIMITS.retriesSavedMax; spent++) expect(budget.spend(0)).toBe(true);
  expect(budget.spend(0)).toBe(false);
  const waitMs = budget.waitMs(0);
  expect(waitMs).toBe(1_000 / LIMITS.retriesPerSecondMax);
  expect(budget.spend(waitMs)).toBe(true);
});
