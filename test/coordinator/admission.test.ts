/** Fan-out: places for children, and the queue behind them. */
import { expect, test } from "vitest";
import { Admission } from "../../src/coordinator/admission.ts";

test("no more than the limit are admitted, the rest in the order they came", () => {
  const admission = new Admission(2);
  expect(["a", "b", "c", "d"].map((child) => admission.admit("p", child))).toEqual([true, true, false, false]);
  expect(admission.leave("p", "a")).toBe("c");
  expect(admission.admit("p", "c")).toBe(true);
  expect(admission.admit("p", "d")).toBe(false);
});

test("children that end together make room for as many others", () => {
  const admission = new Admission(2);
  for (const child of ["a", "b", "c", "d"]) admission.admit("p", child);
  expect([admission.leave("p", "a"), admission.leave("p", "b")]).toEqual(["c", "d"]);
  expect([admission.admit("p", "c"), admission.admit("p", "d")]).toEqual([true, true]);
});

test("one that ends in the queue leaves it, and makes room for nobody", () => {
  const admission = new Admission(1);
  admission.admit("p", "a");
  admission.admit("p", "b");
  expect(admission.leave("p", "b")).toBeUndefined();
  expect(admission.leave("p", "a")).toBeUndefined();
  expect(admission.admit("p", "c")).toBe(true);
});
