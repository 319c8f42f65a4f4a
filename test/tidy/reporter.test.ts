/** The last line of a test run is what CI believes, so it must count what did not even start. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

interface Output {
  readonly stdout: string;
  readonly code?: number;
}

const REPORTER = fileURLToPath(new URL("../reporter.ts", import.meta.url));
const PASSES = 'test("passes", () => {});\n';

test("a run that passes ends with its count", async () => {
  expect(await runTests({ "a.test.ts": PASSES })).toEqual({ line: "1 passed, 0 failed", code: 0 });
});

test("failures, files that do not load, failed hooks and errors outside tests all count as failed", async () => {
  const files = {
    "a.test.ts": `${PASSES}test("fails", () => expect(1).toBe(2));\ntest.skip("skipped", () => {});\n`,
    "load.test.ts": `throw new Error("on load");\n${PASSES}`,
    "hook.test.ts": `afterAll(() => { throw new Error("in a hook"); });\n${PASSES}`,
    "late.test.ts": `test("leaves", () => void Promise.reject(new Error("late")));\n`,
  };
  expect(await runTests(files)).toEqual({ line: "3 passed, 4 failed, 1 skipped", code: 1 });
});

async function runTests(files: Readonly<Record<string, string>>): Promise<{ line: string; code: number }> {
  const folder = await mkdtemp(join(tmpdir(), "banyan-reporter-"));
  try {
    for (const [path, source] of Object.entries(files)) await writeFile(join(folder, path), source);
    const args = ["run", "--globals", `--root=${folder}`, `--reporter=${REPORTER}`];
    const run = promisify(execFile)("vitest", args, { cwd: folder });
    // It rejects on a non-zero exit, with the code and the output.
    const { stdout, code = 0 }: Output = await run.catch((error: Output) => error);
    return { line: stdout.trimEnd().split("\n").at(-1) ?? "", code };
  } finally {
    await rm(folder, { recursive: true });
  }
}
