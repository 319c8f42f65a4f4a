import { expect, test } from "vitest";
import { listTree } from "./source.ts";

/** Tests of more than one part, what several tests share, data of old versions, and tests of the text itself. */
const BESIDE = ["conformance", "e2e", "faults", "golden", "size", "support", "tidy"];

/** A folder under test/ is named for the part it tests: a floor or a door of src/, or a folder beside src/. */
function strays(tree: readonly string[]): string[] {
  const outside = tree.filter((path) => !path.startsWith("test/"));
  const parts = new Set(outside.map((path) => path.replace(/^src\//, "").replace(/\.ts$/, "")));
  const tested = tree.flatMap((path) => /^test\/([^/.]+)$/.exec(path)?.[1] ?? []);
  return tested.filter((name) => !parts.has(name) && !BESIDE.includes(name));
}

test("a folder of tests without a part is found", () => {
  expect(
    strays(["src/agent", "src/index.ts", "sim", "test/agent", "test/index", "test/sim", "test/tidy", "test/gone"]),
  ).toEqual(["gone"]);
});

test("test/ mirrors src/", () => {
  const tree = listTree();
  expect(tree).toContain("test/tidy");
  expect(strays(tree)).toEqual([]);
});
