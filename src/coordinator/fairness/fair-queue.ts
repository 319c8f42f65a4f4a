/**
 * A queue that is fair to trees by the size of what they ask for: start-time fair queueing (Goyal, Vin, Cheng: SIGCOMM 1996).
 * Within a tree the deepest goes first, because its ancestors wait for it; within a level, the first that came.
 *
 * Q1  While two trees wait, what they were given differs by no more than the largest request of each.
 * Q2  A tree that comes late is owed nothing. One that left and comes back is served no sooner than if it had stayed.
 */
import type { AgentId } from "../../base/ids.ts";
import { Departed } from "./departed.ts";

export interface Place {
  readonly agent: AgentId;
  readonly tree: AgentId;
  readonly level: number;
  /** What it takes of what is shared; above zero. */
  readonly size: number;
}

interface Line<T> {
  given: number;
  waiting: number;
  readonly levels: Map<number, Set<T>>;
}

export class FairQueue<T extends Place> {
  readonly #lines = new Map<AgentId, Line<T>>();
  readonly #agents = new Set<AgentId>();
  readonly #departed = new Departed<AgentId>();

  get length(): number {
    return this.#agents.size;
  }

  has(agent: AgentId): boolean {
    return this.#agents.has(agent);
  }

  add(place: T): void {
    const line = this.#lines.get(place.tree) ?? {
      given: this.#departed.come(place.tree),
      waiting: 0,
      levels: new Map(),
    };
    const level = line.levels.get(place.level) ?? new Set();
    line.levels.set(place.level, level.add(place));
    line.waiting += 1;
    this.#lines.set(place.tree, line);
    this.#agents.add(place.agent);
  }

  /** Whose turn it is, of those whose tree may be served. */
  first(mayServe: (tree: AgentId) => boolean = () => true): T | undefined {
    let next: Line<T> | undefined;
    for (const [tree, line] of this.#lines) if ((!next || line.given < next.given) && mayServe(tree)) next = line;
    if (!next) return undefined;
    const [first] = next.levels.get(Math.max(...next.levels.keys())) ?? [];
    return first;
  }

  /** Whose turn it is among those that something suits. */
  firstOf(suits: (place: T) => boolean): T | undefined {
    for (const { levels } of [...this.#lines.values()].sort((a, b) => a.given - b.given)) {
      for (const level of [...levels.keys()].sort((a, b) => b - a)) {
        for (const place of levels.get(level) ?? []) if (suits(place)) return place;
      }
    }
    return undefined;
  }

  /** Serves one whose turn it is. */
  take(place: T): void {
    const line = this.#lines.get(place.tree);
    if (!line || !this.#remove(place, line)) return;
    this.#departed.serve(line.given);
    line.given += place.size;
    this.#tidy(place.tree, line);
  }

  /** Takes one out that was not served. False when it does not wait. */
  drop(place: T): boolean {
    const line = this.#lines.get(place.tree);
    if (!line || !this.#remove(place, line)) return false;
    this.#tidy(place.tree, line);
    return true;
  }

  /** The trees that wait, and how many places each has. */
  get lines(): { readonly tree: AgentId; readonly waiting: number }[] {
    return [...this.#lines].map(([tree, { waiting }]) => ({ tree, waiting }));
  }

  #remove(place: T, line: Line<T>): boolean {
    const level = line.levels.get(place.level);
    if (!level?.delete(place)) return false;
    this.#agents.delete(place.agent);
    line.waiting -= 1;
    if (level.size === 0) line.levels.delete(place.level);
    return true;
  }

  #tidy(tree: AgentId, line: Line<T>): void {
    if (line.levels.size > 0) return;
    this.#lines.delete(tree);
    this.#departed.leave(tree, line.given);
    if (this.#lines.size === 0) this.#departed.forget();
  }
}
