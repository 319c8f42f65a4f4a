/**
 * W1: 100 agents, 50 turns each, every turn durable before it counts. Prints one JSON line; conditions and results stand
 * in docs/performance.md. `node bench/core/w1.ts [--agents 100] [--turns 50]`
 */
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Banyan } from "../../src/index.ts";
import { MESSAGE_CHARACTERS, payloadModel, RESULT_CHARACTERS, work } from "./payload.ts";

const { values } = parseArgs({
  options: { agents: { type: "string", default: "100" }, turns: { type: "string", default: "50" } },
});
const [agents, turns] = [Number(values.agents), Number(values.turns)];
const folder = await mkdtemp(join(tmpdir(), "banyan-w1-"));
try {
  console.log(JSON.stringify(await measure()));
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function measure() {
  const banyan = await Banyan.open(folder, { runningMax: agents });
  const model = payloadModel(turns);
  const startMs = performance.now();
  const before = process.cpuUsage();
  const spawned = await Promise.all(
    Array.from({ length: agents }, () => banyan.spawn({ name: "agent", model, task: "go", tools: [work] })),
  );
  const results = await Promise.all(spawned.map((agent) => agent.result()));
  const seconds = (performance.now() - startMs) / 1_000;
  const cpu = process.cpuUsage(before);
  const rssMb = process.resourceUsage().maxRSS / 1_024;
  const diskMb = (await bytesBelow(folder)) / 1e6;
  await banyan.close();
  const done = results.reduce((sum, result) => sum + result.turns, 0);
  const payloadMb = (agents * turns * (MESSAGE_CHARACTERS + RESULT_CHARACTERS)) / 1e6;
  return {
    bench: "W1",
    agents,
    turns: done,
    turnsPerSecond: Math.round(done / seconds),
    seconds: round(seconds),
    cpuSeconds: round((cpu.user + cpu.system) / 1e6),
    rssMb: round(rssMb),
    payloadMb: round(payloadMb),
    diskMb: round(diskMb),
    diskAfterCloseMb: round((await bytesBelow(folder)) / 1e6),
    durable: "fsync before every acknowledgement",
  };
}

async function bytesBelow(path: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(path, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return bytes;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
