import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type Clock, systemClock } from "../../../src/base/clock.ts";
import { LIMITS } from "../../../src/base/limits.ts";
import { searchFiles } from "../../../src/tools/files/search-files.ts";
import { call, failureOf, toolContext } from "../context.ts";
import { makeWorld } from "./world.ts";

const world = makeWorld({
  "code/a.ts": "export const a = 1;\n// FIXME: one\r\nconst b = 2;\n// fixme: two",
  "code/a/z.ts": "// FIXME: deep\n",
  "code/a-b.ts": "// FIXME: dash\n",
  "code/.hidden": "// FIXME: hidden\n",
  "skips/binary": Uint8Array.of(70, 73, 88, 77, 69, 0),
  "skips/large": `FIXME\n${" ".repeat(LIMITS.searchFileBytesMax)}`,
  "skips/text": "FIXME\n",
  "many/lines": "hit\n".repeat(LIMITS.searchMatchesMax + 50),
  "long/line": `${"x".repeat(500)}END\n${"y".repeat(LIMITS.searchLineLengthMax)}END\n`,
});
afterAll(() => world[Symbol.dispose]());
const context = toolContext({ rights: { root: world.root } });
const search = (input: { pattern: string; path?: string; recursive?: boolean; limit?: number }) =>
  call(searchFiles, { path: ".", ...input }, context);

test("matches come in the order of paths, with path, line and text", async () => {
  expect(await search({ pattern: "FIXME", path: "code" })).toBe(
    [
      "4 matches",
      "code/.hidden:1:// FIXME: hidden",
      "code/a-b.ts:1:// FIXME: dash",
      "code/a.ts:2:// FIXME: one",
      "code/a/z.ts:1:// FIXME: deep",
    ].join("\n"),
  );
});

test("a folder alone, without those inside it", async () => {
  expect(await search({ pattern: "(?i)fixme: (one|two|deep)", path: "code", recursive: false })).toBe(
    "2 matches\ncode/a.ts:2:// FIXME: one\ncode/a.ts:4:// fixme: two",
  );
});

test("a file alone", async () => {
  expect(await search({ pattern: "^const", path: "code/a.ts" })).toBe("1 matches\ncode/a.ts:3:const b = 2;");
  expect(await search({ pattern: "one$", path: "code/a.ts" })).toBe("1 matches\ncode/a.ts:2:// FIXME: one");
  expect(await search({ pattern: "nothing of this", path: "code/a.ts" })).toBe("0 matches");
});

test("what is not searched is counted", async () => {
  expect(await search({ pattern: "FIXME", path: "skips" })).toBe(
    `1 matches\nskips/text:1:FIXME\n... files skipped: 1 binary, 1 over ${LIMITS.searchFileBytesMax} bytes`,
  );
  expect(await search({ pattern: "FIXME", path: "skips/large" })).toBe(
    `0 matches\n... files skipped: 1 over ${LIMITS.searchFileBytesMax} bytes`,
  );
});

test("of many matches the first are shown and all are counted", async () => {
  const [header, ...lines] = (await search({ pattern: "hit", path: "many" })).split("\n");
  expect(header).toBe(`${LIMITS.searchMatchesMax + 50} matches, first ${LIMITS.searchMatchesMax} shown`);
  expect(lines).toHaveLength(LIMITS.searchMatchesMax);
  expect(await search({ pattern: "hit", path: "many", limit: 1 })).toBe(
    `${LIMITS.searchMatchesMax + 50} matches, first 1 shown\nmany/lines:1:hit`,
  );
});

test("of a long line the beginning is searched and less is shown, and the answer says so", async () => {
  expect(await search({ pattern: "END", path: "long" })).toBe(
    `1 matches\nlong/line:1:${"x".repeat(LIMITS.searchShownLengthMax)}\n... lines searched only in their first ${LIMITS.searchLineLengthMax} characters: 1`,
  );
});

test("links are not followed, so that a circle ends", async () => {
  mkdirSync(join(world.root, "circle"));
  symlinkSync(".", join(world.root, "circle/self"));
  symlinkSync("../code/a.ts", join(world.root, "circle/a.ts"));
  expect(await search({ pattern: "FIXME", path: "circle" })).toBe("0 matches");
});

test("it stops at the limit of files and folders, and says where", async () => {
  const wide = Object.fromEntries(
    Array.from({ length: LIMITS.searchFilesMax }, (_, i) => [`wide/${String(i).padStart(6, "0")}`, ""]),
  );
  world.write(wide);
  expect(await search({ pattern: "x", path: "wide" })).toBe(
    `0 matches\n... stopped after ${LIMITS.searchFilesMax} files and folders, before wide/019999: search smaller folders`,
  );
});

test.each(["(", "a{1001}", "(?=a)", "\\1", "[z-a]", "*", "((a{1000}){1000}){1000}", "(".repeat(900)])(
  "%j is no pattern, and the answer says why",
  async (pattern) => {
    const failure = await failureOf(search({ pattern }));
    expect(failure.code).toBe("INPUT_INVALID");
    expect(failure.message).toMatch(/^pattern: /);
  },
);

test("a pattern that compiles to a large program is refused", async () => {
  const failure = await failureOf(search({ pattern: "[ab]{1,1000}c" }));
  expect(failure.message).toMatch(/^pattern: takes \d+ steps, at most 500 are allowed/);
});

describe("patterns that stop a backtracking engine", () => {
  const text = "a".repeat(LIMITS.searchLineLengthMax - 2);
  world.write({ "bomb/a": `${`${text}!\n`.repeat(50)}`, "bomb/ab": `${"ab".repeat(8_000)}abb!c\n`.repeat(50) });

  test.each([
    "(a+)+$",
    "(a|aa)+$",
    "(a*)*b!",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
    "(x+x+)+y|(a+a+)+!$",
    "(a|b)*a(a|b){20}c",
    "([ab]{0,20}){0,10}d|!$",
    "(.*)*(.*)*(.*)*X|c$",
  ])("%s", async (pattern) => {
    const clock = systemClock();
    const startedMs = clock.monotonic();
    expect(await search({ pattern, path: "bomb" })).toMatch(/^\d+ matches/);
    // One line of this takes a backtracking engine longer than there is.
    expect(clock.monotonic() - startedMs).toBeLessThan(20_000);
  });

  test("other work goes on meanwhile, and the search stops when it is told to", async () => {
    const stopping = new AbortController();
    const system = systemClock();
    let nowMs = 0;
    const clock: Clock = {
      ...system,
      // Every look at the clock finds that other work has waited for long.
      monotonic: () => (nowMs += 1_000),
      timer: (delayMs, fire) => {
        stopping.abort(new Error("stop"));
        return system.timer(delayMs, fire);
      },
    };
    const work = call(searchFiles, { pattern: "!", path: "bomb/a" }, { ...context, clock, signal: stopping.signal });
    await expect(work).rejects.toThrow("stop");
  });
});
