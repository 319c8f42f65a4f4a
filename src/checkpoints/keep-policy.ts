/**
 * Which restore points are kept: the newest of so many hours, days, weeks and months, as backup programs do it. Pure.
 *
 * R1  What one rule keeps is kept, whatever the others say; what none keeps may be forgotten.
 * R2  A rule for periods keeps the newest of each period, for as many periods as it names, counting only those that have any.
 */
export interface KeepPolicy {
  /** So many newest ones. */
  readonly last: number;
  readonly hourly: number;
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
  /** All that are no older, in milliseconds. */
  readonly withinMs: number;
}

export const KEEP_DEFAULT: KeepPolicy = { last: 10, hourly: 24, daily: 7, weekly: 4, monthly: 6, withinMs: 0 };

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** The first Monday after the epoch, from which weeks are counted. */
const FIRST_MONDAY_MS = 4 * DAY_MS;

type Period = "hourly" | "daily" | "weekly" | "monthly";

/** By UTC: a policy must not depend on where it is applied. */
const PERIODS: Readonly<Record<Period, (time: number) => number>> = {
  hourly: (time) => Math.floor(time / HOUR_MS),
  daily: (time) => Math.floor(time / DAY_MS),
  weekly: (time) => Math.floor((time - FIRST_MONDAY_MS) / (7 * DAY_MS)),
  monthly: (time) => {
    const date = new Date(time);
    return date.getUTCFullYear() * 12 + date.getUTCMonth();
  },
};

/** For each of the times, in the order given, which rules keep it; none for one that may be forgotten. */
export function keptBy(times: readonly number[], policy: KeepPolicy, now: number): (keyof KeepPolicy)[][] {
  const reasons: (keyof KeepPolicy)[][] = times.map(() => []);
  // Of equal times the later in the list is the newer.
  const newestFirst = times
    .map((time, index) => ({ time, index }))
    .sort((a, b) => b.time - a.time || b.index - a.index);
  for (const [place, { time, index }] of newestFirst.entries()) {
    if (place < policy.last) reasons[index]?.push("last");
    if (policy.withinMs > 0 && time >= now - policy.withinMs) reasons[index]?.push("withinMs");
  }
  for (const period of Object.keys(PERIODS) as Period[]) {
    const seen = new Set<number>();
    for (const { time, index } of newestFirst) {
      const key = PERIODS[period](time);
      if (seen.has(key) || seen.size >= policy[period]) continue;
      seen.add(key);
      reasons[index]?.push(period);
    }
  }
  return reasons;
}
