/**
 * The ready sessions: warmed up to each shelf's target, taken by agents, closed when they are too many or too old.
 *
 * T1  Warming waits for everybody else: it takes a start and memory that nobody needs, and closes no session that an agent had.
 * T2  What could not be warmed is tried again after a while, each time after twice as long.
 */
import type { Clock } from "../../base/clock.ts";
import { asBanyanError, BanyanError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Warm } from "../../drivers/driver.ts";
import type { PoolHappening } from "./events.ts";
import { type Eviction, Member } from "./member.ts";
import type { Room } from "./room.ts";
import type { Shelf } from "./shelf.ts";
import type { Starts } from "./starts.ts";

export interface StockParts {
  readonly clock: Clock;
  readonly room: Room;
  readonly starts: Starts;
  /** How old a session that begins now may get. */
  readonly oldMs: () => number;
  readonly tell: (shelf: Shelf, happening: PoolHappening) => void;
  /** One is ready. */
  readonly onReady: () => void;
}

export class Stock {
  readonly #with: StockParts;
  readonly #warming = new Set<Promise<void>>();
  #size = 0;

  constructor(parts: StockParts) {
    this.#with = parts;
  }

  /** Sessions that are ready and nobody's. */
  get size(): number {
    return this.#size;
  }

  /** The one that has been ready longest; the caller owns it now. */
  take(shelf: Shelf): Member | undefined {
    const [member] = shelf.ready;
    if (member) this.#remove(member);
    return member;
  }

  /** Ready, and nobody's. */
  put(member: Member, warm: Warm): void {
    member.become({ is: "ready", warm, sinceMs: this.#with.clock.monotonic(), agent: undefined });
    member.shelf.ready.add(member);
    this.#size += 1;
    this.#with.room.rests(member);
  }

  /** T1. Warms what is missing most, as far as there is room. */
  fill(shelves: Iterable<Shelf>): void {
    const { room, starts } = this.#with;
    const nowMs = this.#with.clock.monotonic();
    const short = [...shelves].filter(
      (shelf) => missing(shelf) > 0 && shelf.failedUntilMs <= nowMs && shelf.profile.warm,
    );
    while (starts.isFree) {
      let most: Shelf | undefined;
      for (const shelf of short) if (missing(shelf) > (most ? missing(most) : 0)) most = shelf;
      if (!most || !room.fits(most.bytes)) return;
      starts.take();
      this.#warm(most);
    }
  }

  /** Closes those that are more than wanted, or old. */
  clear(shelf: Shelf, nowMs: number): void {
    const surplus = shelf.ready.size - shelf.target;
    let index = 0;
    for (const member of [...shelf.ready]) {
      const why: Eviction | undefined = index < surplus ? "surplus" : member.oldMs <= nowMs ? "age" : undefined;
      index += 1;
      if (why && member.state.is === "ready") void this.close(member, why, member.state.warm);
    }
  }

  close(member: Member, why: Eviction, warm: Warm): Promise<void> {
    this.#remove(member);
    return this.#with.room.drain(member, why, warm);
  }

  /** Resolves when nothing is being warmed any more. */
  async stop(): Promise<void> {
    for (const { state } of this.#with.room.members) if (state.is === "warming") state.abort.abort(STOPPED);
    await Promise.all(this.#warming);
  }

  #remove(member: Member): void {
    if (!member.shelf.ready.delete(member)) return;
    this.#size -= 1;
    this.#with.room.wakes(member);
  }

  #warm(shelf: Shelf): void {
    const abort = new AbortController();
    const member = new Member(shelf, { is: "warming", abort }, this.#with.oldMs());
    shelf.warming.add(member);
    this.#with.room.add(member);
    this.#with.tell(shelf, { type: "warming" });
    const warming = this.#warmUp(member, abort).finally(() => this.#warming.delete(warming));
    this.#warming.add(warming);
  }

  async #warmUp(member: Member, abort: AbortController): Promise<void> {
    const { clock, room, starts, tell, onReady } = this.#with;
    const { shelf } = member;
    const startMs = clock.monotonic();
    const limit = clock.timer(LIMITS.poolWarmMsMax, () =>
      abort.abort(new BanyanError("TIMED_OUT", "it did not get warm")),
    );
    try {
      const warm = await shelf.profile.warm?.(abort.signal);
      if (!warm) throw new BanyanError("INTERNAL", "what cannot be warmed was to be");
      shelf.warming.delete(member);
      const tookMs = clock.monotonic() - startMs;
      shelf.started(tookMs);
      shelf.failures = 0;
      this.put(member, warm);
      tell(shelf, { type: "ready", tookMs });
      if (abort.signal.aborted) void this.close(member, "stopped", warm);
    } catch (error) {
      shelf.warming.delete(member);
      room.remove(member);
      shelf.failures += 1;
      shelf.failedUntilMs = clock.monotonic() + Math.min(LIMITS.retryMsMax, LIMITS.retryMsMin * 2 ** shelf.failures);
      tell(shelf, { type: "warmFailed", message: asBanyanError(error).message });
    } finally {
      limit.cancel();
      starts.leave();
      onReady();
    }
  }
}

function missing({ target, ready, warming }: Shelf): number {
  return target - ready.size - warming.size;
}

const STOPPED = new BanyanError("SHUTTING_DOWN", "the runtime is stopping");
