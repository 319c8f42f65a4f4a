import { closeSync, ftruncateSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { LIMITS } from "../../../src/base/limits.ts";
import { readFile } from "../../../src/tools/files/read-file.ts";
import { call, failureOf, toolContext } from "../context.ts";
import { makeWorld } from "./world.ts";

const world = makeWorld({
  "src/a.ts": "one\ntwo\nthree\n",
  empty: "",
  binary: Uint8Array.of(1, 2, 0, 3),
  latin1: Buffer.from("caf\xe9\n", "latin1"),
  "new\nline": "x\n",
});
afterAll(() => world[Symbol.dispose]());
const context = toolContext({ rights: { root: world.root } });
const read = (input: { path: string; offset?: number; limit?: number }) => call(readFile, input, context);

test.each([
  [{ path: "src/a.ts" }, "src/a.ts: lines 1-3 of 3, 14 bytes\none\ntwo\nthree"],
  [{ path: "./src/../src/a.ts", offset: 2, limit: 1 }, "src/a.ts: lines 2-2 of 3, 14 bytes\ntwo"],
  [{ path: "empty" }, "empty: lines 0-0 of 0, 0 bytes"],
  [{ path: "binary" }, "binary: binary, 4 bytes"],
  [{ path: "latin1" }, "latin1: lines 1-1 of 1, 5 bytes\ncaf\ufffd"],
  [{ path: "new\nline" }, '"new\\nline": lines 1-1 of 1, 2 bytes\nx'],
])("%j", async (input, answer) => {
  expect(await read(input)).toBe(answer);
});

test("a file of many lines is answered in parts, with the exact count", async () => {
  const text = Array.from({ length: 300_000 }, (_, i) => `line ${i + 1}\n`).join("");
  writeFileSync(join(world.root, "many"), text);
  const [header, ...lines] = (await read({ path: "many", offset: 299_990 })).split("\n");
  expect(header).toBe(`many: lines 299990-300000 of 300000, ${text.length} bytes`);
  expect(lines[0]).toBe("line 299990");
  const [first = "", ...shown] = (await read({ path: "many" })).split("\n");
  expect(first).toMatch(`many: lines 1-${shown.length} of 300000, `);
  expect(Buffer.byteLength(shown.join("\n"))).toBeLessThanOrEqual(LIMITS.readBytesMax);
  expect(shown.length).toBeLessThanOrEqual(LIMITS.readLinesMax);
});

test("a huge file flows by: memory does not grow with it", async () => {
  const bytes = 256 * 1024 * 1024;
  const descriptor = openSync(join(world.root, "huge"), "w");
  // Text first, then a hole: zeros behind the first 8 KiB do not make it binary.
  writeFileSync(descriptor, "a\n".repeat(8 * 1024));
  ftruncateSync(descriptor, bytes);
  closeSync(descriptor);
  const before = process.memoryUsage().rss;
  const answer = await read({ path: "huge", limit: 1 });
  expect(answer).toBe(`huge: lines 1-1 of 8193, ${bytes} bytes\na`);
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
});

test("what cannot be read says why", async () => {
  expect(await failureOf(read({ path: "src" }))).toEqual({
    code: "TOOL_FAILED",
    message: "src is a folder: list it with list_files",
  });
  expect(await failureOf(read({ path: "gone" }))).toEqual({
    code: "TOOL_FAILED",
    message: "gone: there is no such file or folder",
  });
  expect(await failureOf(read({ path: "src/a.ts", offset: 4 }))).toEqual({
    code: "INPUT_INVALID",
    message: "offset: src/a.ts has 3 lines",
  });
  expect((await failureOf(read({ path: "src/a.ts", limit: LIMITS.readLinesMax + 1 }))).message).toMatch(/^limit: /);
  expect((await failureOf(read({ path: "src/a.ts", offset: 0 }))).message).toMatch(/^offset: /);
});

test("it stops in the middle of a file when it is told to", async () => {
  const stopping = new AbortController();
  const work = call(readFile, { path: "huge" }, toolContext({ rights: { root: world.root }, signal: stopping.signal }));
  stopping.abort(new Error("stop"));
  await expect(work).rejects.toThrow("stop");
});
