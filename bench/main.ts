/**
 * `npm run bench -- core [--peers] [--runs N] [--only W1,W2] [--contenders banyan,ai-sdk] [--out DIR] [--data DIR] [--write-docs]`
 *
 * Measures, and prints a JSON line for each figure, then medians and ratios. docs/performance.md says what the figures mean.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, loadavg, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { CONTENDERS } from "./core/contender.ts";
import type { Line } from "./core/figures.ts";
import { installBeside } from "./core/install.ts";
import { rowsOf } from "./core/report.ts";
import { type Bench, run } from "./core/run.ts";

const OURS = "banyan";
const BENCHES: readonly { name: string; alone?: boolean; runsMax?: number }[] = [
  { name: "W1" },
  { name: "W2" },
  { name: "W3" },
  { name: "W4" },
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    peers: { type: "boolean", default: false },
    runs: { type: "string", default: "1" },
    only: { type: "string" },
    contenders: { type: "string" },
    out: { type: "string" },
    data: { type: "string", default: tmpdir() },
  },
});
const runs = Number(values.runs);
if (positionals.join() !== "core" || !Number.isInteger(runs) || runs < 1) {
  console.error(
    "Usage: npm run bench -- core [--peers] [--runs N] [--only W1,W2] [--contenders a,b] [--out DIR] [--data DIR]",
  );
  process.exit(2);
}

const only = chosen(
  values.only,
  BENCHES.map(({ name }) => name),
  "bench",
);
const wanted = values.contenders ?? (values.peers ? Object.keys(CONTENDERS).join() : OURS);
const contenders = chosen(wanted, Object.keys(CONTENDERS), "contender");
const failures: string[] = [];
const fail = (what: string) => {
  failures.push(what);
  console.error(`CANNOT RUN: ${what}`);
};

const modules = new Map<string, string>();
for (const name of contenders) {
  try {
    const module = fileURLToPath(new URL(CONTENDERS[name] ?? "", import.meta.url));
    await installBeside(module);
    modules.set(name, module);
  } catch (error) {
    fail(`${name}: its packages cannot be installed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const lines: Line[] = [];
const dataDir = await mkdtemp(join(values.data, "banyan-bench-"));
const startMs = performance.now();
try {
  const benches: Bench[] = BENCHES.filter(({ name }) => only.includes(name)).map(({ name, alone, runsMax }) => ({
    name,
    contenders: [...modules]
      .filter(([each]) => !alone || each === OURS)
      .map(([each, module]) => ({ name: each, module })),
    ...(runsMax && { runsMax }),
  }));
  const onLine = (line: Line) => {
    lines.push(line);
    console.log(JSON.stringify(line));
  };
  await run({ benches, runs, dataDir, onLine, onFailure: fail });
} finally {
  await rm(dataDir, { recursive: true, force: true });
}

const machine = `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`;
console.log(`\n${machine}; load ${loadavg()[0]?.toFixed(1)}; ${Math.round((performance.now() - startMs) / 1_000)} s`);
for (const { bench, figure, unit, cells } of rowsOf(lines, OURS)) {
  console.log(`${bench}  ${figure} (${unit})`);
  for (const [contender, { median, min, max, ratio }] of cells)
    console.log(
      `      ${contender.padEnd(16)} ${median} (${min} to ${max})${ratio === undefined ? "" : `, ${ratio} x ours`}`,
    );
}
for (const what of failures) console.log(`Could not run: ${what}`);

if (values.out) {
  await mkdir(values.out, { recursive: true });
  await writeFile(join(values.out, "core.jsonl"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
}
process.exitCode = failures.length > 0 ? 1 : 0;

function chosen<Name extends string>(list: string | undefined, known: readonly Name[], what: string): readonly Name[] {
  const names = list?.split(",") ?? known;
  const strange = names.filter((name) => !known.includes(name as Name));
  if (strange.length === 0) return known.filter((name) => names.includes(name));
  console.error(`No ${what} is named ${strange.join(", ")}; there are ${known.join(", ")}.`);
  process.exit(2);
}
