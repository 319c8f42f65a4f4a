/**
 * Starts of sessions, as many at a time as the machine has cores: each takes most of a second of a processor, so that twenty at once
 * are all ready later than if they had queued (docs/decisions/claude-driver.md).
 *
 * A1  No more than `max` are under way.
 * A2  A session that must start now, and so has a slot and memory, goes before one that is to begin: a start that was set aside for an
 *     agent which has not come yet is taken from it. So what waits here waits for starts that are under way, and for nothing else.
 * A3  Among those that must start now trees take turns.
 */
import { FairQueue, type Place } from "../fairness/fair-queue.ts";
import type { Member } from "./member.ts";

interface Waiting extends Place {
  readonly enter: () => void;
}

export class Starts {
  readonly max: number;
  readonly #onFree: () => void;
  /** Under way or set aside. */
  #taken = 0;
  /** Members for which one is set aside. */
  readonly #aside = new Set<Member>();
  readonly #waiting = new FairQueue<Waiting>();

  /** `onFree` is told when one may be set aside. */
  constructor(max: number, onFree: () => void) {
    this.max = max;
    this.#onFree = onFree;
  }

  get underWay(): number {
    return this.#taken - this.#aside.size;
  }

  get isFree(): boolean {
    return this.#taken < this.max && this.#waiting.length === 0;
  }

  /** Takes one that is free; `leave` is owed. */
  take(): void {
    this.#taken += 1;
  }

  /** Takes one that is free, for when the member's agent comes. */
  setAside(member: Member): void {
    this.#taken += 1;
    this.#aside.add(member);
  }

  /** The member does not start after all. */
  forgo(member: Member): void {
    if (this.#aside.delete(member)) this.leave();
  }

  /** Resolves when the member may start; then `leave` is owed. Rejects with the signal's reason when it is aborted before. */
  async enter(member: Member, place: Place, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#aside.delete(member)) return;
    if (this.isFree) return this.take();
    const [aside] = this.#aside;
    // A2.
    if (aside && this.#aside.delete(aside)) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting: Waiting = { ...place, enter: resolve };
    const onAbort = () => {
      this.#waiting.drop(waiting);
      reject(signal?.reason);
    };
    this.#waiting.add(waiting);
    signal?.addEventListener("abort", onAbort, { once: true });
    await promise;
    signal?.removeEventListener("abort", onAbort);
  }

  leave(): void {
    const next = this.#waiting.first();
    if (next) {
      this.#waiting.take(next);
      next.enter();
      return;
    }
    this.#taken -= 1;
    this.#onFree();
  }
}
