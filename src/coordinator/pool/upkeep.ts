/**
 * What the pool does from time to time: it closes what has idled or is old, measures, and lets go of shelves that nobody uses.
 *
 * U1  A process whose agents want no session has no timer.
 */
import type { Clock, Timer } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import { measure } from "./measure.ts";
import type { Eviction, Member } from "./member.ts";
import type { Room } from "./room.ts";
import type { Shelf } from "./shelf.ts";
import type { Stock } from "./stock.ts";

export interface UpkeepParts {
  readonly clock: Clock;
  readonly room: Room;
  readonly stock: Stock;
  readonly shelves: Map<string, Shelf>;
  readonly idleMsMax: number;
  readonly evict: (member: Member, why: Eviction) => void;
  /** Has the autoscaler look at a shelf. */
  readonly scale: (shelf: Shelf) => void;
  /** After each look. */
  readonly looked: (nowMs: number) => void;
}

export class Upkeep {
  readonly #with: UpkeepParts;
  #timer: Timer | undefined;
  /** When sessions were last asked what they take; not while they are being asked. */
  #measuredMs = 0;
  #isStopped = false;

  constructor(parts: UpkeepParts) {
    this.#with = parts;
  }

  /** U1. There is something to look after. */
  goOn(): void {
    const { clock, shelves } = this.#with;
    if (this.#timer || this.#isStopped || shelves.size === 0) return;
    this.#timer = clock.timer(LIMITS.poolTickMs, () => {
      this.#timer = undefined;
      this.#look();
      this.goOn();
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #look(): void {
    const { clock, room, stock, shelves, idleMsMax, evict, scale, looked } = this.#with;
    const nowMs = clock.monotonic();
    for (const member of [...room.idle]) {
      if (member.state.is !== "parked") continue;
      if (nowMs - member.state.sinceMs >= idleMsMax) evict(member, "idle");
      else if (member.oldMs <= nowMs) evict(member, "age");
    }
    for (const [key, shelf] of shelves) {
      const isUnused = nowMs - shelf.usedMs >= idleMsMax && shelf.claims === 0;
      if (isUnused) shelf.target = 0;
      else scale(shelf);
      stock.clear(shelf, nowMs);
      if (isUnused && shelf.members === 0) shelves.delete(key);
    }
    if (nowMs - this.#measuredMs >= LIMITS.poolMeasureMs) this.#measure();
    looked(nowMs);
  }

  #measure(): void {
    this.#measuredMs = Number.POSITIVE_INFINITY;
    void measure(this.#with.room).finally(() => {
      this.#measuredMs = this.#with.clock.monotonic();
    });
  }
}
