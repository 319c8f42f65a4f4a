/** Every example runs, as a person would run it, without a key. */
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const folder = join(import.meta.dirname, "..", "..", "examples");
const examples = readdirSync(folder).filter((name) => name.endsWith(".ts"));
const said: Readonly<Record<string, string>> = {
  "custom-tool.ts": "The table is booked.",
  "fork-and-rewind.ts": "writer: Here is a limerick, about a whale. 6 turns, $0.0027",
  "library.ts": "completed Surveyed. survey.md 600 tokens in, $0.0027",
};

test.each(examples)("%s runs to its end and says so", async (name) => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(folder, name)]);
  expect(stderr).toBe("");
  expect(stdout.trim().split("\n").at(-1)).toBe(said[name]);
});
