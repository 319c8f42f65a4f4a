/**
 * Where the keys lead in the picture: up to the parent, down to the first child, and along a level: siblings in spawn order, behind the
 * last of them the next parent's. So everybody is reached by two keys.
 */
import { at } from "../columns.ts";
import type { Fleet } from "../fleet.ts";
import type { Layout } from "./layout.ts";

export type Step = "parent" | "child" | "next" | "previous";

type Kin = Pick<Fleet, "count" | "parent" | "firstChild" | "firstRoot" | "level">;
type Levels = Pick<Layout, "order" | "levels">;

/** The agent itself where there is nobody in that direction; the first root from nowhere. */
export function stepFrom(fleet: Kin, levels: Levels, agent: number, step: Step): number {
  if (agent < 0 || agent >= fleet.count) return fleet.firstRoot;
  const found =
    step === "parent"
      ? at(fleet.parent, agent)
      : step === "child"
        ? at(fleet.firstChild, agent)
        : along(fleet, levels, agent, step === "next" ? 1 : -1);
  return found < 0 ? agent : found;
}

/** -1 past an end of the level. */
function along(fleet: Kin, { order, levels }: Levels, agent: number, by: number): number {
  const level = at(fleet.level, agent);
  const place = order.indexOf(agent, at(levels, level)) + by;
  return place < at(levels, level) || place >= at(levels, level + 1) ? -1 : at(order, place);
}
