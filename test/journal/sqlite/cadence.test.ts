/** When the two threads overlap: from the times it is told of, whatever the machine. */
import { expect, test } from "vitest";
import { Cadence } from "../../../src/journal/sqlite/cadence.ts";

/** A cadence that has measured a steady sync and a steady work of each agent. */
function measured(syncMs: number, workMs: number): Cadence {
  let nowMs = 0;
  const cadence = new Cadence({ monotonic: () => nowMs });
  for (let times = 0; times < 50; times += 1) {
    cadence.synced(syncMs);
    const done = cadence.answered(10);
    nowMs += 10 * workMs;
    done();
  }
  return cadence;
}

test("they overlap when the work of all takes longer than a sync, and take turns when it does not", () => {
  const cadence = measured(1, 0.03);
  expect([2, 20, 33].map((count) => cadence.overlaps(count))).toEqual([false, false, false]);
  expect([34, 100, 10_000].map((count) => cadence.overlaps(count))).toEqual([true, true, true]);
  expect(measured(20, 0.03).overlaps(100)).toBe(false);
});

test("one agent alone is never split, and before anything is measured nothing is", () => {
  expect(measured(0.1, 10).overlaps(1)).toBe(false);
  expect(new Cadence({ monotonic: () => 0 }).overlaps(100)).toBe(false);
});

test("a disk that becomes slow is noticed within a few commits", () => {
  const cadence = measured(1, 0.03);
  for (let times = 0; times < 5; times += 1) cadence.synced(20);
  expect(cadence.overlaps(100)).toBe(false);
});
