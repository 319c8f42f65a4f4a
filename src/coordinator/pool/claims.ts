/** Agents that want a session: those that wait in the queue, and those that were told to come for one. */
import type { AgentId } from "../../base/ids.ts";
import { FairQueue, type Place } from "../fairness/fair-queue.ts";
import type { Shelf } from "./shelf.ts";

export interface Claim extends Place {
  readonly shelf: Shelf;
  readonly takesWarm: boolean;
  readonly sinceMs: number;
  /** Its agent was told to wait. */
  hasWaited: boolean;
}

export class Claims {
  readonly #open = new Map<AgentId, Claim>();
  readonly #queue = new FairQueue<Claim>();

  get waiting(): number {
    return this.#queue.length;
  }

  get(agent: AgentId): Claim | undefined {
    return this.#open.get(agent);
  }

  /** Has it wait, for the first time or again. */
  add(claim: Claim): void {
    if (!this.#open.has(claim.agent)) claim.shelf.claims += 1;
    this.#open.set(claim.agent, claim);
    this.#queue.add(claim);
  }

  /** Whose turn it is. */
  first(): Claim | undefined {
    return this.#queue.first();
  }

  /** Whose turn it is among those whom a ready session suits. */
  firstForReady(): Claim | undefined {
    return this.#queue.firstOf(({ shelf, takesWarm }) => takesWarm && shelf.ready.size > 0);
  }

  /** Its agent is told to come. */
  call(claim: Claim): void {
    this.#queue.take(claim);
  }

  /** It has a session, or wants none any more. */
  close(agent: AgentId): void {
    const claim = this.#open.get(agent);
    if (!claim) return;
    this.#open.delete(agent);
    this.#queue.drop(claim);
    claim.shelf.claims -= 1;
  }

  /** Those that began before. */
  olderThan(sinceMs: number): Claim[] {
    return [...this.#open.values()].filter((claim) => claim.sinceMs <= sinceMs);
  }

  get agents(): AgentId[] {
    return [...this.#open.keys()];
  }
}
