/**
 * `npm run bench -- core [--peers] [--runs N] [--only W1,W2] [--contenders a,b] [--out DIR] [--data DIR] [--profile DIR] [--write-docs]`
 * measures, and prints a JSON line for each figure, then medians and ratios.
 * `npm run bench -- size [--agents N] [--live N] [--turns N] [--events N] [--out DIR]` measures large fleets, long agents and large trees, then
 * how figures grow: JSON lines, a quarter of an hour or more.
 * `npm run bench -- docs RESULTS` writes docs/performance.md and its chart anew from lines that a run left in its `--out`.
 */
import { appendFileSync, rmSync } from "node:fs";
import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { cpus, loadavg, tmpdir, totalmem } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chart } from "./core/chart.ts";
import { CONTENDERS } from "./core/contender.ts";
import { renewed } from "./core/docs.ts";
import type { Line } from "./core/figures.ts";
import { build, installBeside } from "./core/install.ts";
import { rowsOf } from "./core/report.ts";
import { type Bench, run } from "./core/run.ts";
import { sizes } from "./size/run.ts";

const OURS = "banyan";
/** `alone`: of ours only, in a module of its own. Those that take long and hardly vary run once. */
const BENCHES: readonly { name: string; alone?: boolean; runsMax?: number }[] = [
  { name: "W1" },
  { name: "W2" },
  { name: "W3" },
  { name: "W4" },
  { name: "event", alone: true },
  { name: "memory-waiting", alone: true, runsMax: 1 },
  { name: "memory-running", alone: true, runsMax: 1 },
  { name: "memory-held", alone: true, runsMax: 1 },
  { name: "memory-on-disk", alone: true, runsMax: 1 },
  { name: "levels", alone: true, runsMax: 1 },
  { name: "hold", alone: true, runsMax: 1 },
  { name: "rest", alone: true, runsMax: 1 },
  { name: "work", alone: true, runsMax: 1 },
];
const ALONE = fileURLToPath(new URL("banyan/own.ts", import.meta.url));
const PAGE = new URL("../docs/performance.md", import.meta.url);
const CHART = new URL("../docs/performance.svg", import.meta.url);
const MACHINE = `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    peers: { type: "boolean", default: false },
    runs: { type: "string", default: "1" },
    only: { type: "string" },
    contenders: { type: "string" },
    out: { type: "string" },
    data: { type: "string", default: tmpdir() },
    profile: { type: "string" },
    agents: { type: "string", default: "100000" },
    live: { type: "string", default: "10000" },
    turns: { type: "string", default: "20000" },
    events: { type: "string", default: "1000000" },
    "write-docs": { type: "boolean", default: false },
  },
});
const [command, results = ""] = positionals;
const runs = Number(values.runs);
if (command === "docs" && results) await writeDocs(parse(await readFile(results, "utf8")));
else if (command === "core" && Number.isInteger(runs) && runs > 0) await core();
else if (command === "size" && Number.isInteger(runs) && runs > 0) await size();
else {
  console.error("Usage: npm run bench -- core [--peers] [--runs N] [--only W1,W2] [--contenders a,b] [--out DIR]");
  console.error("                            [--data DIR] [--profile DIR] [--write-docs]");
  console.error("       npm run bench -- size [--agents N] [--live N] [--turns N] [--events N] [--out DIR]");
  console.error("       npm run bench -- docs RESULTS");
  process.exitCode = 2;
}

/** Growth is measured by two of the core's benches, in the same folder of results. */
async function size(): Promise<void> {
  const { agents, live, turns, events, out } = values;
  build();
  const kept = out && (await emptyFile(out, "size.jsonl"));
  const failed = await sizes({ agents, live, turns, events }, (line) => {
    console.log(line);
    if (kept) appendFileSync(kept, `${line}\n`);
  });
  for (const what of failed) console.error(`CANNOT RUN: ${what}`);
  await core(values.only ?? "rest,work");
  if (failed.length > 0) process.exitCode = 1;
}

async function core(only = values.only): Promise<void> {
  const benches = chosen(
    only,
    BENCHES.map(({ name }) => name),
    "bench",
  );
  const wanted = values.contenders ?? (values.peers ? Object.keys(CONTENDERS).join() : OURS);
  const failures: string[] = [];
  const onFailure = (what: string) => {
    failures.push(what);
    console.error(`CANNOT RUN: ${what}`);
  };
  build();
  const modules = await ready(chosen(wanted, Object.keys(CONTENDERS), "contender"), onFailure);
  const planned: Bench[] = BENCHES.filter(({ name }) => benches.includes(name)).map(({ name, alone, runsMax }) => ({
    name,
    contenders: alone ? [{ name: OURS, module: ALONE }] : modules,
    ...(runsMax && { runsMax }),
  }));
  const lines: Line[] = [];
  const kept = values.out && (await emptyFile(values.out));
  const onLine = (line: Line) => {
    lines.push(line);
    console.log(JSON.stringify(line));
    if (kept) appendFileSync(kept, `${JSON.stringify(line)}\n`);
  };
  const dataDir = await mkdtemp(join(values.data, "banyan-bench-"));
  process.once("exit", () => rmSync(dataDir, { recursive: true, force: true }));
  const profileDir = values.profile && resolve(values.profile);
  const startMs = performance.now();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
  await run({ benches: planned, runs, dataDir, profileDir, machine: MACHINE, onLine, onFailure });
  print(lines, (performance.now() - startMs) / 1_000);
  for (const what of failures) console.log(`Could not run: ${what}`);
  if (values["write-docs"]) await writeDocs(lines);
  process.exitCode = failures.length > 0 ? 1 : 0;
}

/** Where lines are kept as they come, so that a run that is broken off has left what it found. */
async function emptyFile(folder: string, name = "core.jsonl"): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, name);
  await writeFile(path, "");
  return path;
}

/** Contenders that can run here, with their modules. */
async function ready(names: readonly string[], onFailure: (what: string) => void) {
  const modules: { name: string; module: string }[] = [];
  for (const name of names) {
    const module = fileURLToPath(new URL(CONTENDERS[name] ?? "", import.meta.url));
    try {
      await installBeside(module);
      modules.push({ name, module });
    } catch (error) {
      onFailure(`${name}: its packages cannot be installed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return modules;
}

function print(lines: readonly Line[], seconds: number): void {
  console.log(`\n${MACHINE}; load ${loadavg()[0]?.toFixed(1)}; ${Math.round(seconds)} s`);
  for (const { bench, figure, unit, cells } of rowsOf(lines, OURS)) {
    console.log(`${bench}  ${figure}${unit && ` (${unit})`}`);
    for (const [contender, { median, min, max, ratio }] of cells) {
      const compared = ratio === undefined ? "" : `, ${ratio} x ours`;
      console.log(`      ${contender.padEnd(16)} ${median} (${min} to ${max})${compared}`);
    }
  }
}

async function writeDocs(lines: readonly Line[]): Promise<void> {
  await writeFile(PAGE, renewed(await readFile(PAGE, "utf8"), lines, OURS));
  await writeFile(CHART, chart(lines, OURS));
}

function parse(text: string): Line[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Line);
}

function chosen(list: string | undefined, known: readonly string[], what: string): readonly string[] {
  const names = list?.split(",") ?? known;
  const strange = names.filter((name) => !known.includes(name));
  if (strange.length === 0) return known.filter((name) => names.includes(name));
  console.error(`No ${what} is named ${strange.join(", ")}; there are ${known.join(", ")}.`);
  process.exit(2);
}
