import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { burnUsdPerMinute } from "../../src/fleet/burn.ts";
import { at } from "../../src/fleet/columns.ts";
import { Fleet } from "../../src/fleet/fleet.ts";
import { PROBLEMS } from "../../src/fleet/problems.ts";
import { MIX_WIDTH } from "../../src/fleet/sums.ts";
import { GeneratedFleet, STATUSES } from "../support/generated-fleet.ts";

describe("Fleet", () => {
  test("F1, F3: sums equal those of a walk over all agents, after any frames", () => {
    const shape = fc.record({
      agents: fc.integer({ min: 1, max: 300 }),
      depth: fc.integer({ min: 1, max: 20 }),
      seed: fc.nat(),
    });
    const steps = fc.array(fc.record({ changes: fc.nat(40), births: fc.nat(5), tick: fc.nat(40_000) }), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(shape, steps, (given, taken) => {
        const generated = new GeneratedFleet({ ...given, failed: 0.1, completed: 0.2 });
        const fleet = new Fleet();
        for (const frame of generated.frames()) fleet.applyAgents(frame);
        for (const { changes, births, tick } of taken) {
          fleet.applyChanges(generated.step(changes, births));
          fleet.tick(fleet.timeMs + tick);
        }
        expectSums(fleet);
      }),
      { numRuns: 60 },
    );
  });

  test("what is told again replaces what was known, and leaves nothing of it", () => {
    const fleet = new Fleet();
    for (const frame of new GeneratedFleet({ agents: 500, depth: 6, seed: 1, failed: 0.2 }).frames())
      fleet.applyAgents(frame);
    const fresh = new GeneratedFleet({ agents: 50, depth: 3, seed: 2 });
    for (const frame of fresh.frames()) fleet.applyAgents(frame);
    expect(fleet.count).toBe(50);
    expect(fleet.ordinalOf(fresh.columns.id[49] ?? "")).toBe(49);
    expectSums(fleet);
  });

  test("an agent has its children in the order in which they were spawned", () => {
    const fleet = new Fleet();
    for (const frame of new GeneratedFleet({ agents: 3_000, depth: 8, seed: 3 }).frames()) fleet.applyAgents(frame);
    let seen = 0;
    for (let agent = 0; agent < fleet.count; agent++) {
      let before = agent;
      for (let child = at(fleet.firstChild, agent); child >= 0; child = at(fleet.nextSibling, child)) {
        expect(at(fleet.parent, child)).toBe(agent);
        expect(child).toBeGreaterThan(before);
        before = child;
        seen += 1;
      }
    }
    expect(seen).toBe(2_999);
  });

  test("what was spent in the last minute is forgotten after it", () => {
    const generated = new GeneratedFleet({ agents: 20, depth: 4, seed: 4 });
    const fleet = new Fleet();
    for (const frame of generated.frames()) fleet.applyAgents(frame);
    const before = generated.columns.costUsd[7] ?? 0;
    fleet.applyChanges(generated.set(7, { costUsd: before + 0.25 }));
    expect(fleet.sums.burn.nano[0]).toBe(250_000_000);
    expect(burnUsdPerMinute(250_000_000, 30_000)).toBe(0.5);
    expect(burnUsdPerMinute(250_000_000, 4_999)).toBeUndefined();
    fleet.tick(fleet.timeMs + 59_999);
    expect(fleet.sums.burn.nano[7]).toBe(250_000_000);
    fleet.tick(fleet.timeMs + 1);
    expect([fleet.sums.burn.nano[0], fleet.sums.burn.nano[7], fleet.sums.burn.allNano]).toEqual([0, 0, 0]);
  });

  test("F2: a second of 500 changes among 10,000 agents costs a small part of a frame", () => {
    const generated = new GeneratedFleet({ agents: 10_000, depth: 14, seed: 5 });
    const fleet = new Fleet();
    for (const frame of generated.frames()) fleet.applyAgents(frame);
    const frames = Array.from({ length: 100 }, () => generated.step(50));
    // The quickest of many, whatever else the machine does meanwhile: some 0.03 ms, where a walk over the fleet would cost ten times that.
    const tookMs = frames.map((frame) => {
      const startedMs = performance.now();
      fleet.applyChanges(frame);
      return performance.now() - startedMs;
    });
    expect(Math.min(...tookMs)).toBeLessThan(1);
  });
});

function expectSums(fleet: Fleet): void {
  const agents = new Int32Array(fleet.count);
  const nano = new Float64Array(fleet.count);
  const mix = new Int32Array(fleet.count * MIX_WIDTH);
  const problems = new Int32Array(fleet.count * PROBLEMS.length);
  for (let agent = fleet.count - 1; agent >= 0; agent--) {
    for (let above = agent; above >= 0; above = at(fleet.parent, above)) {
      agents[above] = at(agents, above) + 1;
      nano[above] = at(nano, above) + at(fleet.nano, agent);
      const cell = above * MIX_WIDTH + at(fleet.status, agent);
      mix[cell] = at(mix, cell) + 1;
      const problem = above * PROBLEMS.length + at(fleet.problem, agent);
      problems[problem] = at(problems, problem) + 1;
    }
  }
  expect(fleet.sums.agents.slice(0, fleet.count)).toEqual(agents);
  expect(fleet.sums.nano.slice(0, fleet.count)).toEqual(nano);
  expect(fleet.sums.mix.slice(0, fleet.count * MIX_WIDTH)).toEqual(mix);
  for (let agent = 0; agent < fleet.count; agent++) {
    const worst = PROBLEMS.findLastIndex(
      (_, problem) => problem === 0 || at(problems, agent * PROBLEMS.length + problem) > 0,
    );
    expect(fleet.sums.worstProblem(agent)).toBe(worst);
    expect(fleet.sums.troubled(agent)).toBe(at(agents, agent) - at(problems, agent * PROBLEMS.length));
  }
  expect(fleet.sums.all.agents).toBe(fleet.count);
  expect(STATUSES.reduce((sum, _, status) => sum + at(fleet.sums.all.mix, status), 0)).toBe(fleet.count);
}
