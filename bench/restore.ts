/**
 * How long it takes until an agent's past is there again, from disk, while 100 other agents run: one JSON line for each length.
 *
 * `node bench/restore.ts [--turns 500,2000,20000] [--restores 200]`
 *
 * Each restore is of the newest event and reads the newest snapshot and what came after it, whatever is in memory. `restored` is the time to
 * the agent's state with the newest of its conversation, `read` that to all of its messages in memory. W2 of `npm run bench -- core` reads them
 * all up to 2,000 turns with the peers in the same run; they need hours for 20,000.
 */
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { contender } from "./banyan/contender.ts";
import { median, quantile, round } from "./core/figures.ts";
import { messagesAfter } from "./core/payload.ts";

const { values } = parseArgs({
  options: {
    turns: { type: "string", default: "500,2000,20000" },
    restores: { type: "string", default: "200" },
  },
});
for (const turns of values.turns.split(",")) await measure(Number(turns), Number(values.restores));

async function measure(turns: number, restores: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "banyan-restore-"));
  try {
    const made = await contender.open(folder);
    const agent = (await made.prepare?.(turns)) ?? "";
    await made.close();
    const [journalBytes, snapshotBytes] = [
      await bytesBelow(join(folder, "journal")),
      await bytesBelow(join(folder, "snapshots")),
    ];
    const fleet = await contender.open(folder);
    const timed = async (get: typeof fleet.load) => {
      const startMs = performance.now();
      const messages = await get?.call(fleet, agent);
      if (messages !== messagesAfter(turns)) throw new Error(`${messages} messages of ${messagesAfter(turns)}`);
      return performance.now() - startMs;
    };
    const all = async () => ({
      restored: await times(() => timed(fleet.restore), restores),
      read: await times(() => timed(fleet.load), restores),
    });
    const alone = await all();
    let done = false;
    const beside = (async () => {
      while (!done) await fleet.run({ agents: 100, turns: 50 });
    })();
    const loaded = await all();
    done = true;
    await beside;
    await fleet.close();
    tell({ turns, restores, journalBytes, snapshotBytes, ...of("alone", alone), ...of("beside100", loaded) });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function times(restore: () => Promise<number>, count: number): Promise<number[]> {
  const all: number[] = [];
  for (let index = 0; index < count; index++) all.push(await restore());
  return all;
}

function of(name: string, all: Readonly<Record<string, readonly number[]>>) {
  const figures = Object.entries(all).map(([what, times]) => [
    what,
    { p50Ms: round(median(times)), p99Ms: round(quantile(times, 0.99)) },
  ]);
  return { [name]: Object.fromEntries(figures) };
}

function tell(line: object): void {
  const machine = `${cpus().length} cores, Node ${process.versions.node}`;
  console.log(JSON.stringify({ bench: "restore", ...line, load: round(loadavg()[0] ?? 0), machine }));
}

async function bytesBelow(folder: string): Promise<number> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = files.filter((file) => file.isFile()).map((file) => stat(join(file.parentPath, file.name)));
  return (await Promise.all(sizes)).reduce((sum, { size }) => sum + size, 0);
}
