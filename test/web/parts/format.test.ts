import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytes, count, duration, short, usd, visible, visibleLine } from "../../../src/web/parts/format.ts";

describe("figures", () => {
  test.each([
    [0, "$0"],
    [0.00004, "<$0.0001"],
    [0.0042, "$0.0042"],
    [0.25, "$0.25"],
    [12.345, "$12.35"],
    [1234.5, "$1,234.50"],
    [12_345.6, "$12,346"],
    [1_234_567, "$1,234,567"],
    [-0.5, "-$0.50"],
  ])("usd(%d) is %s", (amount, text) => expect(usd(amount)).toBe(text));

  test.each([
    [0, "0"],
    [999, "999"],
    [1_000, "1.00k"],
    [12_345, "12.3k"],
    [999_960, "1.00M"],
    [1_234_567, "1.23M"],
    [2_000_000_000, "2.00B"],
  ])("short(%d) is %s", (amount, text) => expect(short(amount)).toBe(text));

  test.each([
    [-5, "0s"],
    [59_999, "59s"],
    [60_000, "1m"],
    [192_000, "3m 12s"],
    [3_600_000, "1h"],
    [7_500_000, "2h 5m"],
    [90_000_000, "1d 1h"],
  ])("duration(%d) is %s", (ms, text) => expect(duration(ms)).toBe(text));

  test("count groups thousands, bytes has units", () => {
    expect([count(999), count(1_000), count(1_234_567)]).toEqual(["999", "1,000", "1,234,567"]);
    expect([bytes(5), bytes(2_048), bytes(5_000_000_000)]).toEqual(["5 B", "2.0 KiB", "4.7 GiB"]);
  });
});

describe("texts of an agent's making", () => {
  test("what is unseen is made visible, what is seen stays", () => {
    expect(visible("a\u0000b\u001b[31m\u007f")).toBe("a␀b␛[31m␡");
    expect(visible("evil\u202egnp.exe")).toBe("evil⟨U+202E⟩gnp.exe");
    expect(visible("one\r\ntwo\tthree")).toBe("one\ntwo\tthree");
    expect(visibleLine("one\n\n two")).toBe("one  two");
    expect(visible("שלום, 你好 🙂 <b>&amp;")).toBe("שלום, 你好 🙂 <b>&amp;");
  });

  test("nothing that is left turns a line round or is a control character", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(visibleLine(text)).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069\u200e\u200f]/u);
      }),
    );
  });
});
