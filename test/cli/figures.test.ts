import fc from "fast-check";
import { expect, test } from "vitest";
import { byteSize, compact, dollars, duration, plural } from "../../src/cli/figures.ts";

test.each([
  [0, "0"],
  [999, "999"],
  [1_000, "1.0k"],
  [12_345, "12.3k"],
  [99_960, "99k"],
  [999_499, "999k"],
  [999_500, "1.0M"],
  [4_560_000, "4.6M"],
  [7e12, "7.0T"],
])("%i is %s", (count, text) => {
  expect(compact(count)).toBe(text);
});

test("a count never takes more than five characters below a quadrillion", () => {
  fc.assert(
    fc.property(
      fc.maxSafeNat().map((count) => count % 1e15),
      (count) => compact(count).length <= 5,
    ),
  );
});

test("dollars, bytes, durations and nouns", () => {
  expect([dollars(0.00042), dollars(12.345), dollars(1_234.5)]).toEqual(["$0.0004", "$12.35", "$1235"]);
  expect([byteSize(5), byteSize(2_048), byteSize(5 * 1024 ** 3)]).toEqual(["5 B", "2.0 KiB", "5.0 GiB"]);
  expect([12, 3_400, 125_000, 11_040_000, 176_400_000].map(duration)).toEqual([
    "12 ms",
    "3.4 s",
    "2 m 5 s",
    "3 h 4 m",
    "2 d 1 h",
  ]);
  expect([plural(1, "agent"), plural(0, "agent")]).toEqual(["1 agent", "0 agents"]);
});
