import { expect, test } from "vitest";
import { closestName } from "../../src/runtime/closest.ts";

const known = ["runningMax", "dataDir", "model", "forksPerMinute"];

test.each([
  ["runingMax", "runningMax"],
  ["RUNNINGMAX", "runningMax"],
  ["runnignMax", "runningMax"],
  ["dataDri", "dataDir"],
  ["modle", "model"],
  ["forkPerMinute", "forksPerMinute"],
])("%s was probably meant as %s", (given, meant) => {
  expect(closestName(given, known)).toBe(meant);
});

test.each(["", "x", "completelyDifferent", "__proto__", "x".repeat(100_000)])("%s is near to none", (given) => {
  expect(closestName(given, known)).toBeUndefined();
});
