/**
 * What an archive saves, what a move takes, and what it costs to read from one afterwards. One JSON line for a planted fleet of large trees, one
 * for trees of one agent each, and one for each file of recorded runs, which are played as agents through the real journal.
 *
 * `node bench/archive.ts [--agents 10000] [--singles 3000] [--turns 8] [--reads 500] [FILE...]`
 *
 * All trees have ended, and all are moved; then they are brought back. `appendMs` is how long one record after the other waits to be durable,
 * by itself and beside the move. A read is of an agent's whole own log, agents drawn at random: `cold` each from a journal just opened, `warm` from
 * one that has parts at hand. `order` is for all records in the order of their positions, as a backup reads them. `sameRecords`: both ways every record read the same.
 */
import { hash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { systemClock } from "../src/base/clock.ts";
import { createIds } from "../src/base/ids.ts";
import { randomInt, seededRandom, systemRandom } from "../src/base/random.ts";
import type { Journal } from "../src/journal/journal.ts";
import { replay } from "../src/recordings/replay.ts";
import { archiveRuntime, listArchived, restoreArchived } from "../src/runtime/archive.ts";
import { openDataJournal } from "../src/runtime/data-journal.ts";
import { openRuntime } from "../src/runtime/open.ts";
import { quantile, round } from "./core/figures.ts";
import { plant, type Tree } from "./size/grove.ts";

const { values, positionals: files } = parseArgs({
  allowPositionals: true,
  options: {
    agents: { type: "string", default: "10000" },
    singles: { type: "string", default: "3000" },
    turns: { type: "string", default: "8" },
    reads: { type: "string", default: "500" },
  },
});
const [agents, singles] = [Number(values.agents), Number(values.singles)];
const [turns, reads] = [Number(values.turns), Number(values.reads)];
/** Agents of a planted tree: a root, 31 below it, and 31 below each of those. */
const FAN_OUT = [31, 31];
const TREE_AGENTS = 1 + 31 + 31 * 31;
const clock = systemClock();
const ids = createIds({ clock, random: systemRandom });

/** Appends one record after the other to an agent of its own. */
class Appender {
  readonly #journal: Journal;
  readonly #agent = ids();
  #seq = 0;
  #waits: number[] = [];
  #awaited: { count: number; resolve: () => void } | undefined;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  async during<Found>(work: () => Promise<Found>) {
    this.#waits = [];
    let isOver = false;
    const appending = (async () => {
      while (!isOver) await this.#append();
    })();
    const found = await work().finally(() => {
      isOver = true;
    });
    await appending;
    return { found, waits: spread(this.#waits) };
  }

  /** Resolves when so many have been appended. */
  appended(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#awaited = { count, resolve };
    });
  }

  async #append(): Promise<void> {
    const startMs = clock.monotonic();
    const record = { time: Math.floor(clock.now()), type: "noted", body: "{}" };
    await this.#journal.append([{ agent: this.#agent, expectedSeq: this.#seq, records: [record] }]);
    this.#seq += 1;
    this.#waits.push(clock.monotonic() - startMs);
    if (this.#awaited && this.#waits.length >= this.#awaited.count) this.#awaited.resolve();
  }
}

if (agents > 0) await measured("large trees", (folder) => plant(folder, trees(agents / TREE_AGENTS, FAN_OUT)));
if (singles > 0) await measured("trees of one agent", (folder) => plant(folder, trees(singles, [])));
for (const file of files) await measured(basename(file), (folder) => replay(file, folder, { concurrency: 16 }));

function* trees(count: number, fanOut: readonly number[]): Generator<Tree> {
  for (let tree = 0; tree < Math.max(1, Math.round(count)); tree += 1) {
    yield { name: `tree-${tree}`, fanOut, held: false, rest: ["ended"], turns, ended: true };
  }
}

async function measured(what: string, fill: (folder: string) => Promise<unknown>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "banyan-archive-"));
  try {
    await fill(folder);
    const known = await agentsOf(folder);
    const before = await digestOf(folder, known);
    const liveOrder = await readInOrder(folder);
    const live = { cold: await readCold(folder, known), warm: await readWarm(folder, known) };
    const moved = await moveAll(folder);
    const awayOrder = await readInOrder(folder);
    const away = { cold: await readCold(folder, known), warm: await readWarm(folder, known) };
    const isSameAway = (await digestOf(folder, known)) === before;
    const restoreMs = await restoreAll(folder);
    const sameRecords = isSameAway && (await digestOf(folder, known)) === before;
    const machine = `${cpus().length} cores, Node ${process.versions.node}`;
    const order = { live: liveOrder, away: awayOrder };
    const figures = { ...moved, restoreMs, readMs: { live, away }, order, sameRecords };
    console.log(
      JSON.stringify({
        bench: "archive",
        what,
        agents: known.length,
        ...figures,
        load: round(loadavg()[0] ?? 0),
        machine,
      }),
    );
    if (!sameRecords) process.exitCode = 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Moves every tree and gives the room back. */
async function moveAll(folder: string) {
  const runtime = await openRuntime(folder, { work: false });
  try {
    const { journal } = runtime.services;
    const beside = new Appender(journal);
    const alone = await beside.during(() => beside.appended(100));
    const cpu = process.cpuUsage();
    const startMs = clock.monotonic();
    const during = await beside.during(() => archiveRuntime(runtime));
    const moveMs = Math.round(clock.monotonic() - startMs);
    const { user, system } = process.cpuUsage(cpu);
    const { trees, failed, databaseBytesBefore } = during.found;
    if (failed[0]) throw failed[0].error;
    const shrinkStartMs = clock.monotonic();
    const { databaseBytesAfter } = await archiveRuntime(runtime, { shrink: true });
    const shrinkMs = Math.round(clock.monotonic() - shrinkStartMs);
    const sum = (of: "parts" | "records" | "bodyBytes" | "bytes") => trees.reduce((all, tree) => all + tree[of], 0);
    const archiveBytes = sum("bytes");
    return {
      ...{ trees: trees.length, parts: sum("parts"), records: sum("records"), bodyBytes: sum("bodyBytes") },
      ...{ databaseBytesBefore, databaseBytesAfter, archiveBytes },
      bodiesOverArchive: round(sum("bodyBytes") / archiveBytes),
      wholeOverBefore: round((databaseBytesAfter + archiveBytes) / databaseBytesBefore),
      ...{ moveMs, moveCpuMs: Math.round((user + system) / 1_000), shrinkMs },
      appendMs: { alone: alone.waits, beside: during.waits },
    };
  } finally {
    await runtime.stop();
  }
}

async function restoreAll(folder: string): Promise<number> {
  const runtime = await openRuntime(folder, { work: false });
  try {
    const startMs = clock.monotonic();
    for (const { root } of listArchived(runtime)) await restoreArchived(runtime, root);
    return Math.round(clock.monotonic() - startMs);
  } finally {
    await runtime.stop();
  }
}

async function agentsOf(folder: string): Promise<string[]> {
  await using journal = await reader(folder);
  const found: string[] = [];
  for await (const heads of journal.heads()) for (const { agent } of heads) found.push(agent);
  return found;
}

/** Stands for every record of these agents. */
async function digestOf(folder: string, known: readonly string[]): Promise<string> {
  await using journal = await reader(folder);
  let digest = "";
  for (const agent of known) {
    for await (const records of journal.read(agent)) digest = hash("sha256", digest + JSON.stringify(records));
  }
  return digest;
}

/** CPU time says more than time on a machine that others use. */
async function readInOrder(folder: string) {
  await using journal = await reader(folder);
  const newest = await journal.position();
  const cpu = process.cpuUsage();
  const startMs = clock.monotonic();
  for await (const records of journal.follow(0, new AbortController().signal)) {
    if ((records.at(-1)?.position ?? 0) >= newest) break;
  }
  const tookMs = Math.round(clock.monotonic() - startMs);
  const { user, system } = process.cpuUsage(cpu);
  return { tookMs, cpuMs: Math.round((user + system) / 1_000) };
}

/** A journal just opened for each, which is not counted; a tenth of the reads, for it takes long. */
async function readCold(folder: string, known: readonly string[]) {
  const tookMs: number[] = [];
  for (const agent of drawn(known, Math.ceil(reads / 10))) {
    await using journal = await reader(folder);
    tookMs.push(await timeOf(journal, agent));
  }
  return spread(tookMs);
}

/** Every agent drawn is read once before. */
async function readWarm(folder: string, known: readonly string[]) {
  await using journal = await reader(folder);
  const agents = drawn(known, reads);
  for (const agent of agents) await timeOf(journal, agent);
  const tookMs: number[] = [];
  for (const agent of agents) tookMs.push(await timeOf(journal, agent));
  return spread(tookMs);
}

async function timeOf(journal: Journal, agent: string): Promise<number> {
  const startMs = clock.monotonic();
  let records = 0;
  for await (const batch of journal.read(agent)) records += batch.length;
  if (records === 0) throw new Error(`${agent} has no records`);
  return clock.monotonic() - startMs;
}

function drawn(known: readonly string[], count: number): string[] {
  const random = seededRandom(1);
  return Array.from({ length: count }, () => known[randomInt(random, known.length)] as string);
}

function spread(tookMs: readonly number[]) {
  const max = tookMs.reduce((most, each) => Math.max(most, each), 0);
  return { p50: round(quantile(tookMs, 0.5)), p99: round(quantile(tookMs, 0.99)), max: round(max) };
}

async function reader(folder: string) {
  const journal = await openDataJournal(folder, { readOnly: true });
  return Object.assign(journal, { [Symbol.asyncDispose]: () => journal.close() });
}
