import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { contentReference } from "../../src/agent/content.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { createRedactor } from "../../src/base/redact.ts";
import { createContents } from "../../src/blobs/content.ts";
import { createTextCache } from "../../src/blobs/text-cache.ts";
import { decodeText, encodeText } from "../../src/blobs/wtf8.ts";
import { countingBlobs } from "../support/blobs.ts";

const contentsOver = (blobs = countingBlobs()) => ({
  blobs,
  contents: createContents({ blobs, redact: createRedactor() }),
});

/** Any string at all: lone surrogates, pairs, controls. */
const anyText = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0xd7f0, max: 0xe010 }), fc.constant(0x41)))
  .map((units) => String.fromCharCode(...units));

describe("stow and fetch", () => {
  test("a short text stays itself, at once", () => {
    const { blobs, contents } = contentsOver();
    for (const text of ["", "short", "é".repeat(LIMITS.inlineBytesMax / 2), "x".repeat(LIMITS.inlineBytesMax)]) {
      expect(contents.stow(text)).toBe(text);
    }
    expect(blobs.counts.puts).toBe(0);
  });

  test.each([
    ["ASCII", "x".repeat(LIMITS.inlineBytesMax + 1)],
    ["two bytes a character", `x${"é".repeat(LIMITS.inlineBytesMax / 2)}`],
    ["pairs", "😀".repeat(LIMITS.inlineBytesMax)],
    ["lone surrogates", "\ud83d".repeat(LIMITS.inlineBytesMax)],
  ])("C1: a long one becomes a reference: %s", async (_, text) => {
    const { blobs, contents } = contentsOver();
    const content = await contents.stow(text);
    const reference = contentReference.parse(content);
    expect(reference.bytes).toBe(Buffer.byteLength(text));
    expect(Buffer.byteLength(reference.head)).toBeGreaterThan(LIMITS.headBytesMax - 4);
    expect(Buffer.byteLength(reference.head)).toBeLessThanOrEqual(LIMITS.headBytesMax);
    expect(text.startsWith(reference.head)).toBe(true);
    expect(await contents.fetch(content)).toBe(text);
    expect(await contentsOver(blobs).contents.fetch(content)).toBe(text);
  });

  test("C1: every string comes back, from memory and from the blobs", async () => {
    const { blobs, contents } = contentsOver();
    await fc.assert(
      fc.asyncProperty(anyText, async (start) => {
        const text = start.repeat(Math.ceil((LIMITS.inlineBytesMax + 1) / Math.max(1, start.length)));
        const content = await contents.stow(text);
        expect(await contents.fetch(content)).toBe(text);
        expect(await contentsOver(blobs).contents.fetch(content)).toBe(text);
        if (typeof content !== "string") {
          expect(text.startsWith(content.head)).toBe(true);
          expect(content.head.isWellFormed() || !text.isWellFormed()).toBe(true);
        }
      }),
    );
  });

  test("C2: secrets are taken out of short texts and long ones", async () => {
    const { contents } = contentsOver();
    const key = `ghp_${"a".repeat(36)}`;
    expect(contents.stow(`it is ${key}.`)).toBe("it is [redacted:github].");
    const stowed = await contents.stow(key + " x".repeat(9_000));
    expect(await contents.fetch(stowed)).toBe(`[redacted:github]${" x".repeat(9_000)}`);
    expect(await contents.fetch(await contents.store(key))).toBe(key);
  });

  test("C3: a text that cannot be stored is not referred to", async () => {
    const { blobs, contents } = contentsOver();
    const failure = Object.assign(new Error("disk"), {});
    blobs.failure = failure as never;
    await expect(contents.stow("x".repeat(9_000))).rejects.toBe(failure);
    await expect(contents.stow("x".repeat(LIMITS.contentBytesMax + 1))).rejects.toMatchObject({
      code: "CONTENT_TOO_LARGE",
    });
    expect(blobs.counts.puts).toBe(1);
  });

  test("what is missing is an error, and is looked for again", async () => {
    const { blobs, contents } = contentsOver();
    const digest = `sha256:${"0".repeat(64)}`;
    await expect(contents.load(digest)).rejects.toMatchObject({ code: "BLOB_NOT_FOUND" });
    await expect(contents.load(digest)).rejects.toMatchObject({ code: "BLOB_NOT_FOUND" });
    expect(blobs.counts.gets).toBe(2);
  });

  test("many that want one text at once read it once, and later from memory", async () => {
    const { blobs, contents } = contentsOver();
    const { digest } = await contents.store("x".repeat(9_000));
    const other = contentsOver(blobs).contents;
    await Promise.all(Array.from({ length: 100 }, () => other.load(digest)));
    await other.load(digest);
    expect(blobs.counts.gets).toBe(1);
  });
});

describe("bytes of texts", () => {
  test("a well-formed text has the bytes of UTF-8, and every text comes back", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const bytes = encodeText(text);
        expect(decodeText(bytes)).toBe(text);
        expect(bytes.length).toBe(Buffer.byteLength(text));
        if (text.isWellFormed()) expect(bytes.equals(Buffer.from(text))).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  test("a byte order mark is a character like any other; bytes of no text become replacements", () => {
    expect(decodeText(encodeText("\ufeffA"))).toBe("\ufeffA");
    expect(decodeText(Buffer.from([0xff, 0x41, 0xed, 0xa0]))).toMatch(/^\ufffdA\ufffd+$/);
    expect(decodeText(Buffer.from([0xed, 0x9f, 0xbf]))).toBe("\ud7ff");
  });
});

describe("the cache of texts", () => {
  test("it drops what was used longest ago, and keeps to its bytes", () => {
    const cache = createTextCache(80);
    for (const key of ["a", "b", "c", "d"]) cache.keep(key, key.repeat(10));
    cache.find("a");
    cache.keep("e", "e".repeat(10));
    expect(["a", "b", "c", "d", "e"].filter((key) => cache.find(key) !== undefined)).toEqual(["a", "c", "d", "e"]);
    cache.keep("e", "e".repeat(10));
    cache.keep("f", "f");
    expect(["a", "c", "d", "e", "f"].filter((key) => cache.find(key) !== undefined)).toEqual(["c", "d", "e", "f"]);
  });

  test("a text that would push out most others is not kept", () => {
    const cache = createTextCache(80);
    cache.keep("big", "x".repeat(11));
    expect(cache.find("big")).toBeUndefined();
  });
});
