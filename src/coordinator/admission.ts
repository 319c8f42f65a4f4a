/**
 * Fan-out: at most `max` children of one agent are at work at a time. A further one exists, queued, and starts when
 * a sibling ends: in the order of spawning.
 */
import type { AgentId } from "../base/ids.ts";

export class Admission {
  readonly #max: number;
  readonly #admitted = new Map<AgentId, Set<AgentId>>();
  readonly #queues = new Map<AgentId, Set<AgentId>>();

  constructor(max: number) {
    this.#max = max;
  }

  /** True when the child may start now; otherwise it is in the queue. Asking again changes nothing. */
  admit(parent: AgentId, child: AgentId): boolean {
    const admitted = this.#admitted.get(parent) ?? new Set();
    if (admitted.has(child)) return true;
    if (admitted.size >= this.#max) {
      const queue = this.#queues.get(parent) ?? new Set();
      this.#queues.set(parent, queue.add(child));
      return false;
    }
    this.#queues.get(parent)?.delete(child);
    this.#admitted.set(parent, admitted.add(child));
    return true;
  }

  /** Notes that a child has ended; returns the one that now has its place. */
  leave(parent: AgentId, child: AgentId): AgentId | undefined {
    const admitted = this.#admitted.get(parent);
    const queue = this.#queues.get(parent);
    queue?.delete(child);
    if (!admitted?.delete(child)) return undefined;
    const [next] = queue ?? [];
    // The place is taken at once: two children that end together must not both name the same successor.
    if (next !== undefined) {
      queue?.delete(next);
      admitted.add(next);
    }
    if (admitted.size === 0) this.#admitted.delete(parent);
    if (queue?.size === 0) this.#queues.delete(parent);
    return next;
  }
}
