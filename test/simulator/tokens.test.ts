import fc from "fast-check";
import { expect, test } from "vitest";
import { countTokens, firstTokens, pieces } from "../../src/simulator/tokens.ts";

const words = fc.string({ unit: "grapheme", maxLength: 60 });

test("one token for every four bytes begun", () => {
  expect(["", "a", "abcd", "abcde", "ü".repeat(2), "🌦️"].map(countTokens)).toEqual([0, 1, 1, 2, 1, 2]);
});

test("pieces make up the text and never go through a character", () => {
  fc.assert(
    fc.property(words, fc.integer({ min: 1, max: 5 }), (text, tokens) => {
      const cut = pieces(text, tokens);
      expect(cut.join("")).toBe(text);
      for (const piece of cut) expect(piece.isWellFormed() && piece !== "").toBe(true);
    }),
  );
});

test("the first tokens are the longest start that counts as no more", () => {
  fc.assert(
    fc.property(words, fc.integer({ min: 0, max: 20 }), (text, tokens) => {
      const start = firstTokens(text, tokens);
      expect(text.startsWith(start)).toBe(true);
      expect(countTokens(start)).toBeLessThanOrEqual(tokens);
      const next = [...text.slice(start.length)][0];
      if (next) expect(Buffer.byteLength(start + next)).toBeGreaterThan(tokens * 4);
    }),
  );
});
