/**
 * How soon the end of a process is noticed, with 100 of them: `node bench/processes.ts [--busy]`. Prints one JSON line. Exits are
 * told by the system's event; hangs by a heartbeat every 100 ms with a limit of 400. `--busy` keeps every core at work meanwhile.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../src/base/clock.ts";
import { MemoryBlobs } from "../src/blobs/memory/memory-blobs.ts";
import type { ProcessLog, ProcessSpec } from "../src/processes/supervised.ts";
import { Supervisor } from "../src/processes/supervisor.ts";
import { createLaunch } from "../src/runtime/launch.ts";

const COUNT = 100;
const isBusy = process.argv.includes("--busy");
const clock = systemClock();
const folder = await mkdtemp(join(tmpdir(), "banyan-bench-"));
const launch = await createLaunch(folder, { clock, host: `bench-${process.pid}` });
const blobs = new MemoryBlobs(new Map());
const pids = new Map<string, number>();
/** When each was seen to have ended, by id: noticed, and cleared away with its end told. */
const noticed = new Map<string, number>();
const told = new Map<string, number>();
const log: ProcessLog = {
  started: async ({ id }, { pid }) => {
    pids.set(id, pid);
  },
  restarted: async () => undefined,
  ended: async ({ id }) => {
    told.set(id, performance.now());
    return false;
  },
};
const supervisor = new Supervisor({
  clock,
  log,
  launch: {
    launch: async (program) => {
      const launched = await launch.launch(program);
      void launched.exited.then(() => noticed.set(program.mark, performance.now()));
      return launched;
    },
    check: (...given) => launch.check(...given),
    memory: (groups) => launch.memory(groups),
    reap: (system) => launch.reap(system),
    sweep: () => launch.sweep(),
    close: () => launch.close(),
  },
  store: (bytes) => blobs.put(bytes),
});

/** Beats ten times a second until it is stopped in its tracks. */
const HEART = "while :; do echo beat; sleep 0.1; done";

function specOf(number: number, argv: readonly string[], probes: ProcessSpec["policy"]["probes"]): ProcessSpec {
  return {
    ...{ id: `bench-${process.pid}-${number}`, agent: "bench", name: `p${number}`, argv, cwd: ".", callId: undefined },
    rights: { root: folder, commands: true, spawn: false },
    policy: {
      ...{ restart: "never", restartsMax: 1, withinMs: 1_000, probes },
      ...{ memoryBytesMax: 2 ** 40, outputBytesMax: 2 ** 20 },
    },
  };
}

/** Starts all, waits until they are up, strikes each, and answers how long it took to notice and to be told. */
async function measure(argv: readonly string[], probes: ProcessSpec["policy"]["probes"], signal: NodeJS.Signals) {
  const first = pids.size;
  const all = await Promise.all(
    Array.from({ length: COUNT }, (_, place) => supervisor.start(specOf(first + place, argv, probes))),
  );
  await pause(3_000);
  const alarms = all.filter(({ phase }) => phase.is !== "running").length;
  const struck = new Map<string, number>();
  for (const { spec, phase } of all) {
    if (phase.is !== "running") continue;
    struck.set(spec.id, performance.now());
    process.kill(-phase.launched.system.pid, signal);
    await pause(5);
  }
  await Promise.all(all.map(({ gone }) => gone));
  const after = (times: ReadonlyMap<string, number>) =>
    percentiles([...struck].map(([id, atMs]) => (times.get(id) ?? Number.NaN) - atMs));
  return { alarms, noticedMs: after(noticed), toldMs: after(told) };
}

function percentiles(values: number[]) {
  const sorted = values.sort((a, b) => a - b);
  const at = (part: number) => Math.round((sorted[Math.ceil(sorted.length * part) - 1] ?? Number.NaN) * 10) / 10;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => clock.timer(ms, resolve));
}

const hogs: ChildProcess[] = isBusy
  ? Array.from({ length: availableParallelism() }, () => spawn(process.execPath, ["-e", "for (;;);"]))
  : [];
try {
  const exit = await measure(["sleep", "1000"], [], "SIGKILL");
  const heartbeat = { kind: "heartbeat", line: "beat", limitMs: 400, graceMs: 10_000 } as const;
  const hang = await measure(["sh", "-c", HEART], [heartbeat], "SIGSTOP");
  const figures = { processes: COUNT, busy: isBusy, exit, hang, load: loadavg()[0] };
  console.log(JSON.stringify(figures));
} finally {
  for (const hog of hogs) hog.kill("SIGKILL");
  await supervisor.close();
  await rm(folder, { recursive: true, force: true });
}
