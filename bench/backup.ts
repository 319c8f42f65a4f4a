/**
 * What a continuous backup costs the agents, how far it is behind, and how long a restore takes:
 * `node bench/backup.ts [AGENTS] [TURNS] [ROUNDS]`, 100 agents of 100 turns and 3 rounds by default. One JSON line.
 *
 * A round runs the agents without a backup and with one beside them, in turn, on new data. `ratio` is the median of the turns a second
 * with one over those without. `behindMsMax` is the longest that an event waited after its commit to be in the backup.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Banyan } from "../src/index.ts";
import { restoreFolder } from "../src/runtime/backup-restore.ts";
import { work } from "./banyan/contender.ts";
import { median, round } from "./core/figures.ts";
import { payloadModel } from "./core/payload-model.ts";

/** How long commits wait to be shipped. */
class Lag {
  maxMs = 0;
  readonly #commits: { position: number; ms: number }[] = [];
  #reached = 0;
  #waiting: { position: number; resolve: () => void } | undefined;

  committed(position: number): void {
    if (position > (this.#commits.at(-1)?.position ?? 0)) this.#commits.push({ position, ms: performance.now() });
  }

  shipped(position: number): void {
    const now = performance.now();
    this.#reached = position;
    while ((this.#commits[0]?.position ?? Number.POSITIVE_INFINITY) <= position) {
      const commit = this.#commits.shift();
      if (commit) this.maxMs = Math.max(this.maxMs, Math.round(now - commit.ms));
    }
    if (this.#waiting && position >= this.#waiting.position) this.#waiting.resolve();
  }

  reached(position: number): Promise<void> {
    if (this.#reached >= position) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting = { position, resolve };
    });
  }
}

const [agents = 100, turns = 100, rounds = 3] = process.argv.slice(2).map(Number);
const PROGRAM = fileURLToPath(new URL("../bin/banyan.js", import.meta.url));
const place = await mkdtemp(join(tmpdir(), "banyan-backup-bench-"));

try {
  const without: number[] = [];
  const beside: number[] = [];
  const behind: number[] = [];
  let last = "";
  for (let at = 0; at < rounds; at++) {
    without.push((await run(join(place, `${at}-without`))).turnsPerS);
    last = join(place, `${at}-with`);
    const { turnsPerS, behindMsMax } = await run(last, `${last}-store`);
    beside.push(turnsPerS);
    behind.push(behindMsMax);
  }
  const startMs = performance.now();
  const { records } = await restoreFolder(`${last}-restored`, { store: `${last}-store` });
  const restoreMs = performance.now() - startMs;
  const [dataBytes, storeBytes] = [await bytesBelow(last), await bytesBelow(`${last}-store`)];
  const ratios = beside.map((value, at) => value / (without[at] ?? value));
  const speeds = { turnsPerS: median(without), besideTurnsPerS: median(beside), ratio: round(median(ratios)) };
  const restored = { restoreMs: Math.round(restoreMs), records, dataBytes, storeBytes };
  const load = round(loadavg()[0] ?? 0);
  console.log(
    JSON.stringify({ bench: "backup", agents, turns, ...speeds, behindMsMax: Math.max(...behind), ...restored, load }),
  );
} finally {
  await rm(place, { recursive: true, force: true });
}

/** Runs the agents on new data, with a backup beside them if a store is given. */
async function run(folder: string, store?: string): Promise<{ turnsPerS: number; behindMsMax: number }> {
  await using banyan = await Banyan.open(folder, { runningMax: 2_000, tools: [work] });
  const { journal } = banyan.runtime.services;
  const lag = new Lag();
  const backup = store === undefined ? undefined : await follow(folder, store, lag);
  if (backup) {
    // It follows once it has shipped a first agent: what it took to start is not what is measured.
    await (await banyan.spawn({ name: "first", model: payloadModel(1), task: "go", tools: [work] })).result();
    await lag.reached(await journal.position());
  }
  const stopWatching = banyan.runtime.coordinator.watch(async () => lag.committed(await journal.position()));
  const startMs = performance.now();
  const options = { name: "agent", model: payloadModel(turns), task: "go", tools: [work] };
  const spawned = await Promise.all(Array.from({ length: agents }, () => banyan.spawn(options)));
  await Promise.all(spawned.map((agent) => agent.result()));
  const seconds = (performance.now() - startMs) / 1_000;
  stopWatching();
  if (backup) await lag.reached(await journal.position());
  backup?.kill("SIGTERM");
  return { turnsPerS: Math.round((agents * turns) / seconds), behindMsMax: lag.maxMs };
}

/** `banyan backup create --follow` in a process of its own. Resolves once it has shipped what is there. */
async function follow(folder: string, store: string, lag: Lag): Promise<ChildProcess> {
  const words = ["backup", "create", "--follow", "--data", folder, "--store", store];
  const child = spawn(process.execPath, [PROGRAM, ...words], { stdio: ["ignore", "ignore", "pipe"] });
  createInterface({ input: child.stderr }).on("line", (line) => {
    const position = Number(/all up to (\d+) is shipped/.exec(line)?.[1]);
    if (position > 0) lag.shipped(position);
  });
  return child;
}

async function bytesBelow(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return bytes;
}
