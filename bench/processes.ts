/**
 * How soon the end of a process is noticed, with 100 of them. Each prints one JSON line.
 *
 * `node bench/processes.ts [--busy]` exits, told by the system's event, and hangs, by a heartbeat every 100 ms with a limit of 400
 * `node bench/processes.ts [--busy] --watch MINUTES` false alarms of the same hearts, which nobody stops
 * `node bench/processes.ts [--busy] --orphans` what runs of them, and of what left their groups, after a SIGKILL of their host
 *
 * `--busy` keeps every core at work meanwhile, with programs in sessions of their own, as agents' programs are.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { systemClock } from "../src/base/clock.ts";
import { MemoryBlobs } from "../src/blobs/memory/memory-blobs.ts";
import type { ProcessLog, ProcessSpec, Supervised } from "../src/processes/supervised.ts";
import { Supervisor } from "../src/processes/supervisor.ts";
import { createLaunch } from "../src/runtime/launch.ts";

const COUNT = 100;
const { values } = parseArgs({
  options: {
    busy: { type: "boolean", default: false },
    watch: { type: "string" },
    orphans: { type: "boolean", default: false },
    host: { type: "string" },
  },
});
const isBusy = values.busy;
const clock = systemClock();
const folder = await mkdtemp(join(tmpdir(), "banyan-bench-"));
const mark = values.host ?? `bench-${process.pid}`;
const launch = await createLaunch(folder, { host: mark });
const blobs = new MemoryBlobs(new Map());
const pids = new Map<string, number>();
/** When each was seen to have ended, by id: noticed, and cleared away with its end told. */
const noticed = new Map<string, number>();
const told = new Map<string, number>();
/** Silence at which it was judged. */
const judged = new Map<string, number>();
const log: ProcessLog = {
  started: async ({ id }, { pid }) => {
    pids.set(id, pid);
  },
  restarted: async () => undefined,
  ended: async ({ id }, { why }) => {
    const silent = /^no heartbeat for (\d+) ms/.exec(why ?? "");
    if (silent) judged.set(id, Number(silent[1]));
    told.set(id, performance.now());
    return false;
  },
};
const supervisor = new Supervisor({
  clock,
  log,
  launch: {
    launch: async (program, policy) => {
      const launched = await launch.launch(program, policy);
      void launched.exited.then(() => noticed.set(program.mark, performance.now()));
      return launched;
    },
    run: (...given) => launch.run(...given),
    reap: (system) => launch.reap(system),
    sweep: () => launch.sweep(),
    close: () => launch.close(),
  },
  redact: (text) => text,
  store: (bytes) => blobs.put(bytes),
});

const HEARTBEAT = { kind: "heartbeat", line: "beat", limitMs: 400, graceMs: 10_000 } as const;
/** Beats ten times a second until it is stopped in its tracks. */
const HEART = "while :; do echo beat; sleep 0.1; done";

function specOf(number: number, argv: readonly string[], probes: ProcessSpec["policy"]["probes"]): ProcessSpec {
  return {
    ...{ id: `${mark}-${number}`, agent: "bench", name: `p${number}`, argv, cwd: ".", callId: undefined },
    rights: { root: folder, commands: true, spawn: false },
    policy: {
      ...{ restart: "never", restartsMax: 1, withinMs: 1_000, probes },
      ...{ memoryBytesMax: 2 ** 40, outputBytesMax: 2 ** 20 },
    },
  };
}

function startAll(argv: readonly string[], probes: ProcessSpec["policy"]["probes"]): Promise<Supervised[]> {
  const first = pids.size;
  return Promise.all(
    Array.from({ length: COUNT }, (_, place) => supervisor.start(specOf(first + place, argv, probes))),
  );
}

/** Starts all, waits until they are up, strikes each, and answers how long it took to notice and to be told. */
async function measure(argv: readonly string[], probes: ProcessSpec["policy"]["probes"], signal: NodeJS.Signals) {
  const all = await startAll(argv, probes);
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
  const silentMs = percentiles([...struck.keys()].flatMap((id) => judged.get(id) ?? []));
  return { alarms, noticedMs: after(noticed), toldMs: after(told), ...(probes.length > 0 && { silentMs }) };
}

async function soon() {
  const exit = await measure(["sleep", "1000"], [], "SIGKILL");
  const hang = await measure(["sh", "-c", HEART], [HEARTBEAT], "SIGSTOP");
  return { exit, hang };
}

async function watch(minutes: number) {
  const all = await startAll(["sh", "-c", HEART], [HEARTBEAT]);
  await pause(minutes * 60_000);
  const alarms = all.filter(({ phase }) => phase.is !== "running").length;
  return { minutes, alarms, why: [...judged.values()] };
}

/** A host of its own, which starts as many and is killed. */
async function orphans() {
  const own = `bench-host-${process.pid}-`;
  const host = spawn(process.execPath, [import.meta.filename, "--host", own], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise((resolve) => host.stdout.once("data", resolve));
  // Until what left its group has, too.
  while (marked(own) < 2 * COUNT) await pause(100);
  const before = marked(own);
  const killedMs = performance.now();
  host.kill("SIGKILL");
  while (marked(own) > 0) await pause(5);
  return { before, goneWithinMs: Math.round(performance.now() - killedMs) };
}

async function beHost() {
  await startAll(["sh", "-c", "setsid -f sleep 1000; exec sleep 1000"], []);
  process.stdout.write("up");
  await pause(600_000);
}

function marked(text: string): number {
  const carries = (pid: string) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "utf8").includes(text);
    } catch {
      return false;
    }
  };
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name) && carries(name)).length;
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
  ? Array.from({ length: availableParallelism() }, () =>
      spawn(process.execPath, ["-e", "for (;;);"], { detached: true }),
    )
  : [];
try {
  if (values.host) await beHost();
  const figures = values.watch ? await watch(Number(values.watch)) : await (values.orphans ? orphans() : soon());
  console.log(JSON.stringify({ processes: COUNT, busy: isBusy, ...figures, load: loadavg()[0] }));
} finally {
  for (const hog of hogs) hog.kill("SIGKILL");
  await supervisor.close();
  await rm(folder, { recursive: true, force: true });
}
