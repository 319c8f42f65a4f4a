import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../src/base/limits.ts";
import { LineBuffer, parseRequest } from "../../src/server/protocol.ts";

describe("lines", () => {
  test("come whole, however they are cut into chunks", () => {
    const lines = fc.array(
      fc.string({ unit: "grapheme", minLength: 1 }).map((line) => `x${line.replace(/\s/g, "_")}x`),
    );
    fc.assert(
      fc.property(lines, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (wanted, sizes) => {
        const bytes = Buffer.from(wanted.map((line) => `${line}\n`).join(""));
        const buffer = new LineBuffer();
        const got: string[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = sizes[i % sizes.length] ?? 1;
          got.push(...buffer.push(bytes.subarray(at, at + size)));
          at += size;
        }
        expect(got).toEqual(wanted);
        expect(buffer.rest()).toBe("");
      }),
    );
  });

  test("W1: one that is too long is refused, whether its end has come or not", () => {
    expect(() => new LineBuffer(10).push(Buffer.from("12345678901"))).toThrow(
      expect.objectContaining({ code: "CONTENT_TOO_LARGE" }),
    );
    expect(() => new LineBuffer(10).push(Buffer.from("12345678901\n"))).toThrow(
      expect.objectContaining({ code: "CONTENT_TOO_LARGE" }),
    );
    expect(new LineBuffer(10).push(Buffer.from("1234567890\n1234567890\n"))).toHaveLength(2);
  });

  test("W1: and is at most what a request may have", () => {
    const buffer = new LineBuffer();
    const piece = Buffer.alloc(LIMITS.controlBytesMax / 4, "x");
    for (let i = 0; i < 4; i++) expect(buffer.push(piece)).toEqual([]);
    expect(() => buffer.push(Buffer.from("x"))).toThrow(expect.objectContaining({ code: "CONTENT_TOO_LARGE" }));
  });

  test("empty ones are left out, and a carriage return before the end is no part of it", () => {
    expect(new LineBuffer().push(Buffer.from("\n\r\na\r\n \nb"))).toEqual(["a"]);
  });
});

test.each([
  ['{"id":1,"op":"tree"}', { id: 1, op: "tree" }],
  ['{"id":"a","op":"tree","input":{"agent":"x"}}', { id: "a", op: "tree", input: { agent: "x" } }],
  ['{"cancel":1}', { cancel: 1 }],
])("%s is a request", (line, request) => {
  expect(parseRequest(line)).toEqual(request);
});

test.each([
  "",
  "{",
  "null",
  "[]",
  '"tree"',
  "{}",
  '{"id":1}',
  '{"op":"tree"}',
  '{"id":null,"op":"tree"}',
  '{"id":1.5,"op":"tree"}',
  '{"id":{},"op":"tree"}',
  '{"id":1,"op":1}',
  '{"id":1,"op":"tree","more":1}',
  '{"cancel":1,"id":1,"op":"tree"}',
  `{"id":"${"x".repeat(65)}","op":"tree"}`,
])("%s is none", (line) => {
  expect(() => parseRequest(line)).toThrow(expect.objectContaining({ code: "INPUT_INVALID" }));
});
