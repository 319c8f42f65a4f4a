/**
 * Slots: how many agents work (call a model, run tools) at once in this process. Trees take turns, so that a large one
 * cannot starve a small one; within a tree the deepest agent goes first, because its ancestors wait for it.
 *
 * S1  No more than `max` slots are out at once.
 * S2  Every tree that asks gets a slot after at most as many grants as there are trees asking.
 */
import type { AgentId } from "../base/ids.ts";

interface Request {
  readonly level: number;
  readonly grant: () => void;
}

export class Slots {
  readonly #max: number;
  #taken = 0;
  /** Trees that ask, in the order of their next turn; requests of each by level. */
  readonly #asking = new Map<AgentId, Map<number, Request[]>>();
  #waiting = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get taken(): number {
    return this.#taken;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Resolves when the caller has a slot, which it must give back with `release`. */
  acquire(tree: AgentId, level: number): Promise<void> | undefined {
    if (this.#taken < this.#max && this.#waiting === 0) {
      this.#taken += 1;
      return undefined;
    }
    return new Promise((grant) => {
      const levels = this.#asking.get(tree) ?? new Map<number, Request[]>();
      const requests = levels.get(level) ?? [];
      requests.push({ level, grant });
      levels.set(level, requests);
      this.#asking.set(tree, levels);
      this.#waiting += 1;
    });
  }

  release(): void {
    this.#taken -= 1;
    const next = this.#next();
    if (!next) return;
    this.#taken += 1;
    next.grant();
  }

  #next(): Request | undefined {
    const first = this.#asking.entries().next();
    if (first.done) return undefined;
    const [tree, levels] = first.value;
    const deepest = Math.max(...levels.keys());
    const requests = levels.get(deepest) ?? [];
    const request = requests.shift();
    if (requests.length === 0) levels.delete(deepest);
    this.#asking.delete(tree);
    if (levels.size > 0) this.#asking.set(tree, levels);
    this.#waiting -= 1;
    return request;
  }
}
