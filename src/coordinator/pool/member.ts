/**
 * One session of the pool, from the moment that memory is set aside for it until that is free again.
 *
 * E1  What runs is on the state that owns it: a state without its session, or a session in two states, cannot be written.
 * E2  A session that is claimed is never evicted.
 */
import { assert } from "../../base/assert.ts";
import type { AgentId } from "../../base/ids.ts";
import type { Session, Warm } from "../../drivers/driver.ts";
import type { Shelf } from "./shelf.ts";

/** Why a session was closed. */
export const EVICTIONS = [
  /** Its agent has ended, or dropped it. */
  "ended",
  "idle",
  "age",
  /** Its profile is another one now. */
  "changed",
  "unhealthy",
  /** Its memory was needed. */
  "memory",
  /** More are ready than the autoscaler wants. */
  "surplus",
  "stopped",
] as const;
export type Eviction = (typeof EVICTIONS)[number];

export type MemberState =
  /** Set aside for an agent whose turn it is; nothing runs. */
  | { readonly is: "cold"; readonly agent: AgentId }
  | { readonly is: "warming"; readonly abort: AbortController }
  /** `agent`: set aside for it. */
  | { readonly is: "ready"; readonly warm: Warm; readonly sinceMs: number; readonly agent: AgentId | undefined }
  | { readonly is: "claimed"; readonly agent: AgentId; readonly session: Session }
  /** Its agent rests. */
  | { readonly is: "parked"; readonly agent: AgentId; readonly session: Session; readonly sinceMs: number }
  | { readonly is: "draining"; readonly why: Eviction; readonly closed: Promise<void> }
  | { readonly is: "evicted" };

/** From where to where; E2 is that nothing leads from `claimed` to `draining` but its agent's end or the pool's. */
const TRANSITIONS: { readonly [From in MemberState["is"]]: readonly MemberState["is"][] } = {
  cold: ["claimed", "evicted"],
  warming: ["ready", "evicted"],
  ready: ["ready", "claimed", "draining"],
  claimed: ["parked", "draining"],
  parked: ["claimed", "draining"],
  draining: ["evicted"],
  evicted: [],
};

export class Member {
  readonly shelf: Shelf;
  /** From here on it is closed when nobody uses it. */
  readonly oldMs: number;
  /** Charged for it. */
  bytes: number;
  /** Since when its agent has waited for it to start; until it has. */
  awaitedMs: number | undefined;
  #state: MemberState;

  constructor(shelf: Shelf, state: MemberState, oldMs: number) {
    this.shelf = shelf;
    this.oldMs = oldMs;
    this.bytes = shelf.bytes;
    this.#state = state;
  }

  get state(): MemberState {
    return this.#state;
  }

  become(next: MemberState): void {
    assert(TRANSITIONS[this.#state.is].includes(next.is), `a session does not go from ${this.#state.is} to ${next.is}`);
    this.#state = next;
  }
}
