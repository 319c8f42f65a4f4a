import { describe, expect, test } from "vitest";
import { listPrice, PRICES_DATE } from "../../src/agent/prices.ts";
import { price } from "../../src/agent/usage.ts";

describe("list prices", () => {
  test.each([
    ["claude-sonnet-4-5", 3, 15],
    ["claude-sonnet-4-5-20250929", 3, 15],
    ["claude-opus-4-5-20251101", 5, 25],
    ["claude-opus-4-1-20250805", 15, 75],
    ["claude-haiku-4-5", 1, 5],
    ["claude-3-5-haiku-latest", 0.8, 4],
    ["claude-fable-5-1", 10, 50],
  ])("%s costs $%d in and $%d out", (model, input, output) => {
    expect(listPrice(model)).toMatchObject({ input, output, cacheWrite: input * 1.25 });
    expect(price.safeParse(listPrice(model)).success).toBe(true);
  });

  test("a newer model of a family is not taken for the older one whose name it begins with", () => {
    expect(listPrice("claude-fable-5-1")?.cacheRead).toBe(0.25);
    expect(listPrice("claude-fable-5")?.cacheRead).toBe(1);
    expect(listPrice("claude-opus-4-5")?.input).toBe(5);
    expect(listPrice("claude-opus-4")?.input).toBe(15);
  });

  test.each(["", "gpt-5", "claude", "claude-sonnet", "claude-sonnet-45", "my-claude-sonnet-4", "constructor"])(
    "of %j is not known",
    (model) => {
      expect(listPrice(model)).toBeUndefined();
    },
  );

  test("have a date", () => {
    expect(PRICES_DATE).toMatch(/^20\d\d-\d\d-\d\d$/);
  });
});
