/** Where the arrow keys lead in the picture: up to the parent, down to the first child, and along siblings in spawn order; roots are siblings. */
import { at } from "../columns.ts";
import type { Fleet } from "../fleet.ts";

export type Step = "parent" | "child" | "next" | "previous";

type Kin = Pick<Fleet, "count" | "parent" | "firstChild" | "nextSibling" | "firstRoot">;

/** The agent itself where there is nobody in that direction; the first root from nowhere. */
export function stepFrom(fleet: Kin, agent: number, step: Step): number {
  if (agent < 0 || agent >= fleet.count) return fleet.firstRoot;
  const found = kin(fleet, agent, step);
  return found < 0 ? agent : found;
}

function kin(fleet: Kin, agent: number, step: Step): number {
  const parent = at(fleet.parent, agent);
  switch (step) {
    case "parent":
      return parent;
    case "child":
      return at(fleet.firstChild, agent);
    case "next":
      return at(fleet.nextSibling, agent);
    case "previous": {
      let before = -1;
      let sibling = parent < 0 ? fleet.firstRoot : at(fleet.firstChild, parent);
      while (sibling >= 0 && sibling !== agent) {
        before = sibling;
        sibling = at(fleet.nextSibling, sibling);
      }
      return before;
    }
  }
}
