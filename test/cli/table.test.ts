import { expect, test } from "vitest";
import { tableOf } from "../../src/cli/table.ts";

test("columns are as wide as they must be, figures on the right, nothing behind the last", () => {
  const rows = [
    ["lead", 1, "x"],
    ["a-long-name", 1_000, ""],
  ];
  expect(tableOf(["NAME", ">TURNS", "NOTE"], rows).split("\n")).toEqual([
    "NAME         TURNS  NOTE",
    "lead             1  x",
    "a-long-name   1000",
  ]);
});

test("cells cannot drive the terminal, nor break out of their line", () => {
  const text = tableOf(["NAME"], [["\u001b[2Ja\nb\u202ec"]]);
  expect(text.split("\n")).toEqual(["NAME", "␛[2Ja b{U+202E}c"]);
});

test("without rows there is the head", () => {
  expect(tableOf(["NAME", "NOTE"], [])).toBe("NAME  NOTE");
});
