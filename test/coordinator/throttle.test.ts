import { expect, test } from "vitest";
import { ManualClock } from "../../src/base/clock.ts";
import { Throttle } from "../../src/coordinator/throttle.ts";

/** Passes `count` times at once; what is returned counts those that came through. */
function passing(throttle: Throttle, key: string, count: number) {
  const through: number[] = [];
  for (let index = 0; index < count; index++) void throttle.pass(key).then(() => through.push(index));
  return through;
}

const settled = async () => {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
};

test("a burst passes at once, the rest at the rate, in the order they came", async () => {
  const clock = new ManualClock();
  const through = passing(new Throttle(clock, { perMinute: 60, burst: 3 }), "tree", 6);
  await settled();
  expect(through).toEqual([0, 1, 2]);
  clock.advance(999);
  await settled();
  expect(through).toEqual([0, 1, 2]);
  clock.advance(1);
  await settled();
  expect(through).toEqual([0, 1, 2, 3]);
  clock.advance(2_000);
  await settled();
  expect(through).toEqual([0, 1, 2, 3, 4, 5]);
});

test("keys do not wait for each other, and time that went unused is not saved up beyond the burst", async () => {
  const clock = new ManualClock();
  const throttle = new Throttle(clock, { perMinute: 60, burst: 1 });
  const [one, other] = [passing(throttle, "one", 2), passing(throttle, "other", 1)];
  await settled();
  expect([one, other]).toEqual([[0], [0]]);
  clock.advance(3_600_000);
  await settled();
  const later = passing(throttle, "one", 2);
  await settled();
  expect([one, later]).toEqual([[0, 1], [0]]);
});

test("one that gives up waiting leaves no timer", async () => {
  const clock = new ManualClock();
  const throttle = new Throttle(clock, { perMinute: 1, burst: 1 });
  await throttle.pass("tree");
  const abort = new AbortController();
  const waiting = throttle.pass("tree", abort.signal);
  abort.abort(new Error("no more"));
  await expect(waiting).rejects.toThrow("no more");
  expect(clock.pending).toBe(0);
});

test("keys of long ago are forgotten", async () => {
  const clock = new ManualClock();
  const throttle = new Throttle(clock, { perMinute: 60, burst: 1 });
  for (let index = 0; index < 2_000; index++) {
    clock.advance(1_000);
    await throttle.pass(`tree ${index}`);
  }
  const again = passing(throttle, "tree 0", 1);
  await settled();
  expect(again).toEqual([0]);
});
