/** How the pool does: counted as it happens, summed up when it is asked for. */
import type { ClaimedFrom } from "./events.ts";
import type { Eviction } from "./member.ts";
import type { Room } from "./room.ts";
import { Samples } from "./samples.ts";
import type { Shelf } from "./shelf.ts";
import type { Starts } from "./starts.ts";

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

  /** Undefined where no wait is over. */
  waited(ms: number | undefined): void {
    if (ms !== undefined) this.#waits.add(ms);
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

interface Counted {
  readonly room: Room;
  readonly starts: Starts;
  readonly shelves: Iterable<Shelf>;
  readonly waiting: number;
}

export function figuresOf(counts: PoolCounts, { room, starts, shelves, waiting }: Counted): PoolFigures {
  const sessions = { cold: 0, warming: 0, ready: 0, claimed: 0, parked: 0, draining: 0, evicted: 0 };
  for (const { state } of room.members) sessions[state.is] += 1;
  const { cold, warming, ready, claimed, parked, draining } = sessions;
  let target = 0;
  for (const shelf of shelves) target += shelf.target;
  return {
    ...{ ready, target, warming, claimed: claimed + cold, parked, draining, waiting },
    starting: starts.underWay,
    startsMax: starts.max,
    memoryBytes: room.bytes,
    memoryBytesMax: room.bytesMax,
    claims: { ...counts.claims },
    hitRatio: counts.hitRatio,
    claimWaitMs: counts.claimWaitMs,
    evictions: { ...counts.evictions },
  };
}
