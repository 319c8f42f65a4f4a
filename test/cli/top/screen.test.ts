/** The lines of `banyan top`. */
import { describe, expect, test } from "vitest";
import { painter } from "../../../src/cli/look.ts";
import { displayWidth } from "../../../src/cli/terminal.ts";
import { Board } from "../../../src/cli/top/board.ts";
import { drawScreen, rowsIn, type Size, scrolled } from "../../../src/cli/top/screen.ts";
import { Fleet } from "../../../src/fleet/fleet.ts";
import { GeneratedFleet, STATUSES } from "../../support/generated-fleet.ts";

function openBoard(agents = 500) {
  const generated = new GeneratedFleet({ agents, depth: 8, seed: 2 });
  const fleet = new Fleet();
  for (const frame of generated.frames()) fleet.applyAgents(frame);
  return { generated, fleet, board: new Board(fleet) };
}

const AROUND = { paint: painter(false), silentMs: 0, note: "", detail: [] };
const draw = (board: Board, size: Size, first = 0, around = {}) =>
  drawScreen(board, size, first, { ...AROUND, ...around });

describe("the screen", () => {
  test("is filled exactly, at any size, in every mode", () => {
    const { board } = openBoard();
    const keys = ["g", "/", "Escape", "x", "Escape", ".", "Escape", "f", "Escape", "?", "Escape"];
    for (const columns of [20, 40, 80, 200]) {
      for (const rows of [6, 24, 60]) {
        for (const key of keys) {
          board.press(key, rowsIn({ columns, rows }));
          const lines = draw(board, { columns, rows });
          expect(lines).toHaveLength(rows);
          for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
        }
      }
    }
  });

  test("what is selected is in view, and not under what stands fixed at the top", () => {
    const { board } = openBoard();
    const size = { columns: 100, rows: 14 };
    let first = 0;
    for (const key of ["G", "k", "k", "PageUp", "k", "k", "k", "k", "k", "PageUp", "j", "g"]) {
      board.press(key, rowsIn(size));
      first = scrolled(board, size, first);
      const coloured = draw(board, size, first, { paint: painter(true) });
      expect(coloured.filter((line) => line.includes("\u001b[7m"))).toHaveLength(1);
    }
  });

  test("says how much an action touches before it is done", () => {
    const { board, fleet } = openBoard();
    board.press("g", 20);
    board.press("x", 20);
    const [asked = ""] = draw(board, { columns: 120, rows: 20 }).slice(-2);
    expect(asked).toContain("and all below it");
    expect(asked).toContain(`${fleet.sums.agents[board.selected]} agents`);
    expect(asked).toMatch(/\$[\d.]+ so far\? y\/n$/);
  });

  test("old news are said to be old", () => {
    const { board } = openBoard();
    expect(draw(board, { columns: 80, rows: 10 }, 0, { silentMs: 5_000 })[0]).toBe("no news for 5 s");
  });

  test("how many need a person stands in its first line", () => {
    const { board, fleet, generated } = openBoard();
    const values = { status: STATUSES.indexOf("failed"), endedMs: generated.timeMs, problem: "it broke" };
    fleet.applyChanges(generated.set(fleet.count - 1, values));
    expect(draw(board, { columns: 120, rows: 10 })[0]).toContain("1 needs you");
  });

  test("names and troubles drive no terminal", () => {
    const { board, fleet } = openBoard(3);
    fleet.name[0] = "\u001b]0;owned\u0007\u202egnp\nnext";
    fleet.trouble[0] = "\u001b[2J";
    board.press("g", 10);
    for (const key of ["x", "Escape", ".", "Escape", "f"]) {
      board.press(key, 10);
      const text = draw(board, { columns: 100, rows: 10 }).join("\n");
      expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }
  });
});
