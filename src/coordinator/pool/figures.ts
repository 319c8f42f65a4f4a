/** How the pool does: counted as it happens, summed up when it is asked for. */
import type { ClaimedFrom } from "./events.ts";
import type { Eviction } from "./member.ts";
import { Samples } from "./samples.ts";

/** Claims over which waits are told. */
const WAITS = 2_048;

export interface PoolFigures {
  /** Sessions by what they do. */
  readonly ready: number;
  readonly target: number;
  readonly warming: number;
  readonly claimed: number;
  readonly parked: number;
  readonly draining: number;
  /** Agents that wait for a session. */
  readonly waiting: number;
  /** Starts under way, and how many may be. */
  readonly starting: number;
  readonly startsMax: number;
  /** Charged for all sessions, and the bound. */
  readonly memoryBytes: number;
  readonly memoryBytesMax: number;
  /** How claims were met since the process began. */
  readonly claims: Readonly<Record<ClaimedFrom, number>>;
  /** Share of claims that a parked or ready session met at once; null before the first. */
  readonly hitRatio: number | null;
  /** Of the newest claims, from asking to a session that has started; null before the first. */
  readonly claimWaitMs: { readonly p50: number; readonly p99: number } | null;
  readonly evictions: Readonly<Partial<Record<Eviction, number>>>;
}

export class PoolCounts {
  readonly claims: Record<ClaimedFrom, number> = { parked: 0, ready: 0, waited: 0, cold: 0 };
  readonly evictions: Partial<Record<Eviction, number>> = {};
  readonly #waits = new Samples(WAITS);

  claimed(from: ClaimedFrom): void {
    this.claims[from] += 1;
  }

  waited(ms: number): void {
    this.#waits.add(ms);
  }

  evicted(why: Eviction): void {
    this.evictions[why] = (this.evictions[why] ?? 0) + 1;
  }

  get hitRatio(): number | null {
    const { parked, ready, waited, cold } = this.claims;
    const all = parked + ready + waited + cold;
    return all === 0 ? null : (parked + ready) / all;
  }

  get claimWaitMs(): { p50: number; p99: number } | null {
    const p50 = this.#waits.percentile(0.5);
    const p99 = this.#waits.percentile(0.99);
    return p50 === undefined || p99 === undefined ? null : { p50, p99 };
  }
}
