/**
 * How long it takes to have everything back after the machine is lost: `node bench/recovery.ts [--gigabytes 10] [--journal 1]`. One JSON line.
 *
 * Agents make so many gigabytes, so many of them records and the rest artifacts of noise, which no compression shrinks. All is shipped to a backup, and the
 * data folder is removed. Then it is restored twice with the command that an operator has: once in one go, once with a SIGKILL at half of the
 * segments and the same command again. A restore ends when every record and blob was checked, every agent folded and one opened. It takes disk for
 * twice the size.
 */
import { spawn } from "node:child_process";
import { randomFillSync } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { z } from "zod";
import { Banyan, defineTool } from "../src/index.ts";
import { backUp } from "../src/runtime/backup.ts";
import { work } from "./banyan/contender.ts";
import { round } from "./core/figures.ts";
import { resultOf, TURN_BYTES } from "./core/payload.ts";
import { payloadModel } from "./core/payload-model.ts";

const ARTIFACT_BYTES = 4_000_000;
const AGENTS = 100;
const PROGRAM = fileURLToPath(new URL("../bin/banyan.js", import.meta.url));

const { values } = parseArgs({
  options: { gigabytes: { type: "string", default: "10" }, journal: { type: "string", default: "1" } },
});
const [gigabytes, journalGigabytes] = [Number(values.gigabytes), Number(values.journal)];

const produce = defineTool({
  name: "work",
  description: "Makes an artifact of noise.",
  input: z.strictObject({ step: z.int() }),
  onUnknownOutcome: "rerun",
  async run({ step }, { artifacts }) {
    await artifacts.write(
      `noise-${step % 16}`,
      randomFillSync(Buffer.alloc(ARTIFACT_BYTES)),
      "application/octet-stream",
    );
    return resultOf(step);
  },
});

const place = await mkdtemp(join(tmpdir(), "banyan-recovery-"));
const [data, store] = [join(place, "data"), join(place, "store")];
try {
  await live(work, Math.ceil((journalGigabytes * 1e9) / AGENTS / TURN_BYTES));
  await live(produce, Math.ceil(((gigabytes - journalGigabytes) * 1e9) / AGENTS / ARTIFACT_BYTES));
  const bytes = await bytesBelow(data);
  const shipS = await seconds(async () => {
    await backUp(data, { store });
  });
  await rm(data, { recursive: true });
  const restoreS = await seconds(() => restore());
  await rm(data, { recursive: true });
  const cut = await restore(0.5);
  const resumedS = await seconds(() => restore());
  const line = {
    gigabytes: round(bytes / 1e9),
    storeGigabytes: round((await bytesBelow(store)) / 1e9),
    shipS,
    restoreS,
  };
  const machine = `${cpus().length} cores, Node ${process.versions.node}`;
  console.log(
    JSON.stringify({ bench: "recovery", ...line, cutAt: cut, resumedS, load: round(loadavg()[0] ?? 0), machine }),
  );
} finally {
  await rm(place, { recursive: true, force: true });
}

async function live(tool: typeof work, turns: number): Promise<void> {
  await using banyan = await Banyan.open(data, { runningMax: AGENTS, tools: [tool] });
  const options = { name: "agent", model: payloadModel(turns), task: "go", tools: [tool] };
  const spawned = await Promise.all(Array.from({ length: AGENTS }, () => banyan.spawn(options)));
  await Promise.all(spawned.map((agent) => agent.result()));
}

/** Runs the command to its end, or kills it once so much of the segments is there. Returns the share that was. */
async function restore(killAt = Number.POSITIVE_INFINITY): Promise<number> {
  const words = ["backup", "restore", "--data", data, "--store", store];
  const child = spawn(process.execPath, [PROGRAM, ...words], { stdio: ["ignore", "ignore", "pipe"] });
  const exit = once(child, "exit");
  let share = 0;
  for await (const line of createInterface({ input: child.stderr })) {
    const [, segments = "0", of = "1"] = /(\d+) of (\d+) segments/.exec(line) ?? [];
    share = Math.max(share, Number(segments) / Number(of));
    if (share >= killAt) child.kill("SIGKILL");
  }
  const [code, signal] = (await exit) as [number | null, string | null];
  if (code !== 0 && signal !== "SIGKILL") throw new Error(`the restore ended with ${code}`);
  return round(share);
}

async function seconds(what: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await what();
  return round((performance.now() - startMs) / 1_000);
}

async function bytesBelow(folder: string): Promise<number> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = files.filter((file) => file.isFile()).map((file) => stat(join(file.parentPath, file.name)));
  return (await Promise.all(sizes)).reduce((sum, { size }) => sum + size, 0);
}
