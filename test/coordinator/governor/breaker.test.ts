/** A provider that is overloaded or out of reach is left alone, and looked after one call at a time. */
import { expect, test } from "vitest";
import { LIMITS } from "../../../src/base/limits.ts";
import { Breaker } from "../../../src/coordinator/governor/breaker.ts";

function opened(): Breaker {
  const breaker = new Breaker();
  for (let failure = 0; failure < LIMITS.breakerFailuresMax; failure++) {
    expect(breaker.state(0)).toBe("closed");
    breaker.failed(0, false, 1);
  }
  return breaker;
}

test("W1: it opens after failures in a row, and an answer between them starts the count anew", () => {
  expect(opened().waitMs(0)).toBe(LIMITS.breakerMsMin);
  const breaker = new Breaker();
  for (let failure = 1; failure < LIMITS.breakerFailuresMax; failure++) breaker.failed(0, false, 1);
  breaker.answered();
  breaker.failed(0, false, 1);
  expect(breaker.state(0)).toBe("closed");
});

test("W1: half open, one call probes; its failure opens it for longer, its answer closes it", () => {
  const breaker = opened();
  let nowMs = 0;
  for (const openMs of [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]) {
    expect(breaker.waitMs(nowMs)).toBe(openMs);
    nowMs += openMs;
    expect([breaker.waitMs(nowMs), breaker.pass()]).toEqual([0, true]);
    expect(breaker.waitMs(nowMs)).toBe(Number.POSITIVE_INFINITY);
    breaker.failed(nowMs, false, 1);
    expect(breaker.state(nowMs)).toBe("halfOpen");
    breaker.failed(nowMs, true, 1);
  }
  nowMs += 60_000;
  breaker.state(nowMs);
  breaker.pass();
  breaker.unanswered(true);
  expect([breaker.waitMs(nowMs), breaker.pass()]).toEqual([0, true]);
  breaker.answered();
  expect([breaker.state(nowMs), breaker.pass()]).toEqual(["closed", false]);
});
