import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { renderTree } from "../../src/cli/live-tree.ts";
import { displayWidth } from "../../src/cli/terminal.ts";
import { rowsOf, type Sketch, sketches } from "../support/rows.ts";

const tree = rowsOf({
  name: "lead",
  status: "waiting",
  children: [
    { name: "src", children: [{ name: "lib", status: "held" }] },
    { name: "docs", status: "completed" },
    { name: "old", status: "failed" },
  ],
});
const view = { columns: 100, rows: 20, colour: false };

test("a tree: heading, level, status in a symbol and a word, sums of each subtree, doing", () => {
  expect(renderTree(tree, view).split("\n")).toEqual([
    "████░░░░░░ 40 %  $5.0000  50 tokens  5 agents on 3 levels: 1 running, 1 waiting, 1 held, 1 complete…",
    "AGENT   LVL STATUS                TURNS TOKENS     COST DOING",
    "lead      0 ◐ waiting children        5     50  $5.0000 calling the model",
    "├ src     1 ● running                 2     20  $2.0000 calling the model",
    "│ └ lib   2 ‖ held                    1     10  $1.0000 calling the model",
    "├ docs    1 ✓ completed               1     10  $1.0000 calling the model",
    "└ old     1 ✗ failed                  1     10  $1.0000 calling the model",
  ]);
});

test("no line is longer than the terminal is wide, no more lines than it has, whatever the tree", () => {
  fc.assert(
    fc.property(
      sketches,
      fc.integer({ min: 1, max: 140 }),
      fc.integer({ min: 1, max: 30 }),
      (forest, columns, rows) => {
        const lines = renderTree(rowsOf(...forest), { columns, rows, colour: false }).split("\n");
        expect(lines.length).toBeLessThanOrEqual(rows);
        for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
      },
    ),
  );
});

test("100 levels fit: the outer guides are cut off", () => {
  const deep = (level: number): Sketch => ({
    name: `l${level}`,
    children: level < 99 ? [deep(level + 1)] : [],
  });
  const lines = renderTree(rowsOf(deep(0)), { columns: 100, rows: 200, colour: false }).split("\n");
  expect(lines).toHaveLength(102);
  expect(lines.at(-1)).toContain("l99");
  for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(100);
});

test("a narrow terminal keeps names and statuses", () => {
  const narrow = renderTree(tree, { columns: 40, rows: 20, colour: false });
  expect(narrow).toContain("│ └ lib");
  expect(narrow).toContain("✗ failed");
  expect(narrow).not.toContain("TURNS");
});

test("colour is laid over the same text, and only where it is welcome", () => {
  const plainLines = (text: string) =>
    stripVTControlCharacters(text)
      .split("\n")
      .map((line) => line.trimEnd());
  const coloured = renderTree(tree, { ...view, colour: true });
  expect(coloured).toContain("\u001b[31m");
  expect(plainLines(coloured)).toEqual(plainLines(renderTree(tree, view)));
  expect(renderTree(tree, view)).not.toContain("\u001b");
});

test("what agents say of themselves cannot drive the terminal", () => {
  const [row] = rowsOf({ name: "lead" });
  if (!row) throw new Error("a tree has a row");
  const hostile = { ...row, name: "a\u001b[2J", activity: "\u001b]0;x\u0007\nnext", error: null };
  const failed = { ...row, status: "failed" as const, error: { code: "INTERNAL" as const, message: "\u202eboom\r" } };
  for (const shown of [hostile, failed]) {
    expect(renderTree([shown], view)).not.toMatch(/(?!\n)[\p{Cc}\u202e]/u);
    expect(renderTree([shown], view).split("\n")).toHaveLength(3);
  }
});

test("before the first agent there is a word", () => {
  expect(renderTree([], view)).toBe("no agents yet");
});
