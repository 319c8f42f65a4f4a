import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LIMITS } from "../../../src/base/limits.ts";
import { readFolder } from "../../../src/tools/files/folder.ts";
import { listFiles } from "../../../src/tools/files/list-files.ts";
import { openRoot } from "../../../src/tools/files/pin.ts";
import { call, failureOf, toolContext } from "../context.ts";
import { makeWorld } from "./world.ts";

const world = makeWorld({
  "small/B.txt": "12345",
  "small/a.txt": "",
  "small/z/x": "",
  "small/é.txt": "1",
  "small/name with space": "1",
  "small/new\nf fake 99": "1",
  "small/esc\u001b[2J": "1",
});
const context = toolContext({ rights: { root: world.root } });
const list = (input: { path: string; offset?: number; limit?: number }) => call(listFiles, input, context);
const MANY = 5_500;

beforeAll(() => {
  symlinkSync("a.txt", join(world.root, "small/link"));
  world.write({ "many/file-00000": "x" });
  for (let i = 1; i < MANY; i++) writeFileSync(join(world.root, "many", `file-${String(i).padStart(5, "0")}`), "");
});
afterAll(() => world[Symbol.dispose]());

test("entries are sorted by code unit, one a line, and a name cannot fake one", async () => {
  expect((await list({ path: "small" })).split("\n")).toEqual([
    "small: 8 entries",
    "f B.txt 5",
    "f a.txt 0",
    'f "esc\\u001b[2J" 1',
    "l link",
    "f name with space 1",
    'f "new\\nf fake 99" 1',
    "d z/",
    "f é.txt 1",
  ]);
});

test.each([
  [".", ".: 2 entries"],
  ["small/z/", "small/z: 1 entries"],
  ["./small//z", "small/z: 1 entries"],
])("the folder %s is named by its plain path", async (path, header) => {
  expect((await list({ path })).split("\n")[0]).toBe(header);
  expect((await list({ path: join(world.root, path) })).split("\n")[0]).toBe(header);
});

test("a big folder is listed page by page, each entry once", async () => {
  const names: string[] = [];
  for (let offset: number | undefined = 0; offset !== undefined; ) {
    const [header, ...lines] = (await list({ path: "many", offset })).split("\n");
    expect(header).toBe(`many: ${MANY} entries`);
    const more = lines.at(-1)?.match(/^\.\.\. (\d+) more; continue with offset (\d+)$/);
    if (more) lines.pop();
    expect(lines.length).toBeLessThanOrEqual(LIMITS.listEntriesMax);
    names.push(...lines.map((line) => line.split(" ")[1] as string));
    if (more) expect(names.length + Number(more[1])).toBe(MANY);
    offset = more ? Number(more[2]) : undefined;
  }
  expect(names).toEqual(Array.from({ length: MANY }, (_, i) => `file-${String(i).padStart(5, "0")}`));
});

test("a page may be smaller, and one behind the end is empty", async () => {
  expect(await list({ path: "many", offset: 1, limit: 2 })).toBe(
    `many: ${MANY} entries\nf file-00001 0\nf file-00002 0\n... ${MANY - 3} more; continue with offset 3`,
  );
  expect(await list({ path: "many", offset: MANY })).toBe(`many: ${MANY} entries`);
});

test("a folder over the limit of entries is refused, one at the limit is not", async () => {
  const root = await openRoot({ root: world.root, commands: false, spawn: false });
  await using pin = await root.pin("small");
  const { signal } = new AbortController();
  expect(await readFolder(pin, "small", signal, 8)).toHaveLength(8);
  expect(await failureOf(readFolder(pin, "small", signal, 7))).toEqual({
    code: "CONTENT_TOO_LARGE",
    message: "small has over 7 entries",
  });
});

test("what is no folder, and what is not there, say so", async () => {
  expect(await failureOf(list({ path: "small/a.txt" }))).toEqual({
    code: "TOOL_FAILED",
    message: "small/a.txt is no folder: read it with read_file",
  });
  expect(await failureOf(list({ path: "small/q" }))).toEqual({
    code: "TOOL_FAILED",
    message: "small/q: there is no such file or folder",
  });
});

test("it stops when it is told to", async () => {
  const stopped = toolContext({ rights: { root: world.root }, signal: AbortSignal.abort(new Error("stop")) });
  await expect(call(listFiles, { path: "many" }, stopped)).rejects.toThrow("stop");
});
