/**
 * What each subtree spent in the last minute: $/min as it is, not as an average guesses it. Every cost is remembered until it
 * is a minute old, and then taken back along the same way up.
 */

import { at, growFloats } from "./columns.ts";
import type { Fleet } from "./fleet.ts";

const BURN_WINDOW_MS = 60_000;

type Parents = Pick<Fleet, "parent">;

export class Burn {
  /** Nano-dollars of the last minute, by subtree. */
  nano = new Float64Array(0);
  allNano = 0;
  readonly #agents: number[] = [];
  readonly #amounts: number[] = [];
  readonly #times: number[] = [];
  /** Where the oldest that still counts is. */
  #head = 0;

  reset(): void {
    this.nano.fill(0);
    this.allNano = 0;
    this.#drop(this.#times.length);
  }

  reserve(count: number): void {
    if (count > this.nano.length) this.nano = growFloats(this.nano, count);
  }

  add(fleet: Parents, agent: number, nano: number, timeMs: number): void {
    this.#agents.push(agent);
    this.#amounts.push(nano);
    this.#times.push(timeMs);
    this.#climb(fleet, agent, nano);
  }

  expire(fleet: Parents, nowMs: number): void {
    const oldest = nowMs - BURN_WINDOW_MS;
    while (this.#head < this.#times.length && at(this.#times, this.#head) <= oldest) {
      this.#climb(fleet, at(this.#agents, this.#head), -at(this.#amounts, this.#head));
      this.#head += 1;
    }
    if (this.#head > 10_000) this.#drop(this.#head);
  }

  #climb(fleet: Parents, agent: number, nano: number): void {
    this.allNano += nano;
    for (let above = agent; above >= 0; above = at(fleet.parent, above)) this.nano[above] = at(this.nano, above) + nano;
  }

  #drop(count: number): void {
    for (const column of [this.#agents, this.#amounts, this.#times]) column.splice(0, count);
    this.#head = 0;
  }
}

/** Dollars a minute; undefined until the watch has been long enough to say. */
export function burnUsdPerMinute(nano: number, watchedMs: number): number | undefined {
  if (watchedMs < 5_000) return undefined;
  return ((nano / 1_000_000_000) * 60_000) / Math.min(watchedMs, BURN_WINDOW_MS);
}
