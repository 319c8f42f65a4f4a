import { expect, test } from "vitest";
import { ManualClock } from "../../src/base/clock.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { RecentAnswers } from "../../src/server/recent.ts";

const LARGE = 100_000;

test("A1: of a small fleet every answer is new; of a large one it is so after a moment", async () => {
  const clock = new ManualClock();
  const recent = new RecentAnswers(clock);
  let made = 0;
  const make = async () => ++made;
  expect([await recent.get("a", 10, make), await recent.get("a", 10, make)]).toEqual([1, 2]);
  expect([await recent.get("a", LARGE, make), await recent.get("b", LARGE, make)]).toEqual([3, 4]);
  clock.advance(LIMITS.countsMs - 1);
  expect([await recent.get("a", LARGE, make), await recent.get("b", LARGE, make)]).toEqual([3, 4]);
  clock.advance(1);
  expect(await recent.get("a", LARGE, make)).toBe(5);
});

test("A2: who asks while an answer is made gets that one; a failure is nobody else's", async () => {
  const recent = new RecentAnswers(new ManualClock());
  const held = Promise.withResolvers<string>();
  const asked = [recent.get("a", LARGE, () => held.promise), recent.get("a", LARGE, async () => "another")];
  held.resolve("one");
  expect(await Promise.all(asked)).toEqual(["one", "one"]);
  await expect(recent.get("b", LARGE, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await recent.get("b", LARGE, async () => "yes")).toBe("yes");
});

test("A3: the oldest goes when there are too many", async () => {
  const recent = new RecentAnswers(new ManualClock());
  for (let at = 0; at <= LIMITS.countsKeptMax; at++) await recent.get(`${at}`, LARGE, async () => "first");
  expect(await recent.get("0", LARGE, async () => "again")).toBe("again");
  expect(await recent.get(`${LIMITS.countsKeptMax}`, LARGE, async () => "again")).toBe("first");
});
