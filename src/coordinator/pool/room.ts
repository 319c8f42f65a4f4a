/**
 * The memory of the pool's sessions. It is charged before a session begins and freed once it has been closed: what is on its way out
 * still counts (P1 of the pool).
 *
 * M1  Room is made by closing what nobody uses: ready sessions first, then parked ones, those that have waited longest first.
 */
import { asBanyanError } from "../../base/errors.ts";
import type { Session, Warm } from "../../drivers/driver.ts";
import type { Eviction, Member } from "./member.ts";

export interface RoomParts {
  readonly bytesMax: number;
  /** Bytes that the machine has left; absent where nobody knows. */
  readonly bytesFree?: (() => number) | undefined;
  /** Bytes that the machine is left with at least. */
  readonly bytesSpare: number;
  /** Closes one that nobody uses, for its memory. */
  readonly close: (member: Member) => void;
  /** A session has been closed; `message` says what went wrong with that. */
  readonly closed: (member: Member, why: Eviction, message: string | undefined) => void;
}

export class Room {
  readonly #with: RoomParts;
  readonly members = new Set<Member>();
  /** Those that may be closed, in the order in which they came to rest. */
  readonly #idle = new Set<Member>();
  #charged = 0;
  /** Of that: on its way to being free. */
  #leaving = 0;

  constructor(parts: RoomParts) {
    this.#with = parts;
  }

  get bytes(): number {
    return this.#charged;
  }

  get bytesMax(): number {
    return this.#with.bytesMax;
  }

  /** Of the bound. */
  get bytesLeft(): number {
    return Math.max(0, this.#with.bytesMax - this.#charged);
  }

  add(member: Member): void {
    this.members.add(member);
    member.shelf.members += 1;
    this.#charged += member.bytes;
  }

  /** It runs nothing any more, or never did. */
  remove(member: Member): void {
    member.become({ is: "evicted" });
    this.members.delete(member);
    member.shelf.members -= 1;
    this.#charged -= member.bytes;
  }

  recharge(member: Member, bytes: number): void {
    if (!this.members.has(member) || member.state.is === "draining") return;
    this.#charged += bytes - member.bytes;
    member.bytes = bytes;
  }

  /** Nobody uses it: it may be closed. */
  rests(member: Member): void {
    this.#idle.add(member);
  }

  /** False when it has been closed meanwhile. */
  wakes(member: Member): boolean {
    return this.#idle.delete(member);
  }

  /** Those that nobody uses, the longest unused first. */
  get idle(): Iterable<Member> {
    return this.#idle;
  }

  /** True when so much more fits now. */
  fits(bytes: number): boolean {
    return this.#charged + bytes <= this.#with.bytesMax && this.#isSpared(bytes);
  }

  /** The same; otherwise what must go for it is being closed, if there is enough of it. */
  makeFor(bytes: number): boolean {
    if (this.fits(bytes)) return true;
    // What the machine lacks may be taken by others: one at a time is closed for it.
    if (this.#charged + bytes <= this.#with.bytesMax) {
      if (this.#leaving === 0) this.#closeOne();
      return false;
    }
    while (this.#charged - this.#leaving + bytes > this.#with.bytesMax && this.#closeOne());
    return false;
  }

  /** Closes what nobody uses until the bound holds, as sessions have grown. */
  shrink(): void {
    while (this.#charged - this.#leaving > this.#with.bytesMax && this.#closeOne());
  }

  /** Closes one. Never rejects. */
  drain(member: Member, why: Eviction, kept: Session | Warm): Promise<void> {
    this.#idle.delete(member);
    this.#leaving += member.bytes;
    const close = async () => {
      let message: string | undefined;
      try {
        await kept.close();
      } catch (error) {
        message = asBanyanError(error).message;
      }
      this.#leaving -= member.bytes;
      this.remove(member);
      this.#with.closed(member, why, message);
    };
    // What it closes is told as closed in a later moment, whatever the driver does.
    const closed = Promise.resolve().then(close);
    member.become({ is: "draining", why, closed });
    return closed;
  }

  /** M1. */
  #closeOne(): boolean {
    let next: Member | undefined;
    for (const member of this.#idle) {
      next ??= member;
      if (member.state.is !== "ready") continue;
      next = member;
      break;
    }
    if (!next) return false;
    this.#with.close(next);
    return true;
  }

  #isSpared(bytes: number): boolean {
    const { bytesFree, bytesSpare } = this.#with;
    return !bytesFree || bytesFree() - bytes >= bytesSpare;
  }
}
