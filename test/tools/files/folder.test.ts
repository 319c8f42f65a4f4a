import { afterAll, expect, test } from "vitest";
import { type Found, filesBelow } from "../../../src/tools/files/folder.ts";
import { openRoot } from "../../../src/tools/files/pin.ts";
import { makeWorld } from "./world.ts";

const world = makeWorld({ "b/2": "", "b/1": "", "b-c": "", "a/x/y/z": "", "a/x.txt": "", B: "" });
afterAll(() => world[Symbol.dispose]());

async function walk(start: string, { recursive = true, visitsMax = 100 } = {}): Promise<Found[]> {
  const root = await openRoot({ root: world.root, commands: false, spawn: false });
  const { signal } = new AbortController();
  const found: Found[] = [];
  for await (const each of filesBelow(root, start, { recursive, visitsMax, signal })) found.push(each);
  return found;
}

const paths = ["B", "a/x.txt", "a/x/y/z", "b-c", "b/1", "b/2"];

test("files come in the order of their paths, by code unit", async () => {
  expect(await walk(".")).toEqual(paths.map((file) => ({ file })));
  expect(paths).toEqual(paths.toSorted());
  expect(await walk("b")).toEqual([{ file: "b/1" }, { file: "b/2" }]);
  expect(await walk(".", { recursive: false })).toEqual([{ file: "B" }, { file: "b-c" }]);
});

test("folders count as visits too, and it says where it stopped", async () => {
  // The root, B, a, a/x.txt, a/x, a/x/y: six visits.
  expect(await walk(".", { visitsMax: 6 })).toEqual([{ file: "B" }, { file: "a/x.txt" }, { stoppedBefore: "a/x/y/z" }]);
  expect(await walk(".", { visitsMax: 1 })).toEqual([{ stoppedBefore: "B" }]);
  // Six files and five folders.
  expect(await walk(".", { visitsMax: 11 })).toEqual(paths.map((file) => ({ file })));
  expect((await walk(".", { visitsMax: 10 })).at(-1)).toEqual({ stoppedBefore: "b/2" });
});

test("a folder that cannot be read is told, and the walk goes on", async () => {
  expect(await walk("gone")).toEqual([{ unreadable: "gone" }]);
});
