/** What is left of a rate: never more than the provider said and time has brought back. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Bucket } from "../../../src/coordinator/governor/bucket.ts";

test("B1: it never has more left than it was told, but for what has flowed back", () => {
  const step = fc.record({ remaining: fc.nat(2_000), take: fc.nat(500), afterMs: fc.nat(20_000) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const bucket = new Bucket({ limit: 1_000, remaining: 1_000 }, 0);
      let nowMs = 0;
      for (const { remaining, take, afterMs } of steps) {
        nowMs += afterMs;
        bucket.correct({ limit: 1_000, remaining }, nowMs);
        expect(bucket.left(nowMs)).toBeLessThanOrEqual(Math.min(remaining, 1_000));
        bucket.take(take, nowMs);
        const waitMs = bucket.waitMs(600, nowMs);
        nowMs += waitMs;
        expect(bucket.left(nowMs)).toBeGreaterThanOrEqual(600 - 1e-6);
      }
    }),
  );
});

test("a call over the limit waits for a full bucket, and its debt is waited out", () => {
  const bucket = new Bucket({ limit: 600, remaining: 300 }, 0);
  expect(bucket.waitMs(10_000, 0)).toBe(30_000);
  bucket.take(900, 30_000);
  expect([bucket.left(30_000), bucket.waitMs(1, 30_000)]).toEqual([-300, 30_100]);
});
