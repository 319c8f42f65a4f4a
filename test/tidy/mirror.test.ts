import { expect, test } from "vitest";
import { listTree } from "./source.ts";

/** Tests of more than one part, what several tests share, and tests of the text itself. */
const BESIDE = ["conformance", "e2e", "support", "tidy"];

/** A folder under test/ is named for the part it tests: a floor of src/, or a folder beside src/. */
function strays(folders: readonly string[]): string[] {
  const parts = new Set(folders.filter((path) => !path.startsWith("test/")).map((path) => path.replace(/^src\//, "")));
  const tested = folders.flatMap((path) => /^test\/([^/]+)$/.exec(path)?.[1] ?? []);
  return tested.filter((name) => !parts.has(name) && !BESIDE.includes(name));
}

test("a folder of tests without a part is found", () => {
  expect(strays(["src/agent", "sim", "test/agent", "test/sim", "test/tidy", "test/gone"])).toEqual(["gone"]);
});

test("test/ mirrors src/", () => {
  const folders = listTree();
  expect(folders).toContain("test/tidy");
  expect(strays(folders)).toEqual([]);
});
