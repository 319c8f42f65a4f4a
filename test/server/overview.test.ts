import fc from "fast-check";
import { expect, test } from "vitest";
import { renderOverview, renderTree } from "../../src/cli/live-tree.ts";
import { overview } from "../../src/server/contract/overview.ts";
import { overviewOf } from "../../src/server/overview.ts";
import { treeRows } from "../../src/server/rows.ts";
import { grow, trees } from "../support/forests.ts";

test("an overview shows what all rows together would show", async () => {
  await fc.assert(
    fc.asyncProperty(trees, fc.nat(), fc.integer({ min: 1, max: 40 }), async (parents, held, lines) => {
      const { forest } = grow(parents, (index) => ({ held: index % 7 === held % 7 }));
      const shown = await overviewOf(forest, { agent: undefined, lines, position: 5 });
      expect(overview.parse(shown)).toEqual(shown);
      const view = { columns: 100, rows: lines + 2, colour: false };
      expect(renderOverview(shown, view)).toBe(renderTree(treeRows(forest), view));
    }),
  );
});

test("of a large tree only the lines are sent", async () => {
  const { forest } = grow([0, ...Array.from({ length: 5_000 }, () => 0)]);
  const { lines, total } = await overviewOf(forest, { agent: undefined, lines: 10, position: 0 });
  expect(lines).toHaveLength(10);
  expect(lines.at(-1)).toMatchObject({ kind: "rest", count: 4_992, agents: 4_992 });
  expect(total).toMatchObject({ agents: 5_001, levels: 2, byStatus: { queued: 5_001 } });
});
