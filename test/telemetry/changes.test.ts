/** Status changes as bytes: what was written is read again, and damage is never taken for changes. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { STATUSES, WAITS } from "../../src/agent/status.ts";
import type { AgentId } from "../../src/base/ids.ts";
import {
  type Change,
  ChangeWriter,
  extentOf,
  headerOf,
  isEarlier,
  type Piece,
  piecesIn,
} from "../../src/telemetry/changes.ts";

const agents = Array.from({ length: 5 }, (_, number) => `${number}`.repeat(26) as AgentId);
const change: fc.Arbitrary<Change> = fc.record({
  agent: fc.constantFrom(...agents),
  seq: fc.nat(),
  time: fc.integer({ min: 0, max: 4e12 }),
  status: fc.constantFrom(...STATUSES),
  waitingFor: fc.constantFrom(null, ...WAITS),
  held: fc.boolean(),
  // What a float of 32 bits holds.
  costUsd: fc.nat(1_000).map((eighths) => eighths / 8),
  rewoundTo: fc.option(fc.integer({ min: 0, max: 4e12 }), { freq: 3 }),
});
const pieces: fc.Arbitrary<Piece[]> = fc.array(
  fc.record({ changes: fc.array(change, { maxLength: 8 }), position: fc.nat() }),
  { maxLength: 6 },
);

function fileOf(written: readonly Piece[], from = 7): Buffer {
  const writer = new ChangeWriter();
  return Buffer.concat([headerOf(from), ...written.map((piece) => writer.bytesOf(piece))]);
}

test("what was written is read", () => {
  fc.assert(
    fc.property(pieces, (written) => {
      const bytes = fileOf(written);
      expect([...piecesIn(bytes)]).toEqual(written);
      expect(extentOf(bytes)).toEqual({ from: 7, to: written.at(-1)?.position ?? 7, bytes: bytes.length });
    }),
  );
});

test("X1: of a file that was cut, or in which a bit flipped, only whole pieces before that are read", () => {
  fc.assert(
    fc.property(pieces, fc.nat(), fc.nat(7), fc.boolean(), (written, place, bit, isCut) => {
      const bytes = fileOf(written);
      const header = headerOf(7).length;
      const at = header + (place % Math.max(1, bytes.length - header));
      if (!isCut && at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
      const read = [...piecesIn(isCut ? bytes.subarray(0, at) : bytes)];
      expect(read).toEqual(written.slice(0, read.length));
      if (at < bytes.length) expect(read.length).toBeLessThan(written.length);
    }),
  );
});

test("X3: a file of the earlier format covers nothing, and is known for what it is", () => {
  const bytes = fileOf([{ changes: [], position: 9 }]);
  expect(isEarlier(bytes)).toBe(false);
  bytes.write("BANYCHG1", "latin1");
  expect(isEarlier(bytes)).toBe(true);
  expect(extentOf(bytes)).toBeUndefined();
});

test("what is none of ours is not read", () => {
  expect(extentOf(Buffer.alloc(0))).toBeUndefined();
  expect(isEarlier(Buffer.from("BANY"))).toBe(false);
  expect(extentOf(Buffer.from("something else entirely"))).toBeUndefined();
});
