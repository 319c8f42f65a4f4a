/**
 * A queue that is fair to trees by the size of what they ask for: start-time fair queueing (Goyal, Vin, Cheng: SIGCOMM 1996).
 * Within a tree the deepest goes first, because its ancestors wait for it; within a level, the first that came.
 *
 * Q1  While two trees wait, what they were given differs by no more than the largest request of each.
 * Q2  A tree that comes late owes nothing and is owed nothing.
 */
import type { AgentId } from "../../base/ids.ts";

export interface Place {
  readonly agent: AgentId;
  readonly tree: AgentId;
  readonly level: number;
  /** What it takes of what is shared; above zero. */
  readonly size: number;
}

interface Line<T> {
  given: number;
  readonly levels: Map<number, Set<T>>;
}

export class FairQueue<T extends Place> {
  readonly #lines = new Map<AgentId, Line<T>>();
  readonly #agents = new Set<AgentId>();
  /** What the tree that was served last had been given before. */
  #given = 0;

  get length(): number {
    return this.#agents.size;
  }

  has(agent: AgentId): boolean {
    return this.#agents.has(agent);
  }

  add(place: T): void {
    const line = this.#lines.get(place.tree) ?? { given: this.#given, levels: new Map() };
    const level = line.levels.get(place.level) ?? new Set();
    line.levels.set(place.level, level.add(place));
    this.#lines.set(place.tree, line);
    this.#agents.add(place.agent);
  }

  /** Whose turn it is. */
  first(): T | undefined {
    let next: Line<T> | undefined;
    for (const line of this.#lines.values()) if (!next || line.given < next.given) next = line;
    if (!next) return undefined;
    const [first] = next.levels.get(Math.max(...next.levels.keys())) ?? [];
    return first;
  }

  /** Serves the one whose turn it is. */
  take(place: T): void {
    const line = this.#lines.get(place.tree);
    const level = line?.levels.get(place.level);
    if (!line || !level?.delete(place)) return;
    this.#agents.delete(place.agent);
    this.#given = line.given;
    line.given += place.size;
    if (level.size === 0) line.levels.delete(place.level);
    if (line.levels.size === 0) this.#lines.delete(place.tree);
  }
}
