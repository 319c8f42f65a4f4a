/** Which ancestors stand fixed above the rows: those of the row below them, so that one sees where one is at any depth. */
import { at } from "./columns.ts";
import type { Fleet } from "./fleet.ts";

const STICKY_MAX = 6;

/** Ordinals from the top; of a long way the root and the nearest. `first` is the row at the upper edge, which they cover. */
export function stickyAncestors(fleet: Fleet, rows: ArrayLike<number>, first: number, top: number): number[] {
  // They cover as many rows as they are: they must be the ancestors of the first row that they do not cover.
  for (let size = 0; size <= STICKY_MAX; size++) {
    const row = rows[Math.min(first + size, rows.length - 1)];
    if (row === undefined) return [];
    const stack = shortened(chainAbove(fleet, row, top));
    if (stack.length > size) continue;
    // Where the next row is less deep, what stands further down than they reach is in view by itself.
    return stack.filter((agent) => !isBelow(rows, agent, first + stack.length));
  }
  return [];
}

function shortened(chain: readonly number[]): number[] {
  return chain.length > STICKY_MAX ? [chain[0] ?? 0, ...chain.slice(1 - STICKY_MAX)] : [...chain];
}

function isBelow(rows: ArrayLike<number>, agent: number, from: number): boolean {
  for (let index = from; index < Math.min(from + STICKY_MAX, rows.length); index++)
    if (rows[index] === agent) return true;
  return false;
}

function chainAbove(fleet: Fleet, agent: number, top: number): number[] {
  const chain: number[] = [];
  if (agent === top) return chain;
  for (let above = at(fleet.parent, agent); above >= 0; above = at(fleet.parent, above)) {
    chain.push(above);
    if (above === top) break;
  }
  return chain.reverse();
}
