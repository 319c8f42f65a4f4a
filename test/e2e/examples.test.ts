/** Every example runs, as a person would run it, without a key. */
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const folder = join(import.meta.dirname, "..", "..", "examples");
const examples = readdirSync(folder).filter((name) => name.endsWith(".ts"));
const said: Readonly<Record<string, string>> = {
  "library.ts": "again: completed",
};

test.each(examples)("%s runs to its end and says so", async (name) => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(folder, name)]);
  expect(stderr).toBe("");
  expect(stdout.trim().split("\n").at(-1)).toBe(said[name]);
});
