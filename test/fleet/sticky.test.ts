import { expect, test } from "vitest";
import { at } from "../../src/fleet/columns.ts";
import { Fleet } from "../../src/fleet/fleet.ts";
import { visibleRows } from "../../src/fleet/rows.ts";
import { stickyAncestors } from "../../src/fleet/sticky.ts";
import { GeneratedFleet } from "../support/generated-fleet.ts";

test("what stands above the rows are ancestors of the row below, none of them twice, six at most", () => {
  const fleet = new Fleet();
  for (const frame of new GeneratedFleet({ agents: 2_000, depth: 14, seed: 3 }).frames()) fleet.applyAgents(frame);
  const opened = new Map(Array.from({ length: fleet.count }, (_, agent) => [agent, true]));
  const { agents } = visibleRows(fleet, { top: -1, opened, selected: -1, matches: undefined });
  expect(stickyAncestors(fleet, agents, 0, -1)).toEqual([]);
  for (let first = 1; first < agents.length; first += 7) {
    const stack = stickyAncestors(fleet, agents, first, -1);
    expect(stack.length).toBeLessThanOrEqual(6);
    const below = agents[Math.min(first + stack.length, agents.length - 1)] ?? 0;
    for (const agent of stack) {
      expect(isAbove(fleet, agent, below)).toBe(true);
      expect(agents.indexOf(agent)).toBeLessThan(first + stack.length);
    }
  }
});

function isAbove(fleet: Fleet, agent: number, other: number): boolean {
  for (let above = at(fleet.parent, other); above >= 0; above = at(fleet.parent, above))
    if (above === agent) return true;
  return false;
}
