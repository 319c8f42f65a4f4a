/**
 * What this process put, or put again, of late, for a sweep that leaves it alone: 8 to 16 bytes a blob, let go by the hour. It may hold one
 * for recent that is not (see DigestSet), which only keeps it for longer.
 */
import type { Clock } from "../base/clock.ts";
import { BanyanError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Digest } from "./blobs.ts";
import { DigestSet } from "./digest-set.ts";

const HOUR_MS = 3_600_000;

interface Hour {
  readonly fromMs: number;
  readonly digests: DigestSet;
}

export class RecentPuts {
  readonly #clock: Clock;
  /** The newest first; each took what came within an hour. */
  #hours: Hour[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note(digest: Digest): void {
    const nowMs = this.#clock.monotonic();
    const newest = this.#hours[0];
    if (!newest || nowMs - newest.fromMs >= HOUR_MS) {
      this.#hours = this.#within(LIMITS.collectRememberedMs, nowMs);
      this.#hours.unshift({ fromMs: nowMs, digests: new DigestSet() });
    }
    this.#hours[0]?.digests.add(digest);
  }

  /** Whether it was put no longer ago, or within the hour before. @throws INPUT_INVALID for longer than is remembered */
  has(digest: Digest, graceMs: number): boolean {
    return this.#within(graceMs, this.#clock.monotonic()).some(({ digests }) => digests.has(digest));
  }

  #within(graceMs: number, nowMs: number): Hour[] {
    const days = LIMITS.collectRememberedMs / (24 * HOUR_MS);
    if (graceMs > LIMITS.collectRememberedMs) {
      throw new BanyanError("INPUT_INVALID", `this store remembers for ${days} days what was put: no longer grace`);
    }
    return this.#hours.filter(({ fromMs }) => fromMs + HOUR_MS > nowMs - graceMs);
  }
}
