/** Who is in a simulated fleet. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { childrenOf, nameOf, placeIn, taskOf, type Unit, unitOf } from "../../../src/cli/fleet/plan.ts";

const units = fc
  .record({ levels: fc.integer({ min: 1, max: 40 }), more: fc.nat(3_000), seed: fc.nat() })
  .map(({ levels, more, seed }): Unit => ({ levels, agents: levels === 1 ? 1 : levels + more, seed }));

function measured(unit: Unit): { agents: number; levels: number } {
  const children = childrenOf(unit).map(measured);
  return {
    agents: 1 + children.reduce((sum, { agents }) => sum + agents, 0),
    levels: 1 + Math.max(0, ...children.map(({ levels }) => levels)),
  };
}

test("F1: a unit has just so many agents on just so many levels, the same ones each time", () => {
  fc.assert(
    fc.property(units, (unit) => {
      expect(measured(unit)).toEqual({ agents: unit.agents, levels: unit.levels });
      expect(childrenOf(unit)).toEqual(childrenOf(unit));
    }),
    { numRuns: 50 },
  );
});

test("a unit is told by its task, and a child's place by its name, with the runtime's number behind it or not", () => {
  fc.assert(
    fc.property(units, fc.nat(500), fc.nat(9), (unit, place, number) => {
      expect(unitOf(taskOf(unit))).toEqual(unit);
      const name = nameOf(unit, place);
      expect([placeIn(name), placeIn(`${name}-${number}`)]).toEqual([place, place]);
    }),
  );
  expect([unitOf("Do something else."), placeIn("fleet")]).toEqual([undefined, undefined]);
});
