/**
 * Which agents the tree shows, from top to bottom.
 *
 * R1  Order is that of spawning, and never changes: a row moves only when rows above it come or go.
 * R2  A subtree is open when a person opened it; when the person said nothing, it is open while an agent below needs one now, while what
 *     is selected stands below, or while the fleet is small. So healthy subtrees collapse by themselves.
 * R3  Under a filter what matches is shown with all above it, and nothing else.
 */

import { at } from "./columns.ts";
import type { Predicate } from "./filter.ts";
import type { Fleet } from "./fleet.ts";
import { URGENT } from "./problems.ts";

export interface TreeView {
  /** The subtree that fills the page; -1 for all trees. */
  readonly top: number;
  /** What a person opened or closed. */
  readonly opened: ReadonlyMap<number, boolean>;
  /** All above it stay open; -1 for none. */
  readonly selected: number;
  readonly matches: Predicate | undefined;
}

/** A fleet of so many agents is shown as it is. */
const SMALL_FLEET = 40;

export interface VisibleRows {
  /** Ordinals, from top to bottom. */
  readonly agents: Int32Array;
  /** Under a filter: how many match. Without one: all. */
  readonly matching: number;
  /** Under a filter: 1 for an agent that matches. Those shown without are there because of what stands below. */
  readonly marks: Uint8Array | undefined;
}

export function visibleRows(fleet: Fleet, view: TreeView): VisibleRows {
  const { matches } = view;
  const marks = matches ? mark(fleet, matches) : undefined;
  const rows: number[] = [];
  const forced = pathTo(fleet, view.selected);
  walk(fleet, view.top, (agent) => {
    if (marks && (marks[agent] ?? 0) === 0) return false;
    rows.push(agent);
    return marks ? ((marks[agent] ?? 0) & BELOW) > 0 : isOpen(fleet, view, forced, agent);
  });
  let matching = fleet.count;
  if (marks) {
    matching = 0;
    for (let agent = 0; agent < fleet.count; agent++) if (((marks[agent] ?? 0) & ITSELF) > 0) matching += 1;
  }
  return { agents: new Int32Array(rows), matching, marks };
}

export const ITSELF = 1;
const BELOW = 2;

function mark(fleet: Fleet, matches: Predicate): Uint8Array {
  const marks = new Uint8Array(fleet.count);
  // Parents come before their children, so that one pass from the end tells every parent.
  for (let agent = fleet.count - 1; agent >= 0; agent--) {
    if (matches(agent)) marks[agent] = (marks[agent] ?? 0) | ITSELF;
    const parent = at(fleet.parent, agent);
    if ((marks[agent] ?? 0) > 0 && parent >= 0) marks[parent] = (marks[parent] ?? 0) | BELOW;
  }
  return marks;
}

function isOpen(fleet: Fleet, view: TreeView, forced: ReadonlySet<number>, agent: number): boolean {
  if (at(fleet.firstChild, agent) < 0) return false;
  if (forced.has(agent)) return true;
  const opened = view.opened.get(agent);
  if (opened !== undefined) return opened;
  if (fleet.count <= SMALL_FLEET || agent === view.top || at(fleet.parent, agent) < 0) return true;
  return fleet.sums.urgent(agent) > (isUrgent(fleet, agent) ? 1 : 0);
}

function isUrgent(fleet: Fleet, agent: number): boolean {
  return at(fleet.problem, agent) >= URGENT;
}

/** All above an agent, without itself. */
function pathTo(fleet: Fleet, agent: number): Set<number> {
  const path = new Set<number>();
  if (agent < 0 || agent >= fleet.count) return path;
  for (let above = at(fleet.parent, agent); above >= 0; above = at(fleet.parent, above)) path.add(above);
  return path;
}

/** Goes through a subtree, or all trees, in the order of rows; below an agent only when `visit` says so. */
function walk(fleet: Fleet, top: number, visit: (agent: number) => boolean): void {
  let agent = top >= 0 ? top : fleet.firstRoot;
  while (agent >= 0) {
    let next = visit(agent) ? at(fleet.firstChild, agent) : -1;
    for (let up = agent; next < 0; up = at(fleet.parent, up)) {
      if (up < 0 || up === top) return;
      next = at(fleet.nextSibling, up);
    }
    agent = next;
  }
}

/** Whether two lists of rows are the same: most changes of a fleet are values, and move no row. */
export function areSameRows(one: Int32Array, other: Int32Array): boolean {
  if (one.length !== other.length) return false;
  for (let index = 0; index < one.length; index++) if (one[index] !== other[index]) return false;
  return true;
}
