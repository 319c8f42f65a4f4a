import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../src/base/limits.ts";
import { showLines } from "../../src/tools/lines.ts";
import { failureOf } from "./context.ts";

async function* pieces(bytes: Uint8Array, size: number) {
  const buffer = new Uint8Array(size);
  for (let i = 0; i < bytes.length; i += size) {
    const piece = bytes.subarray(i, i + size);
    buffer.set(piece);
    // The same memory for each piece, as a reader of files does.
    yield buffer.subarray(0, piece.length);
  }
}

const show = (text: string, offset = 1, limit: number = LIMITS.readLinesMax, size = 5) =>
  showLines("t", pieces(Buffer.from(text), size), { offset, limit });

test.each([
  ["", 1, 9, "t: lines 0-0 of 0, 0 bytes"],
  ["a", 1, 9, "t: lines 1-1 of 1, 1 bytes\na"],
  ["a\n", 1, 9, "t: lines 1-1 of 1, 2 bytes\na"],
  ["\n\n", 1, 9, "t: lines 1-2 of 2, 2 bytes\n\n"],
  ["a\nb\nc", 2, 1, "t: lines 2-2 of 3, 5 bytes\nb"],
  ["a\nb\nc", 2, 9, "t: lines 2-3 of 3, 5 bytes\nb\nc"],
  ["a\r\nb", 2, 9, "t: lines 2-2 of 2, 4 bytes\nb"],
  ["grüße\n世界\n", 2, 9, "t: lines 2-2 of 2, 15 bytes\n世界"],
])("%j from %i, %i lines", async (text, offset, limit, answer) => {
  expect(await show(text, offset, limit)).toBe(answer);
});

test("an offset behind the end says how many lines there are", async () => {
  expect(await failureOf(show("a\nb", 3))).toEqual({ code: "INPUT_INVALID", message: "offset: t has 2 lines" });
});

test("whatever the text and its pieces, the header is exact and the lines are those asked for", async () => {
  const text = fc.array(fc.constantFrom("a", "\n", "é", "😀", "\r\n", "line\n")).map((parts) => parts.join(""));
  await fc.assert(
    fc.asyncProperty(
      text,
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 9 }),
      async (whole, offset, limit, size) => {
        const lines = whole.match(/[^\n]*\n|[^\n]+$/g) ?? [];
        fc.pre(offset <= Math.max(1, lines.length));
        const wanted = lines.slice(offset - 1, offset - 1 + limit);
        const [first, last] = lines.length === 0 ? [0, 0] : [offset, offset + wanted.length - 1];
        const header = `t: lines ${first}-${last} of ${lines.length}, ${Buffer.byteLength(whole)} bytes`;
        expect(await show(whole, offset, limit, size)).toBe(
          wanted.length === 0 ? header : `${header}\n${wanted.join("").replace(/\n$/, "")}`,
        );
      },
    ),
  );
});

describe("no more bytes than the limit", () => {
  const line = `${"x".repeat(2_999)}\n`;

  test("lines that do not fit are left for the next call", async () => {
    const answer = await show(line.repeat(4), 1, 9, 64 * 1024);
    expect(answer).toBe(`t: lines 1-2 of 4, 12000 bytes\n${line.repeat(2).trimEnd()}`);
    expect(await show(line.repeat(4), 3, 9, 64 * 1024)).toBe(
      `t: lines 3-4 of 4, 12000 bytes\n${line.repeat(2).trimEnd()}`,
    );
  });

  test("one line that does not fit is cut between characters, and says so", async () => {
    const answer = await show(`a\nx${"é".repeat(200_000)}\nb\n`, 2, 9, 64 * 1024);
    const [header, text, note] = answer.split("\n");
    expect(header).toBe("t: lines 2-2 of 3, 400006 bytes");
    expect(text).toBe(`x${"é".repeat((LIMITS.readBytesMax - 2) / 2)}`);
    expect(note).toBe(`[line 2 is longer than ${LIMITS.readBytesMax} bytes and cut here]`);
  });
});

test("a NUL in the first 8 KiB makes it binary, one behind it does not", async () => {
  expect(await show(`${"a".repeat(8191)}\0`, 1, 9, 1000)).toBe("t: binary, 8192 bytes");
  expect(await show(`${"a".repeat(8192)}\0`, 1, 9, 1000)).toMatch(/^t: lines 1-1 of 1, 8193 bytes\n/);
});
