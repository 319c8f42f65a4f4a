import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { at } from "../../src/fleet/columns.ts";
import { parseFilter } from "../../src/fleet/filter.ts";
import { Fleet } from "../../src/fleet/fleet.ts";
import { ITSELF, type TreeView, visibleRows } from "../../src/fleet/rows.ts";
import { nextProblem, triage } from "../../src/fleet/triage.ts";
import { GeneratedFleet, STATUSES } from "../support/generated-fleet.ts";

const VIEW: TreeView = { top: -1, opened: new Map(), selected: -1, matches: undefined };

function load(generated: GeneratedFleet): Fleet {
  const fleet = new Fleet();
  for (const frame of generated.frames()) fleet.applyAgents(frame);
  return fleet;
}

/** 10,000 agents of whom one has failed, deep down. */
function oneSick() {
  const generated = new GeneratedFleet({ agents: 10_000, depth: 14, seed: 7 });
  const sick = generated.columns.level.indexOf(10);
  const parent = generated.columns.parent[sick] ?? 0;
  generated.columns.lastMs[parent] = generated.timeMs - 60_000;
  const fleet = load(generated);
  fleet.applyChanges(
    generated.set(sick, { status: STATUSES.indexOf("failed"), endedMs: generated.timeMs, problem: "gone" }),
  );
  return { generated, fleet, sick };
}

describe("rows of the tree", () => {
  test("R2: healthy subtrees are closed, and the way to the sick agent is open", () => {
    const { fleet, sick } = oneSick();
    const { agents } = visibleRows(fleet, VIEW);
    expect(agents).toContain(sick);
    expect(agents.length).toBeLessThan(1_000);
    for (const agent of agents) {
      const child = at(fleet.firstChild, agent);
      const open = child >= 0 && agents.includes(child);
      if (open) expect(agent === 0 || fleet.sums.urgent(agent) > 0).toBe(true);
    }
  });

  test("R2: what a person opened or closed stays so", () => {
    const { fleet } = oneSick();
    const root = visibleRows(fleet, { ...VIEW, opened: new Map([[0, false]]) }).agents;
    expect(Array.from(root)).toEqual([0]);
    const all = new Map(Array.from({ length: fleet.count }, (_, agent) => [agent, true]));
    expect(visibleRows(fleet, { ...VIEW, opened: all }).agents).toHaveLength(10_000);
  });

  test("R2: all above what is selected is open, whatever was closed", () => {
    const { fleet, sick } = oneSick();
    const { agents } = visibleRows(fleet, { ...VIEW, opened: new Map([[0, false]]), selected: sick });
    expect(agents).toContain(sick);
  });

  test("R1: rows stand in spawn order, each below its parent", () => {
    const shape = fc.record({
      agents: fc.integer({ min: 1, max: 400 }),
      depth: fc.integer({ min: 1, max: 12 }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(shape, fc.infiniteStream(fc.boolean()), (given, choices) => {
        const fleet = load(new GeneratedFleet(given));
        const opened = new Map<number, boolean>();
        for (let agent = 0; agent < fleet.count; agent++) opened.set(agent, choices.next().value === true);
        const { agents } = visibleRows(fleet, { ...VIEW, opened });
        const places = new Map(Array.from(agents, (agent, place) => [agent, place]));
        for (const [agent, place] of places) {
          const parent = at(fleet.parent, agent);
          if (parent >= 0) expect(places.get(parent) ?? Number.NaN).toBeLessThan(place);
          const next = at(fleet.nextSibling, agent);
          if (next >= 0) expect(places.get(next) ?? Number.NaN).toBeGreaterThan(place);
        }
      }),
    );
  });

  test("R3: a filter shows what matches with all above it, and nothing else", () => {
    const { fleet, sick } = oneSick();
    const { matches } = parseFilter("status:failed");
    const { agents, matching, marks } = visibleRows(fleet, { ...VIEW, matches: matches?.(fleet) });
    expect(matching).toBe(1);
    expect(agents.at(-1)).toBe(sick);
    expect(agents).toHaveLength(at(fleet.level, sick) + 1);
    expect(Array.from(agents).filter((agent) => ((marks?.[agent] ?? 0) & ITSELF) > 0)).toEqual([sick]);
  });

  test("a subtree can fill the page", () => {
    const { fleet } = oneSick();
    const { agents } = visibleRows(fleet, { ...VIEW, top: 3, opened: new Map([[3, true]]) });
    expect(agents[0]).toBe(3);
    expect(Array.from(agents.slice(1)).every((agent) => agent > 3)).toBe(true);
  });
});

describe("triage", () => {
  test("the one failing agent among 10,000 is first, and the next problem from anywhere", () => {
    const { fleet, sick } = oneSick();
    const { troubles } = triage(fleet, 100);
    expect(troubles[0]).toMatchObject({ agent: sick, problem: "failed", urgent: true });
    for (const from of [-1, 0, 17, sick, 9_999]) expect(nextProblem(fleet, from)).toBe(sick);
  });

  test("P2: a failure from which the parent went on is worth a look, and is history once the parent has ended", () => {
    const { generated, fleet, sick } = oneSick();
    const parent = at(fleet.parent, sick);
    fleet.applyChanges(generated.set(parent, { lastMs: generated.timeMs + 3_000 }));
    fleet.tick(fleet.timeMs + 1_000);
    expect(triage(fleet, 100).troubles[0]).toMatchObject({ agent: sick, problem: "failedHandled", urgent: false });
    fleet.applyChanges(generated.set(parent, { status: STATUSES.indexOf("completed"), endedMs: generated.timeMs }));
    expect(triage(fleet, 100).troubles).toEqual([]);
  });

  test("silence, waiting for a person, waiting for a provider and a budget nearly spent are each found", () => {
    const generated = new GeneratedFleet({ agents: 9, depth: 9, seed: 2 });
    generated.columns.budgetUsd[0] = 0;
    const fleet = load(generated);
    const late = (agent: number, values: object) => fleet.applyChanges(generated.set(agent, values));
    late(8, { status: STATUSES.indexOf("running"), waiting: "", lastMs: generated.timeMs - 121_000 });
    late(7, { status: STATUSES.indexOf("waiting"), waiting: "approval" });
    late(6, { status: STATUSES.indexOf("waiting"), waiting: "rateLimit", lastMs: generated.timeMs - 61_000 });
    fleet.budgetUsd[5] = fleet.subtreeUsd(5) / 0.9;
    fleet.tick(fleet.timeMs);
    expect(triage(fleet, 9).troubles.map(({ agent, problem }) => [agent, problem])).toEqual([
      [7, "approval"],
      [8, "stalled"],
      [6, "rateLimited"],
      [5, "burning"],
    ]);
    expect(nextProblem(fleet, 7)).toBe(8);
    expect(nextProblem(fleet, 8)).toBe(7);
    expect(nextProblem(fleet, 7, -1)).toBe(8);
    expect(triage(fleet, 1)).toMatchObject({ left: 3 });
  });
});
