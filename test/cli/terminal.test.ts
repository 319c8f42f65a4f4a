import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { block, cut, displayWidth, oneLine, padTo } from "../../src/cli/terminal.ts";

/** What no terminal may be sent: controls, and characters that hide or reorder others. */
const UNSAFE = /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2060-\u206f\u061c\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/u;

const HOSTILE = [
  "\u001b[31mred",
  "\u001b]0;title\u0007",
  "\u001b]8;;http://evil\u001b\\click\u001b]8;;\u001b\\",
  "\u009b2J",
  "\u001bP+q\u001b\\",
  "a\rb",
  "a\bb",
  "\u202egnp.exe",
  "\u2066x\u2069",
  "a\u200bb",
  "\u{e0041}",
  "\u001b[6n",
  "\ud800",
];

describe("text that agents made", () => {
  test.each(HOSTILE)("N1, N2: %j drives no terminal", (text) => {
    expect(oneLine(text)).not.toMatch(UNSAFE);
    expect(block(text)).not.toMatch(UNSAFE);
  });

  test("N1, N2: no text at all does", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 50 }), (text) => {
        expect(oneLine(text)).not.toMatch(UNSAFE);
        expect(block(text).replace(/[\n\t]/g, "")).not.toMatch(UNSAFE);
      }),
    );
  });

  test("what was there is still seen", () => {
    expect(oneLine("\u001b[31mred")).toBe("␛[31mred");
    expect(oneLine("\u202egnp.exe")).toBe("{U+202E}gnp.exe");
    expect(oneLine("\u007f")).toBe("␡");
  });

  test("ordinary text, of any script, stays as it is", () => {
    for (const text of ["plain", "größe", "日本語", "العربية", "👍", "e\u0301"]) expect(oneLine(text)).toBe(text);
  });

  test("one line is one line; a block keeps its lines", () => {
    expect(oneLine("a\nb\r\nc\td\u2028e")).toBe("a b c d e");
    expect(block("a\nb\r\nc\td")).toBe("a\nb\nc\td");
  });
});

describe("widths", () => {
  test.each([
    ["plain", 5],
    ["größe", 5],
    ["日本語", 6],
    ["👍", 2],
    ["e\u0301", 1],
    ["├ x", 3],
    ["", 0],
  ])("%j takes %i columns", (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });

  test("cut and padded text never takes more than was given, and padded text takes all of it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 30 }), fc.nat(20), (raw, width) => {
        const text = oneLine(raw);
        expect(displayWidth(cut(text, width))).toBeLessThanOrEqual(width);
        expect(displayWidth(padTo(text, width))).toBe(width);
        expect(displayWidth(padTo(text, width, "right"))).toBe(width);
      }),
    );
  });

  test("what was cut off shows", () => {
    expect(cut("abcdef", 4)).toBe("abc…");
    expect(cut("abcd", 4)).toBe("abcd");
    expect(cut("日本語", 4)).toBe("日…");
    expect(cut("abc", 0)).toBe("");
  });
});
