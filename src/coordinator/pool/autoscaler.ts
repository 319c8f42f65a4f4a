/**
 * How many ready sessions of one profile there should be: a function of what was claimed. It follows Knative's autoscaler in its two
 * averages and in what it does not do in a panic (https://knative.dev/docs/serving/autoscaling/), and queueing theory in its target:
 * while one session gets warm, so many are asked for, give or take what chance does (its 99th percentile).
 *
 *     wanted = ceil(demand + 2.33 x sqrt(demand x spread)),   demand = claims a second x seconds to get warm
 *
 * `spread` is the variance of claims a second over their mean: 1 when they come by chance alone (Poisson), more when they come in
 * bursts; less is not believed.
 *
 * A1  The target is the whole number above what is wanted in the end, and 0 when nobody has asked for long.
 * A2  It grows within 15 s to twice what it was or by 4, whichever is more, and no further.
 * A3  It shrinks to the most that was wanted in 300 s and not below, by 10 % a minute at the most, and not at all in a panic.
 * A4  It never passes `most`, which memory and the provider allow: that holds at once.
 */

export interface Observation {
  /** Monotonic. */
  readonly nowMs: number;
  /** Claims since the last observation. */
  readonly claims: number;
  readonly warmupMs: number;
  /** A4. */
  readonly most: number;
}

export interface Scaler {
  readonly atMs: number;
  /** Claims a second, averaged over a minute and over six seconds. */
  readonly slow: number;
  readonly fast: number;
  /** Claims of ten minutes, the older ones counting less. */
  readonly seen: number;
  /** Claims in the second that began then, and their average and that of their square over the seconds of a minute. */
  readonly secondMs: number;
  readonly count: number;
  readonly mean: number;
  readonly square: number;
  /** Not rounded: a slow descent is made of small steps. */
  readonly level: number;
  /** Where the level stood when the steps upwards of the present 15 s began. */
  readonly stepMs: number;
  readonly stepLevel: number;
  /** What was wanted when, over the last 300 s, without what was less than something later. */
  readonly peaks: readonly { readonly atMs: number; readonly wanted: number }[];
  readonly isPanic: boolean;
}

const SLOW_MS = 60_000;
const FAST_MS = 6_000;
const SECOND_MS = 1_000;
const STEP_MS = 15_000;
const STEP_FACTOR = 2;
const STEP_COUNT = 4;
const KEEP_MS = 300_000;
const SHRINK_MINUTE = 0.9;
/** Standard deviations of a normal distribution that 99 % of it stays below. */
const DEVIATIONS = 2.33;
const SEEN_MS = 600_000;
/** Above one: a single claim does not say that there will be others. */
const SEEN_MIN = 1.5;

export function newScaler(nowMs: number): Scaler {
  const nothing = {
    slow: 0,
    fast: 0,
    seen: 0,
    count: 0,
    mean: 0,
    square: 0,
    level: 0,
    stepLevel: 0,
    peaks: [],
    isPanic: false,
  };
  return { ...nothing, atMs: nowMs, secondMs: nowMs, stepMs: Number.NEGATIVE_INFINITY };
}

/** A1. */
export function targetOf({ level }: Scaler): number {
  return Math.ceil(level);
}

export function scale(before: Scaler, { nowMs, claims, warmupMs, most }: Observation): Scaler {
  const passedMs = nowMs - before.atMs;
  const slow = before.slow * Math.exp(-passedMs / SLOW_MS) + claims / (SLOW_MS / SECOND_MS);
  const fast = before.fast * Math.exp(-passedMs / FAST_MS) + claims / (FAST_MS / SECOND_MS);
  const seen = before.seen * Math.exp(-passedMs / SEEN_MS) + claims;
  const isPanic = seen >= SEEN_MIN && fast >= 2 * slow;
  const spread = spreadOf(before, nowMs, claims);
  const rate = isPanic ? fast : slow;
  const demand = seen < SEEN_MIN ? 0 : (rate * warmupMs) / SECOND_MS;
  const wanted = Math.ceil(demand + DEVIATIONS * Math.sqrt(demand * spread.spread));
  const { spread: _, ...counts } = spread;
  const peaks = peaksWith(before.peaks, { atMs: nowMs, wanted });
  const moved = move({ ...before, peaks }, { nowMs, passedMs, wanted, isPanic });
  // A4.
  return {
    ...before,
    ...counts,
    ...moved,
    level: Math.min(moved.level, Math.max(0, most)),
    peaks,
    atMs: nowMs,
    slow,
    fast,
    seen,
    isPanic,
  };
}

/** Counts whole seconds, those without a claim included. */
function spreadOf({ secondMs, count, mean, square }: Scaler, nowMs: number, claims: number) {
  const seconds = Math.floor((nowMs - secondMs) / SECOND_MS);
  if (seconds > 0) {
    const newest = 1 - Math.exp(-SECOND_MS / SLOW_MS);
    const emptied = Math.exp((-(seconds - 1) * SECOND_MS) / SLOW_MS);
    mean = (mean + newest * (count - mean)) * emptied;
    square = (square + newest * (count * count - square)) * emptied;
    count = 0;
    secondMs += seconds * SECOND_MS;
  }
  const spread = mean > 0 ? Math.max(1, (square - mean * mean) / mean) : 1;
  return { secondMs, count: count + claims, mean, square, spread };
}

type Peaks = Scaler["peaks"];

function peaksWith(peaks: Peaks, now: Peaks[number]): Peaks {
  const kept = peaks.filter(({ atMs, wanted }) => atMs > now.atMs - KEEP_MS && wanted > now.wanted);
  return [...kept, now];
}

interface Move {
  readonly nowMs: number;
  readonly passedMs: number;
  readonly wanted: number;
  readonly isPanic: boolean;
}

/** A2, A3. */
function move({ level, stepMs, stepLevel, peaks }: Scaler, { nowMs, passedMs, wanted, isPanic }: Move) {
  if (wanted > level) {
    const isNewStep = nowMs - stepMs >= STEP_MS;
    const from = isNewStep ? { stepMs: nowMs, stepLevel: level } : { stepMs, stepLevel };
    const reach = Math.max(STEP_FACTOR * from.stepLevel, from.stepLevel + STEP_COUNT);
    return { ...from, level: Math.max(level, Math.min(wanted, reach)) };
  }
  const floor = peaks[0]?.wanted ?? 0;
  if (isPanic || floor >= level) return { stepMs, stepLevel, level };
  const shrunk = Math.max(floor, level * SHRINK_MINUTE ** (passedMs / SLOW_MS));
  // What is left of nothing wanted is nothing.
  return { stepMs, stepLevel, level: floor === 0 && shrunk < 0.5 ? 0 : shrunk };
}
