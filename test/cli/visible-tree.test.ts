import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { visibleLines } from "../../src/cli/visible-tree.ts";
import { rowsOf, type Sketch, sketches } from "../support/rows.ts";

const names = (rows: ReturnType<typeof rowsOf>, linesMax: number) =>
  visibleLines(rows, linesMax).map((line) =>
    line.kind === "agent" ? `${line.row.name}${line.closed ? "+" : ""}` : `…${line.count}`,
  );

/** A chain of agents, each the only child of the one before. */
const chain = (...of: string[]): Sketch => {
  const [name = "", ...rest] = of;
  return { name, children: rest.length > 0 ? [chain(...rest)] : [] };
};

test("V1, V2, V3: whatever the forest and the screen", () => {
  fc.assert(
    fc.property(sketches, fc.nat(40), (forest, linesMax) => {
      const rows = rowsOf(...forest);
      const lines = visibleLines(rows, linesMax);
      expect(lines.length).toBeLessThanOrEqual(linesMax === 0 && rows.length > 0 ? 1 : linesMax);

      const shown = lines.flatMap((line) => (line.kind === "agent" ? [line] : []));
      const counted =
        shown.reduce((sum, { row, closed }) => sum + (closed ? row.subtree.agents : 1), 0) +
        lines.reduce((sum, line) => sum + (line.kind === "rest" ? line.agents : 0), 0);
      expect(counted).toBe(rows.length);

      const ids = new Set<string>();
      for (const { row } of shown) {
        if (row.parentId !== null) expect(ids).toContain(row.parentId);
        ids.add(row.id);
      }
      expect(shown.map(({ row }) => row.id)).toEqual(rows.filter(({ id }) => ids.has(id)).map(({ id }) => id));
    }),
  );
});

describe("what is shown first", () => {
  test("all, where there is room", () => {
    expect(names(rowsOf({ name: "a", children: [{ name: "b" }, chain("c", "d")] }), 4)).toEqual(["a", "b", "c", "d"]);
  });

  test("a deep path and a wide top grow together", () => {
    const wide = { name: "root", children: [chain("a", "b", "c", "d"), { name: "x" }, { name: "y" }, { name: "z" }] };
    expect(names(rowsOf(wide), 5)).toEqual(["root", "a", "b+", "x", "…2"]);
  });

  test("the living before the finished, the failed before those that ended well", () => {
    const root: Sketch = {
      name: "root",
      children: [{ name: "done", status: "completed" }, { name: "broken", status: "failed" }, { name: "busy" }],
    };
    expect(names(rowsOf(root), 3)).toEqual(["root", "busy", "…2"]);
    expect(
      names(rowsOf({ ...root, children: [...(root.children ?? []), { name: "over", status: "completed" }] }), 4),
    ).toEqual(["root", "broken", "busy", "…2"]);
  });

  test("V4: an agent that begins to wait, or is held, moves no line", () => {
    const tree = (status: "running" | "waiting" | "held"): Sketch => ({
      name: "r",
      children: [{ name: "a", status }, { name: "b" }, { name: "c" }, { name: "d" }],
    });
    expect(names(rowsOf(tree("waiting")), 3)).toEqual(names(rowsOf(tree("running")), 3));
    expect(names(rowsOf(tree("held")), 3)).toEqual(names(rowsOf(tree("running")), 3));
  });

  test("of more trees than lines, as many as fit, and how many more there are", () => {
    expect(names(rowsOf({ name: "a" }, { name: "b" }, { name: "c" }), 2)).toEqual(["a", "…2"]);
  });
});

test("10,000 agents are laid out in well under a frame's share", () => {
  const rows = rowsOf({
    name: "root",
    children: Array.from({ length: 100 }, (_, i) => ({
      name: `n${i}`,
      children: Array.from({ length: 99 }, (_, j) => ({ name: `l${j}` })),
    })),
  });
  const startedMs = performance.now();
  visibleLines(rows, 50);
  expect(performance.now() - startedMs).toBeLessThan(500);
});
