/** Where the marks of an axis stand: at round times of day, or at round sums of money, never closer than asked for. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS_MS = [
  100,
  200,
  500,
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR),
  ...[1, 2, 7, 14, 28, 91, 182, 364].map((count) => count * DAY),
];

export interface Ticks {
  readonly first: number;
  readonly step: number;
}

/** `least` is the time between two marks at least; `zoneMs` what local time is ahead. */
export function timeTicks(left: number, least: number, zoneMs: number): Ticks {
  const step = STEPS_MS.find((each) => each >= least) ?? 364 * DAY;
  return { first: Math.ceil((left + zoneMs) / step) * step - zoneMs, step };
}

export function moneyTicks(left: number, least: number): Ticks {
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((digit) => digit * power).find((each) => each >= least) ?? 10 * power;
  return { first: Math.ceil(left / step) * step, step };
}
