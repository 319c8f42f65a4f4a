import fc from "fast-check";
import { expect, test } from "vitest";
import { showLine, showName } from "../../src/tools/show.ts";

test("ordinary names are shown as they are", () => {
  for (const name of ["a.ts", "with space", "-rf", "grüße 世界", "back\\slash", "😀", "a'b"])
    expect(showName(name)).toBe(name);
});

test.each([
  ["a\nb", '"a\\nb"'],
  ["\u001b[31mred", '"\\u001b[31mred"'],
  ["\u202Egnp.exe", '"\\u202egnp.exe"'],
  ["zero\u200Bwidth", '"zero\\u200bwidth"'],
  ["\u{E0041}tag", '"\\udb40\\udc41tag"'],
  ["line\u2028sep", '"line\\u2028sep"'],
  ['"quoted"', '"\\"quoted\\""'],
])("%j is shown as JSON", (name, shown) => {
  expect(showName(name)).toBe(shown);
});

test("every name is one line, and can be read back from what is shown", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (name) => {
      const shown = showName(name);
      expect(shown).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
      expect(shown.startsWith('"') ? JSON.parse(shown) : shown).toBe(name);
    }),
  );
});

test("a line is one line, cut short", () => {
  expect(showLine("a\r\nb", 9)).toBe("a b");
  expect(showLine("abcdef", 3)).toBe("abc…");
});
