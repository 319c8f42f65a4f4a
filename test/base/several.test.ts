import { expect, test } from "vitest";
import { forSeveral } from "../../src/base/several.ts";

test("every item is worked on once, in order, and never more than so many at a time", async () => {
  const begun: number[] = [];
  let [now, most] = [0, 0];
  await forSeveral(
    Array.from({ length: 50 }, (_, index) => index),
    4,
    async (item) => {
      begun.push(item);
      now += 1;
      most = Math.max(most, now);
      for (let turn = 0; turn < item % 5; turn += 1) await Promise.resolve();
      now -= 1;
    },
  );
  expect(begun).toEqual(Array.from({ length: 50 }, (_, index) => index));
  expect(most).toBe(4);
});

test("after a failure nothing more is begun, what is under way is waited for, and the first failure is thrown", async () => {
  const begun: number[] = [];
  const ended: number[] = [];
  const all = forSeveral([0, 1, 2, 3, 4, 5], 2, async (item) => {
    begun.push(item);
    if (item === 1) throw new Error("first");
    await Promise.resolve();
    await Promise.resolve();
    ended.push(item);
    if (item === 0) throw new Error("second");
  });
  await expect(all).rejects.toThrow("first");
  expect([begun, ended]).toEqual([[0, 1], [0]]);
});

test("of no items nothing is done", async () => {
  await forSeveral([], 3, () => Promise.reject(new Error("never")));
});
