import fc from "fast-check";
import { expect, test } from "vitest";
import { Forest } from "../../src/agent/forest.ts";
import { treeRow } from "../../src/server/contract/tree.ts";
import { treeRows } from "../../src/server/rows.ts";
import { idOf } from "../support/commands.ts";
import { grow, headOf, trees } from "../support/forests.ts";

test("a hold shows on the agent that it is set on and on all below it, seen from wherever", () => {
  const forest = new Forest();
  const lead = headOf(1);
  const held = headOf(2, lead, { held: true });
  const below = headOf(3, held);
  for (const head of [lead, held, below, headOf(4, lead), headOf(5, below, { status: "completed" })]) forest.put(head);
  const shown = (agent?: string) => [...treeRows(forest, agent)].map(({ id, status, holds }) => [id, status, holds]);
  expect(shown()).toEqual([
    [idOf(1), "queued", false],
    [idOf(2), "held", true],
    [idOf(3), "held", false],
    [idOf(5), "completed", false],
    [idOf(4), "queued", false],
  ]);
  expect(shown(idOf(3))).toEqual([
    [idOf(3), "held", false],
    [idOf(5), "completed", false],
  ]);
});

test("rows of any forest: each agent once, parents first, in the form of the contract, of the status that the forest says", () => {
  fc.assert(
    fc.property(trees, fc.array(fc.nat(39)), (parents, holds) => {
      const { forest, heads } = grow(parents, (index) => ({ held: holds.includes(index) }));
      const rows = [...treeRows(forest)];
      expect(new Set(rows.map(({ id }) => id)).size).toBe(heads.length);
      const seen = new Set<string | null>([null]);
      for (const row of rows) {
        expect(seen).toContain(row.parentId);
        seen.add(row.id);
        expect(row.status).toBe(forest.status(row.id));
        treeRow.parse(row);
      }
    }),
    { numRuns: 50 },
  );
});
