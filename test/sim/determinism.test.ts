import { expect, test } from "vitest";
import { simulate } from "../../sim/simulation.ts";

test.each([3, 11, 42, 77, 123, 480])("seed %i is the same world twice", async (seed) => {
  const [first, second] = [await simulate({ seed, traced: true }), await simulate({ seed, traced: true })];
  expect(second.log).toEqual(first.log);
  expect(second.digest).toBe(first.digest);
  expect(first.events).toBeGreaterThan(0);
});

test("another seed is another world", async () => {
  const [first, second] = [await simulate({ seed: 1 }), await simulate({ seed: 2 })];
  expect(second.digest).not.toBe(first.digest);
});
