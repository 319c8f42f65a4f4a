/** The keys of `banyan top` on generated fleets. */
import { beforeEach, describe, expect, test } from "vitest";
import { Board, type Effect } from "../../../src/cli/top/board.ts";
import { keyOf } from "../../../src/cli/top/keys.ts";
import { at } from "../../../src/fleet/columns.ts";
import { Fleet } from "../../../src/fleet/fleet.ts";
import { GeneratedFleet, STATUSES } from "../../support/generated-fleet.ts";

let generated: GeneratedFleet;
let fleet: Fleet;
let board: Board;

beforeEach(() => {
  generated = new GeneratedFleet({ agents: 1_000, depth: 8, seed: 1 });
  fleet = new Fleet();
  for (const frame of generated.frames()) fleet.applyAgents(frame);
  board = new Board(fleet);
});

function press(...keys: string[]): Effect | undefined {
  let effect: Effect | undefined;
  for (const key of keys) effect = board.press(key, 20);
  return effect;
}

describe("moving", () => {
  test("j and k go through the rows, and stop at their ends", () => {
    press("j");
    const first = board.selected;
    expect(at(fleet.parent, first)).toBe(-1);
    press("k", "k");
    expect(board.selected).toBe(first);
    press("G", "j");
    expect(board.selected).toBe(board.rows().agents.at(-1));
    press("g");
    expect(board.selected).toBe(first);
  });

  test("l opens and goes in, h closes and goes out", () => {
    press("g");
    const root = board.selected;
    expect(board.isOpen(root)).toBe(true);
    press("l");
    const child = board.selected;
    expect(at(fleet.parent, child)).toBe(root);
    while (at(fleet.firstChild, board.selected) < 0) press("j");
    const closed = board.selected;
    expect(board.isOpen(closed)).toBe(false);
    press("l");
    expect(board.isOpen(closed)).toBe(true);
    press("h");
    expect(board.isOpen(closed)).toBe(false);
    press("h");
    expect(board.selected).toBe(root);
  });

  test("the one failing agent among 1,000 is selected with one key, wherever it is", () => {
    const lost = fleet.count - 1;
    const values = { status: STATUSES.indexOf("failed"), endedMs: generated.timeMs, problem: "it broke" };
    fleet.applyChanges(generated.set(lost, values));
    press("n");
    expect(board.selected).toBe(lost);
    expect(board.rows().agents).toContain(lost);
  });

  test("z fills the screen with a subtree, and leads out again", () => {
    press("g", "l", "z");
    expect(board.rows().agents[0]).toBe(board.selected);
    press("z");
    expect(board.rows().agents[0]).not.toBe(board.selected);
  });

  test("T2: what is selected stays so while agents are born", () => {
    press("g", "j", "j", "j");
    const { selected } = board;
    fleet.applyChanges(generated.step(50, 200));
    expect(board.selected).toBe(selected);
    expect(board.rows().agents).toContain(selected);
  });

  test("after all agents were told anew it is found again by its id", () => {
    press("g", "j", "j");
    const selected = fleet.id[board.selected] ?? "";
    for (const frame of generated.frames()) fleet.applyAgents(frame);
    board.again({ selected, top: "" });
    expect(fleet.id[board.selected]).toBe(selected);
    board.again({ selected: "gone", top: "" });
    expect(board.selected).toBe(-1);
  });
});

describe("the filter", () => {
  test("is used while it is typed, and taken back by Escape", () => {
    press("/", ..."status:running");
    expect(board.rows().matching).toBeLessThan(fleet.count);
    press("Escape");
    expect(board.filter).toBe("");
    press("/", ..."zz", "Backspace", "Backspace", ..."level>3", "Enter");
    expect(board.filter).toBe("level>3");
    press("Escape");
    expect(board.filter).toBe("");
  });

  test("what it does not understand is said", () => {
    press("/", ..."colour:red");
    expect(board.complaints).toHaveLength(1);
  });
});

describe("T1: acting", () => {
  beforeEach(() => {
    press("g");
  });

  test("asks first, and does nothing when the answer is no", () => {
    const agent = fleet.id[board.selected];
    for (const no of ["n", "Escape", "q"]) {
      expect(press("x", no)).toBeUndefined();
      expect(board.mode).toEqual({ is: "tree" });
    }
    expect(press("x", "z")).toBeUndefined();
    expect(press("y")).toEqual({ do: "cancel", agent, text: "" });
  });

  test("p pauses, and resumes what is held", () => {
    expect(press("p", "y")).toMatchObject({ do: "pause" });
    fleet.applyChanges(generated.set(board.selected, { hold: 1 }));
    expect(press("p", "y")).toMatchObject({ do: "resume" });
  });

  test("a message needs words, a fork may go without", () => {
    expect(press(".", "s", "Enter")).toBeUndefined();
    expect(press(..."hi", "Enter", "y")).toMatchObject({ do: "send", text: "hi" });
    expect(press("f", "Enter", "y")).toMatchObject({ do: "fork", text: "" });
  });

  test("nothing can be done to nobody", () => {
    board.selected = -1;
    for (const key of ["x", "p", "f", ".", "Enter"]) expect(press(key)).toBeUndefined();
    expect(board.mode).toEqual({ is: "tree" });
  });

  test("q leaves, and Ctrl-C from wherever one is", () => {
    expect(press("q")).toEqual({ do: "quit" });
    expect(press("f", "a", "Quit")).toEqual({ do: "quit" });
  });
});

test("keys have the dashboard's names; what a terminal sends besides is none", () => {
  expect(keyOf("j", { name: "j" })).toBe("j");
  expect(keyOf("N", { name: "n", shift: true })).toBe("N");
  expect(keyOf(undefined, { name: "up" })).toBe("ArrowUp");
  expect(keyOf("\r", { name: "return" })).toBe("Enter");
  expect(keyOf("\u0003", { name: "c", ctrl: true })).toBe("Quit");
  expect(keyOf("\u0001", { name: "a", ctrl: true })).toBeUndefined();
  expect(keyOf("é", {})).toBe("é");
  expect(keyOf("\u001b[200~", { name: "paste-start" })).toBeUndefined();
  expect(keyOf("j", { name: "j", meta: true })).toBeUndefined();
});
