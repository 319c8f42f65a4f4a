/** Z1 and Z2: secrets cut anywhere. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { createRedactor } from "../../src/base/redact.ts";
import { RedactedStream } from "../../src/base/redact-stream.ts";

const ANTHROPIC = `sk-ant-${"a1B2".repeat(12)}`;
const GITHUB = `ghp_${"x9".repeat(20)}`;
const GIVEN = "hunter2 with blanks";
const BLOCK = `-----BEGIN RSA PRIVATE KEY-----\n${`${"Ab3/".repeat(16)}\n`.repeat(30)}-----END RSA PRIVATE KEY-----`;
const redact = createRedactor({ secrets: [GIVEN] });

function through(pieces: readonly Uint8Array[]): string {
  const stream = new RedactedStream(redact);
  const out = [...pieces.map((piece) => stream.add(piece)), stream.end()];
  return Buffer.concat(out).toString("latin1");
}

function cut(text: string, places: readonly number[]): Uint8Array[] {
  const bytes = Buffer.from(text, "latin1");
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...ends].map((from, index) => bytes.subarray(from, ends[index] ?? bytes.length));
}

test("Z1: wherever the output is cut, what comes out is the whole, redacted", () => {
  const word = fc.constantFrom(
    ANTHROPIC,
    GITHUB,
    GIVEN,
    BLOCK,
    "plain words",
    "task-1",
    "\n",
    "=",
    "é\xff\0",
    "x".repeat(3_000),
  );
  const separator = fc.constantFrom(" ", "\n", '"', ": ");
  const text = fc.array(fc.tuple(word, separator), { maxLength: 12 }).map((pairs) => pairs.flat().join(""));
  fc.assert(
    fc.property(text, fc.array(fc.nat(), { maxLength: 30 }), (whole, places) => {
      expect(through(cut(whole, places))).toBe(redact(whole));
    }),
  );
});

test("Z1: byte by byte", () => {
  const whole = `key ${ANTHROPIC} ${GIVEN}\n${BLOCK}\nend`;
  const pieces = [...Buffer.from(whole)].map((byte) => Uint8Array.of(byte));
  expect(through(pieces)).toBe(redact(whole));
  expect(redact(whole)).toBe("key [redacted:anthropic] [redacted:value]\n[redacted:key]\nend");
});

test("bytes that are no text pass as they are", () => {
  const bytes = Uint8Array.from({ length: 100_000 }, (_, at) => (at * 7) % 256);
  expect(through([bytes.subarray(0, 33_333), bytes.subarray(33_333)])).toBe(Buffer.from(bytes).toString("latin1"));
});

test("Z2: an endless word and a key without an end are held to a bound", () => {
  const stream = new RedactedStream(redact);
  let out = 0;
  for (let i = 0; i < 100; i++) out += stream.add(Buffer.from("x".repeat(10_000))).length;
  expect(1_000_000 - out).toBeLessThan(150_000);
  out += stream.add(Buffer.from("\n-----BEGIN CERTIFICATE-----\n")).length;
  for (let i = 0; i < 100; i++) out += stream.add(Buffer.from("words and more\n".repeat(1_000))).length;
  expect(2_500_000 - out).toBeLessThan(150_000);
});

test("what waits can be shown, but not the beginning of a secret", () => {
  const stream = new RedactedStream(redact);
  stream.add(Buffer.from(`up\n${ANTHROPIC} pid=12`));
  expect(Buffer.from(stream.pending).toString()).toBe("up\n[redacted:anthropic] pid=12");
  stream.add(Buffer.from(`\n${ANTHROPIC.slice(0, 15)}`));
  expect(Buffer.from(stream.pending).toString()).toBe("up\n[redacted:anthropic] pid=12\n");
});
