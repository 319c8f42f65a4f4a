/** The harness over real child processes, with contenders made up for the test. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { Line } from "../../../bench/core/figures.ts";
import { run } from "../../../bench/core/run.ts";

/** A fleet whose agents are numbers of messages. */
const FLEET = `
  run: async ({ agents, turns }) => Array.from({ length: agents }, () => String(2 * turns + 2)),
  load: async (agent) => Number(agent),
  close: async () => undefined,
`;
const ABOUT = `durable: "never", versions: { made: "1.0.0" },`;

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

test("R1, R2: contenders take turns, each in a folder of its own that is then gone", async () => {
  const sees = `async open(folder) { console.log("prints what it likes"); return { ${FLEET} }; }`;
  const { lines, failures, left } = await ran({
    one: `export const contender = { name: "one", ${ABOUT} scale: { W3: 0.1 }, ${sees} };`,
    two: `export const contender = { name: "two", ${ABOUT} note: "made up", ${sees} };`,
  });
  expect(failures).toEqual([]);
  expect(lines.map(({ contender, run: at }) => `${contender} ${at}`)).toEqual(["one 1", "two 1", "one 2", "two 2"]);
  expect(lines[0]).toMatchObject({
    bench: "W3",
    figure: "spawns per second",
    unit: "1/s",
    scale: 0.1,
    durable: "never",
  });
  expect(lines[1]).toMatchObject({ scale: 1, note: "made up", machine: "a machine", versions: { made: "1.0.0" } });
  expect(lines[0]).toHaveProperty("cpuSeconds");
  expect(left).toEqual([]);
});

test("R3: one that cannot run is named with its reason, and the others go on", async () => {
  const { lines, failures } = await ran({
    broken: `throw new Error("has no packages");`,
    loses: `export const contender = { name: "loses", ${ABOUT} open: async () => ({ ${FLEET} load: async () => 1 }) };`,
    lacks: `export const contender = { name: "lacks", ${ABOUT} cannot: ["W3"], open: async () => ({ ${FLEET} }) };`,
    fine: `export const contender = { name: "fine", ${ABOUT} open: async () => ({ ${FLEET} }) };`,
  });
  expect(failures).toEqual([
    "W3 of broken: Error: has no packages",
    "W3 of loses: Error: an agent has 1 messages after 0 turns, not 2",
  ]);
  expect(lines.map(({ contender }) => contender)).toEqual(["fine", "fine"]);
});

/** W3 twice for made-up contenders. */
async function ran(modules: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), "banyan-bench-test-"));
  folders.push(folder);
  const dataDir = join(folder, "data");
  await mkdir(dataDir);
  const contenders = await Promise.all(
    Object.entries(modules).map(async ([name, text]) => {
      const module = join(folder, `${name}.mjs`);
      await writeFile(module, text);
      return { name, module };
    }),
  );
  const [lines, failures]: [Line[], string[]] = [[], []];
  await run({
    benches: [{ name: "W3", contenders }],
    runs: 2,
    dataDir,
    machine: "a machine",
    onLine: (line) => lines.push(line),
    onFailure: (what) => failures.push(what),
  });
  return { lines, failures, left: existsSync(dataDir) ? await readdir(dataDir) : [] };
}
