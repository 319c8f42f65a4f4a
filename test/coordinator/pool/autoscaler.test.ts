/** The autoscaler as the function that it is: what it wants of which claims, and how fast it follows. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { seededRandom } from "../../../src/base/random.ts";
import { newScaler, type Scaler, scale, targetOf } from "../../../src/coordinator/pool/autoscaler.ts";

const WARMUP_MS = 600;
const MANY = Number.POSITIVE_INFINITY;

/** The scaler after claims at these moments, looked at every second as well. */
function after(momentsMs: readonly number[], untilMs: number, warmupMs = WARMUP_MS): Scaler {
  const looks = Array.from({ length: Math.floor(untilMs / 1_000) }, (_, index) => ({
    nowMs: (index + 1) * 1_000,
    claims: 0,
  }));
  const steps = [...momentsMs.map((nowMs) => ({ nowMs, claims: 1 })), ...looks].sort((a, b) => a.nowMs - b.nowMs);
  return steps.reduce((scaler, step) => scale(scaler, { ...step, warmupMs, most: MANY }), newScaler(0));
}

/** Moments that come by chance alone, at a rate. */
function poisson(aSecond: number, untilMs: number, seed = 1): number[] {
  const random = seededRandom(seed);
  const moments: number[] = [];
  for (let nowMs = 0; ; ) {
    nowMs += (-Math.log(1 - random.next()) / aSecond) * 1_000;
    if (nowMs > untilMs) return moments;
    moments.push(nowMs);
  }
}

test("A1: claims that come by chance are wanted for as their rate and the time to get warm say", () => {
  for (const rate of [1, 5, 20, 100]) {
    const scaler = after(poisson(rate, 900_000), 900_000);
    const demand = rate * (WARMUP_MS / 1_000);
    const formula = demand + 2.33 * Math.sqrt(demand);
    // The highest of 300 s of averages that chance moves about.
    expect(targetOf(scaler)).toBeGreaterThanOrEqual(Math.floor(formula));
    expect(targetOf(scaler)).toBeLessThanOrEqual(Math.ceil(formula * 1.6 + 2));
  }
});

test("A1: claims in bursts are wanted for with more", () => {
  const bursts = Array.from({ length: 60 }, (_, index) => Array.from({ length: 50 }, () => index * 10_000)).flat();
  expect(targetOf(after(bursts, 600_000))).toBeGreaterThan(targetOf(after(poisson(5, 600_000), 600_000)) * 2);
});

test("A1: after the last claim the target falls to nothing", () => {
  const claims = poisson(20, 120_000);
  const before = after(claims, 120_000);
  expect(targetOf(before)).toBeGreaterThan(15);
  expect(targetOf(after(claims, 120_000 + 2 * 3_600_000))).toBe(0);
});

test("a sudden load is followed within seconds, and the target stays when it stops", () => {
  const calm = poisson(1, 300_000);
  const rush = poisson(50, 20_000, 2).map((ms) => 300_000 + ms);
  const before = targetOf(after(calm, 300_000));
  const during = after([...calm, ...rush], 320_000);
  expect(during.isPanic).toBe(true);
  expect(targetOf(during)).toBeGreaterThan(3 * before);
  const laterBy = (ms: number) => targetOf(after([...calm, ...rush], 320_000 + ms));
  const [soon, still, late] = [laterBy(60_000), laterBy(300_000), laterBy(1_200_000)];
  expect(still).toBeGreaterThanOrEqual(soon);
  expect(late).toBeLessThan(still / 2);
});

const steps = fc.array(
  fc.record({
    passMs: fc.oneof(fc.integer({ min: 0, max: 2_000 }), fc.constant(60_000)),
    claims: fc.oneof(fc.constant(0), fc.nat(5), fc.nat(200)),
    warmupMs: fc.integer({ min: 1, max: 5_000 }),
    most: fc.oneof(fc.constant(MANY), fc.nat(40)),
  }),
  { maxLength: 120 },
);

test("A3, A4: whatever happens, it takes only such steps, and none beyond what there is room for", () => {
  fc.assert(
    fc.property(steps, (all) => {
      let scaler = newScaler(0);
      let nowMs = 0;
      for (const { passMs, claims, warmupMs, most } of all) {
        nowMs += passMs;
        const before = scaler;
        scaler = scale(before, { nowMs, claims, warmupMs, most });
        expect(scaler.level).toBeLessThanOrEqual(most);
        expect(Number.isFinite(scaler.level) && scaler.level >= 0).toBe(true);
        const isClamped = scaler.level === most;
        const minutes = passMs / 60_000;
        if (!isClamped && scaler.level > 0)
          expect(scaler.level).toBeGreaterThanOrEqual(before.level * 0.9 ** minutes - 1e-9);
        if (!isClamped && scaler.isPanic) expect(scaler.level).toBeGreaterThanOrEqual(before.level);
      }
    }),
    { numRuns: 300 },
  );
});

test("A2: within 15 s it doubles or grows by four, and once more where two times of 15 s meet", () => {
  fc.assert(
    fc.property(steps, (all) => {
      const levels = [{ nowMs: 0, scaler: newScaler(0) }];
      for (const { passMs, claims, warmupMs } of all) {
        const { nowMs, scaler } = levels.at(-1) as (typeof levels)[number];
        const next = { nowMs: nowMs + passMs, claims, warmupMs, most: MANY };
        levels.push({ nowMs: next.nowMs, scaler: scale(scaler, next) });
      }
      const grown = (level: number) => Math.max(2 * level, level + 4);
      for (const { nowMs, scaler } of levels) {
        const before = levels.filter((each) => each.nowMs <= nowMs && each.nowMs > nowMs - 15_000);
        const least = Math.min(...before.map((each) => each.scaler.level));
        expect(scaler.level).toBeLessThanOrEqual(grown(grown(least)) + 1e-9);
      }
    }),
    { numRuns: 200 },
  );
});
