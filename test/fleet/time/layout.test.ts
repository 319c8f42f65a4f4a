import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { at } from "../../../src/fleet/columns.ts";
import type { Fleet } from "../../../src/fleet/fleet.ts";
import { GlidingBands, shareHeight } from "../../../src/fleet/time/bands.ts";
import { Layout } from "../../../src/fleet/time/layout.ts";
import { stepFrom } from "../../../src/fleet/time/steps.ts";
import { moneyTicks, timeTicks } from "../../../src/fleet/time/ticks.ts";
import { anchorOf, around, boundsOf, keep, pan, reveal, type View, whole, zoom } from "../../../src/fleet/time/view.ts";
import { GeneratedFleet, STATUSES } from "../../support/generated-fleet.ts";
import { LIVELY, livelyFleet, load } from "./fleets.ts";

function layoutOf(fleet: Fleet, along: "time" | "cost"): Layout {
  const layout = new Layout();
  layout.update(fleet, along);
  return layout;
}

const children = (fleet: Fleet, parent: number): number[] => {
  const found: number[] = [];
  const first = parent < 0 ? fleet.firstRoot : at(fleet.firstChild, parent);
  for (let child = first; child >= 0; child = at(fleet.nextSibling, child)) found.push(child);
  return found;
};

const everyParent = (fleet: Fleet) => [-1, ...Array.from({ length: fleet.count }, (_, agent) => agent)];

describe("lanes", () => {
  test("L1: subtrees in one lane of a parent are apart in time", () => {
    fc.assert(
      fc.property(LIVELY, (shape) => {
        const { fleet } = livelyFleet(shape);
        const { lanes } = layoutOf(fleet, "time");
        for (const parent of everyParent(fleet)) {
          const until = new Map<number, number>();
          for (const child of children(fleet, parent)) {
            const lane = at(lanes.lane, child);
            expect(at(lanes.fromMs, child)).toBeGreaterThanOrEqual(until.get(lane) ?? 0);
            until.set(lane, at(lanes.untilMs, child));
          }
        }
      }),
    );
  });

  test("L3, Y1: lanes fill the share of their parent, and stand in it in order", () => {
    fc.assert(
      fc.property(LIVELY, (shape) => {
        const { fleet } = livelyFleet(shape);
        const { top, bottom, lanes } = layoutOf(fleet, "time");
        for (const parent of everyParent(fleet)) {
          const kin = children(fleet, parent);
          if (kin.length === 0) continue;
          const [from, to] = parent < 0 ? [0, 1] : [at(top, parent), at(bottom, parent)];
          expect(Math.min(...kin.map((child) => at(top, child)))).toBe(from);
          expect(Math.max(...kin.map((child) => at(bottom, child)))).toBe(to);
          const byLane = new Map(kin.map((child) => [at(lanes.lane, child), child]));
          for (let lane = 1; lane < byLane.size; lane++) {
            const [above, below] = [byLane.get(lane - 1) ?? 0, byLane.get(lane) ?? 0];
            expect(at(top, below)).toBeCloseTo(at(bottom, above), 12);
            expect(at(bottom, below)).toBeGreaterThan(at(top, below));
          }
        }
      }),
    );
  });

  test("agents that follow one another share a lane; those that live side by side do not", () => {
    const generated = new GeneratedFleet({ agents: 5, depth: 2, seed: 3 });
    generated.columns.parent.splice(0, 5, -1, 0, 0, 0, 0);
    generated.columns.level.splice(0, 5, 0, 1, 1, 1, 1);
    generated.columns.spawnedMs.splice(0, 5, 0, 10, 21, 30, 41);
    generated.columns.endedMs.splice(0, 5, 0, 20, 40, 0, 50);
    const { lanes, top, bottom } = layoutOf(load(generated), "time");
    expect(Array.from(lanes.lane.subarray(1, 5))).toEqual([0, 0, 1, 0]);
    expect([at(top, 1), at(bottom, 1)]).toEqual([0, 0.5]);
  });

  test("L2: whatever is born, ends or changes later, nobody changes lanes", () => {
    fc.assert(
      fc.property(LIVELY, fc.array(fc.nat(), { maxLength: 12 }), (shape, ends) => {
        const { fleet, generated } = livelyFleet({ ...shape, isSkewed: false });
        const layout = layoutOf(fleet, "time");
        let before = layout.lanes.lane.slice(0, fleet.count);
        for (const pick of ends) {
          const ending = pick % fleet.count;
          const isLeaf = at(fleet.firstChild, ending) < 0 && !fleet.hasEnded(ending);
          if (isLeaf) {
            const status = STATUSES.indexOf("completed");
            fleet.applyChanges(generated.set(ending, { status, endedMs: generated.timeMs }));
          }
          bear(fleet, generated, pick % 7);
          layout.update(fleet, "time");
          expect(layout.lanes.lane.slice(0, before.length)).toEqual(before);
          before = layout.lanes.lane.slice(0, fleet.count);
        }
      }),
    );
  });
});

/** A child of somebody who lives, born now. */
function bear(fleet: Fleet, generated: GeneratedFleet, pick: number): void {
  const living = everyParent(fleet).filter((agent) => agent >= 0 && !fleet.hasEnded(agent));
  const parent = living[pick % living.length] ?? -1;
  const frame = generated.step(0, 1);
  const level = parent < 0 ? 0 : at(fleet.level, parent) + 1;
  if (!frame.born) return;
  fleet.applyChanges({ ...frame, born: { ...frame.born, parent: [parent], level: [level], spawnedMs: [frame.time] } });
}

describe("layout", () => {
  test("Y1, Y2: by cost a child lies within its parent, after the sibling before it", () => {
    fc.assert(
      fc.property(LIVELY, (shape) => {
        const { fleet } = livelyFleet(shape);
        const { left, right } = layoutOf(fleet, "cost");
        for (const parent of everyParent(fleet)) {
          let edge = parent < 0 ? 0 : at(left, parent);
          for (const child of children(fleet, parent)) {
            expect(at(left, child)).toBe(edge);
            expect(at(right, child)).toBeGreaterThan(at(left, child));
            edge = at(right, child);
          }
          expect(edge).toBeLessThanOrEqual(parent < 0 ? 1 : at(right, parent));
        }
      }),
    );
  });

  test("Y3: widths are those of subtree cost, to a thousandth of all", () => {
    const { fleet } = livelyFleet({ agents: 300, depth: 7, seed: 5, ended: 0.5, isSkewed: false });
    const { left, right } = layoutOf(fleet, "cost");
    for (let agent = 0; agent < fleet.count; agent++) {
      const part = at(fleet.sums.nano, agent) / fleet.sums.all.nano;
      expect(Math.abs(at(right, agent) - at(left, agent) - part)).toBeLessThan(0.001);
    }
  });

  test("Y3: widths at a past moment are those of what had been spent by then", () => {
    const { fleet } = livelyFleet({ agents: 60, depth: 5, seed: 9, ended: 0.5, isSkewed: false });
    const layout = layoutOf(fleet, "cost");
    const nano = new Float64Array(fleet.count);
    // Only one leaf and all above it had cost anything.
    const spender = fleet.count - 1;
    for (let above = spender; above >= 0; above = at(fleet.parent, above)) nano[above] = 5e9;
    const then = { nano, allNano: 5e9 };
    expect(layout.update(fleet, "cost", then)).toBe(true);
    expect(layout.update(fleet, "cost", then)).toBe(false);
    for (let agent = 0; agent < fleet.count; agent++) {
      const part = at(nano, agent) / 5e9;
      expect(Math.abs(at(layout.right, agent) - at(layout.left, agent) - part)).toBeLessThan(0.001);
    }
    expect(layout.update(fleet, "cost")).toBe(true);
    expect(layout.left.slice(0, fleet.count)).toEqual(layoutOf(fleet, "cost").left.slice(0, fleet.count));
  });

  test("it is a function of the fleet: what led there does not matter", () => {
    fc.assert(
      fc.property(LIVELY, fc.constantFrom("time" as const, "cost" as const), (shape, along) => {
        const { fleet, generated } = livelyFleet(shape);
        const layout = layoutOf(fleet, along === "time" ? "cost" : "time");
        layout.update(fleet, along);
        for (let round = 0; round < 4; round++) {
          fleet.applyChanges(generated.step(20, 5));
          layout.update(fleet, along);
        }
        const fresh = layoutOf(fleet, along);
        for (const column of ["left", "right", "top", "bottom", "order"] as const) {
          expect(layout[column].slice(0, fleet.count)).toEqual(fresh[column].slice(0, fleet.count));
        }
        expect(layout.finest).toBe(fresh.finest);
      }),
    );
  });

  test("nothing is done while nothing has changed", () => {
    const { fleet, generated } = livelyFleet({ agents: 30, depth: 4, seed: 5, ended: 0, isSkewed: false });
    const layout = layoutOf(fleet, "time");
    expect(layout.update(fleet, "time")).toBe(false);
    expect(layout.update(fleet, "cost")).toBe(true);
    fleet.applyChanges(generated.step(1));
    expect(layout.update(fleet, "cost")).toBe(true);
  });

  test("levels share the height without touching, and births seldom move them", () => {
    const generated = new GeneratedFleet({ agents: 1_000, depth: 14, seed: 1 });
    const fleet = load(generated);
    const layout = layoutOf(fleet, "time");
    const before = shareHeight(layout, 800);
    expect(before.count).toBe(14);
    for (let level = 1; level < 14; level++) {
      expect(at(before.top, level)).toBeGreaterThan(at(before.bottom, level - 1));
      expect(at(before.bottom, level)).toBeGreaterThan(at(before.top, level));
    }
    expect(at(before.bottom, 13)).toBeLessThanOrEqual(800);
    fleet.applyChanges(generated.step(0, 5));
    layout.update(fleet, "time");
    expect(shareHeight(layout, 800).top).toEqual(before.top);
  });

  test("a fleet of nobody has no levels, and the deepest tree has all of its own", () => {
    const none = layoutOf(load(new GeneratedFleet({ agents: 0, depth: 1, seed: 1 })), "time");
    expect(shareHeight(none, 600).count).toBe(0);
    const deep = layoutOf(load(new GeneratedFleet({ agents: 128, depth: 128, seed: 1 })), "time");
    const bands = shareHeight(deep, 600);
    expect(at(bands.bottom, 127)).toBeLessThanOrEqual(600);
    expect(Math.min(...Array.from(bands.bottom, (bottom, level) => bottom - at(bands.top, level)))).toBeGreaterThan(0);
  });
});

const PART = fc.double({ min: 0, max: 1, noNaN: true });
const MOVES = fc.array(
  fc.record({
    kind: fc.constantFrom("zoom", "pan"),
    x: PART,
    y: PART,
    wide: fc.double({ min: 0.2, max: 3, noNaN: true }),
  }),
);

describe("view", () => {
  test("V1: it never leaves the bounds, and V2: the point under the pointer stays unless they forbid it", () => {
    const { fleet } = livelyFleet({ agents: 200, depth: 6, seed: 4, ended: 0.4, isSkewed: false });
    fc.assert(
      fc.property(fc.constantFrom("time" as const, "cost" as const), MOVES, (along, moves) => {
        const bounds = boundsOf(layoutOf(fleet, along), fleet.timeMs);
        let view: View = whole(bounds);
        for (const { kind, x, y, wide } of moves) {
          const before = view;
          if (kind === "pan") view = pan(view, bounds, x - 0.5, y - 0.5);
          else view = zoom(view, bounds, { wide, high: wide }, x, y);
          const slack = 1e-9 * (bounds.right - bounds.left);
          expect(view.left).toBeGreaterThanOrEqual(bounds.left - slack);
          expect(view.right).toBeLessThanOrEqual(bounds.right + slack + bounds.right * 1e-15);
          expect(view.top).toBeGreaterThanOrEqual(0);
          expect(view.bottom).toBeLessThanOrEqual(1 + 1e-9);
          if (kind === "zoom" && wide < 1) {
            const under = before.left + x * (before.right - before.left);
            const now = view.left + x * (view.right - view.left);
            expect(Math.abs(now - under)).toBeLessThan(Math.max(slack, 1e-6 * (before.right - before.left)));
          }
        }
      }),
    );
  });

  test("V3: who is looked at stays in place while others are born", () => {
    const generated = new GeneratedFleet({ agents: 400, depth: 6, seed: 9 });
    const fleet = load(generated);
    for (const along of ["time", "cost"] as const) {
      const layout = layoutOf(fleet, along);
      let bounds = boundsOf(layout, fleet.timeMs);
      const seen = 77;
      let view = around(layout, bounds, seen, fleet.timeMs - 60_000);
      const place = () => [
        (at(layout.top, seen) - view.top) / (view.bottom - view.top),
        along === "cost" ? (at(layout.left, seen) - view.left) / (view.right - view.left) : 0,
      ];
      const before = place();
      for (let round = 0; round < 20; round++) {
        const anchor = anchorOf(view, layout, bounds);
        fleet.applyChanges(generated.step(40, 10));
        layout.update(fleet, along);
        bounds = boundsOf(layout, fleet.timeMs);
        view = keep(view, anchor, layout, bounds);
      }
      expect(place()[0]).toBeCloseTo(before[0] ?? 0, 6);
      expect(place()[1]).toBeCloseTo(before[1] ?? 0, 1);
    }
  });

  test("V4: the whole stays the whole, the present stays in view, and the past stays where it is", () => {
    const generated = new GeneratedFleet({ agents: 50, depth: 4, seed: 9 });
    const fleet = load(generated);
    const layout = layoutOf(fleet, "time");
    const then = boundsOf(layout, fleet.timeMs);
    const all = whole(then);
    const present = { ...all, left: all.right - 60_000 };
    const past = { ...all, right: all.left + 60_000 };
    const now = boundsOf(layout, fleet.timeMs + 90_000);
    const anchor = anchorOf(all, layout, then);
    expect(keep(all, anchor, layout, now)).toEqual(whole(now));
    expect(keep(present, anchor, layout, now).right).toBe(now.right);
    expect(keep(present, anchor, layout, now).left).toBeCloseTo(now.right - 60_000, 3);
    expect(keep(past, anchor, layout, now)).toEqual(past);
  });

  test("who is out of view comes into it, with its zoom kept", () => {
    const { fleet } = livelyFleet({ agents: 200, depth: 6, seed: 4, ended: 0, isSkewed: false });
    const layout = layoutOf(fleet, "time");
    const bounds = boundsOf(layout, fleet.timeMs);
    const small = zoom(whole(bounds), bounds, { wide: 0.1, high: 0.05 }, 0, 1);
    for (const agent of [0, 50, 199]) {
      const view = reveal(small, layout, bounds, agent, fleet.timeMs);
      expect(view.right - view.left).toBeCloseTo(small.right - small.left, 3);
      expect(at(layout.left, agent)).toBeLessThan(view.right);
      expect(at(layout.bottom, agent)).toBeGreaterThan(view.top);
      expect(at(layout.top, agent)).toBeLessThan(view.bottom);
    }
  });
});

test("levels without anyone in the view leave their height to the others, and glide there", () => {
  const fleet = load(new GeneratedFleet({ agents: 2_000, depth: 14, seed: 1 }));
  const layout = layoutOf(fleet, "time");
  const bounds = boundsOf(layout, fleet.timeMs);
  const lone = Array.from({ length: fleet.count }, (_, agent) => agent).findLast(
    (agent) => at(fleet.level, agent) === 3 && at(fleet.firstChild, agent) < 0,
  );
  const all = shareHeight(layout, 800, whole(bounds));
  const close = shareHeight(layout, 800, around(layout, bounds, lone ?? 0, fleet.timeMs));
  const heightOf = (bands: typeof all, level: number) => at(bands.bottom, level) - at(bands.top, level);
  expect(heightOf(close, 9)).toBeLessThan(12);
  expect(heightOf(close, 9)).toBeLessThan(heightOf(all, 9));
  const gliding = new GlidingBands();
  gliding.aim(all);
  expect(gliding.top).toEqual(all.top);
  gliding.aim(close);
  expect(gliding.top).toEqual(all.top);
  let frames = 0;
  while (gliding.move()) frames += 1;
  expect(frames).toBeGreaterThan(3);
  expect(frames).toBeLessThan(30);
  expect(gliding.top).toEqual(close.top);
});

test("marks of an axis stand at round times and sums, as far apart as asked", () => {
  const minute = 60_000;
  expect(timeTicks(1_000, 50_000, 0)).toEqual({ first: minute, step: minute });
  expect(timeTicks(0, 100 * minute, 90 * minute)).toEqual({ first: 30 * minute, step: 120 * minute });
  expect(moneyTicks(0.13, 0.04)).toEqual({ first: expect.closeTo(0.15, 9), step: 0.05 });
  expect(moneyTicks(0, 300).step).toBe(500);
});

test("keys lead to parents, children and along a level, and stay where there is nobody", () => {
  const fleet = load(new GeneratedFleet({ agents: 30, depth: 3, seed: 2 }));
  const layout = new Layout();
  layout.update(fleet, "time");
  expect(stepFrom(fleet, layout, -1, "child")).toBe(0);
  expect(stepFrom(fleet, layout, 0, "parent")).toBe(0);
  const kin = children(fleet, 0);
  expect(stepFrom(fleet, layout, 0, "child")).toBe(kin[0]);
  expect(stepFrom(fleet, layout, kin[0] ?? 0, "previous")).toBe(kin[0]);
  expect(stepFrom(fleet, layout, kin[0] ?? 0, "next")).toBe(kin[1]);
  expect(stepFrom(fleet, layout, kin[1] ?? 0, "previous")).toBe(kin[0]);
  expect(stepFrom(fleet, layout, kin[1] ?? 0, "parent")).toBe(0);
  // Along a level one comes by everybody on it, whoever their parents are.
  const deepest = layout.order.subarray(at(layout.levels, 2), at(layout.levels, 3));
  let here = at(deepest, 0);
  for (const agent of deepest) {
    expect(here).toBe(agent);
    const next = stepFrom(fleet, layout, here, "next");
    if (next !== here) expect(stepFrom(fleet, layout, next, "previous")).toBe(here);
    here = next;
  }
  expect(new Set([...deepest].map((agent) => at(fleet.parent, agent))).size).toBeGreaterThan(1);
});
