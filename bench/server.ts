/**
 * What the HTTP server gives and costs while agents work. Each figure is one JSON line, with the load of the machine.
 *
 * `node bench/server.ts [--runs 5] [--turns 200] [--readers 100] [--rate 100] [--kinds alone,reads,fleet,agents,events]`
 *
 * In turns: W1 alone; W1 with so many reads a second beside it, answers timed from when each was due; W1 with so many readers of
 * the fleet as it changes, which is what a dashboard reads; W1 with so many that follow one agent each; W1 with as many of all live events, whole. Who asks and reads is a process of its own, so that the CPU seconds are those of the server's process alone.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { sleep, systemClock } from "../src/base/clock.ts";
import { systemRandom } from "../src/base/random.ts";
import { connect } from "../src/client.ts";
import { Banyan } from "../src/runtime/banyan.ts";
import { AccessTokens } from "../src/server/access-tokens.ts";
import { startHttp } from "../src/server/http-server.ts";
import { work } from "./banyan/contender.ts";
import { median, quantile } from "./core/figures.ts";
import { payloadModel } from "./core/payload-model.ts";

/** What a page of a dashboard asks for, again and again. */
const READS = [
  ["overview", { lines: 50 }],
  ["stats", {}],
  ["cost", { by: "status" }],
  ["agent", { agent: "watched" }],
] as const;

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "5" },
    turns: { type: "string", default: "200" },
    readers: { type: "string", default: "100" },
    rate: { type: "string", default: "100" },
    kinds: { type: "string", default: "alone,reads,fleet,agents,events" },
    beside: { type: "string" },
    url: { type: "string", default: "" },
  },
});
const clock = systemClock();
const kinds = values.kinds.split(",");
/** 100 agents of so many turns. */
const W1 = { agents: 100, turns: Number(values.turns) };
const [runs, readers, rate] = [Number(values.runs), Number(values.readers), Number(values.rate)];
if (values.beside === undefined) await measure();
else await beside(values.beside, { url: values.url, token: process.env.BANYAN_TOKEN ?? "" });

interface Beside {
  readonly latencies: readonly number[];
  readonly bytes: number;
  /** That the first reader was told of. */
  readonly events: number;
  readonly problems: number;
}

async function measure(): Promise<void> {
  const taken: Record<string, { turnsPerSecond: number[]; cpuUs: number[]; told: Beside[] }> = {};
  // In turns, so that what the machine does meanwhile falls on all of them.
  for (let run = 0; run < runs; run++) {
    for (const kind of kinds) {
      const { turnsPerSecond, cpuUs, told } = await oneRun(kind);
      console.error(`run ${run + 1} of ${runs}, ${kind}: ${Math.round(turnsPerSecond)} turns/s`);
      taken[kind] ??= { turnsPerSecond: [], cpuUs: [], told: [] };
      taken[kind].turnsPerSecond.push(turnsPerSecond);
      taken[kind].cpuUs.push(cpuUs);
      if (told) taken[kind].told.push(told);
    }
  }
  const middle = (kind: string, of: "turnsPerSecond" | "cpuUs") => median(taken[kind]?.[of] ?? []);
  const latencies = (taken.reads?.told ?? []).flatMap((each) => each.latencies).sort((a, b) => a - b);
  for (const kind of kinds) {
    tell(`W1 ${kind}: turns per second`, middle(kind, "turnsPerSecond"), "1/s");
    tell(`W1 ${kind}: CPU a turn`, middle(kind, "cpuUs"), "us");
  }
  tell(`reads beside W1, ${rate} a second: p50`, quantile(latencies, 0.5), "ms");
  tell(`reads beside W1, ${rate} a second: p99`, quantile(latencies, 0.99), "ms");
  tell("reads answered", latencies.length, "");
  for (const kind of kinds.filter((each) => ["fleet", "agents", "events"].includes(each))) {
    const over = (of: "turnsPerSecond" | "cpuUs") =>
      median((taken[kind]?.[of] ?? []).map((each, run) => each / (taken.alone?.[of][run] ?? 0)));
    tell(`${readers} readers of ${kind}: turns per second over those alone`, over("turnsPerSecond"), "");
    tell(`${readers} readers of ${kind}: CPU a turn over that alone`, over("cpuUs"), "");
    const sum = (of: "bytes" | "events" | "problems") =>
      (taken[kind]?.told ?? []).reduce((all, told) => all + told[of], 0);
    tell(`${readers} readers of ${kind}: bytes that they got, all runs`, sum("bytes"), "");
    tell(`${readers} readers of ${kind}: told to the first one, all runs`, sum("events"), "");
    tell(`${readers} readers of ${kind}: cut off, all runs`, sum("problems"), "");
  }
}

function tell(figure: string, value: number, unit: string): void {
  const machine = `${cpus().length} cores, Node ${process.versions.node}`;
  console.log(JSON.stringify({ figure, value: Math.round(value * 1_000) / 1_000, unit, load: loadavg()[0], machine }));
}

async function oneRun(kind: string): Promise<{ turnsPerSecond: number; cpuUs: number; told: Beside | undefined }> {
  const folder = await mkdtemp(join(tmpdir(), "banyan-bench-"));
  try {
    await using banyan = await Banyan.open(folder, { runningMax: 2_000, tools: [work] });
    const tokens = new AccessTokens(folder, { clock, random: systemRandom });
    const token = tokens.first() ?? "";
    await using http = await startHttp(banyan.runtime, { port: 0, tokens });
    const spawn = (name: string, turns: number) =>
      banyan.spawn({ name, model: payloadModel(turns), task: "go", tools: [work] });
    await (await spawn("watched", 5)).result();
    const other = kind === "alone" ? undefined : await startBeside(kind, { url: http.url, token });
    const [cpu, startMs] = [process.cpuUsage(), clock.monotonic()];
    const agents = await Promise.all(Array.from({ length: W1.agents }, () => spawn("agent", W1.turns)));
    other?.follow(agents.map(({ id }) => id));
    await Promise.all(agents.map((agent) => agent.result()));
    const tookMs = clock.monotonic() - startMs;
    const { user, system } = process.cpuUsage(cpu);
    const turns = W1.agents * (W1.turns + 1);
    const told = await other?.end();
    return { turnsPerSecond: (turns * 1_000) / tookMs, cpuUs: (user + system) / turns, told };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Starts who asks and reads, and resolves once it does. */
async function startBeside(kind: string, { url, token }: { url: string; token: string }) {
  const words = ["--beside", kind, "--url", url, "--readers", values.readers, "--rate", values.rate];
  const child = fork(fileURLToPath(import.meta.url), words, { env: { ...process.env, BANYAN_TOKEN: token } });
  child.once("exit", (code) => {
    if (code) throw new Error(`who reads ended with ${code}`);
  });
  await once(child, "message");
  return {
    /** Whom the readers of one agent each follow. */
    follow(agents: readonly string[]): void {
      if (kind === "agents") child.send({ agents });
    },
    async end(): Promise<Beside> {
      const told = once(child, "message");
      child.send("end");
      const [beside] = (await told) as [Beside];
      child.kill();
      return beside;
    },
  };
}

async function beside(kind: string, server: { url: string; token: string }): Promise<void> {
  const ended = new AbortController();
  const paths = Promise.withResolvers<readonly string[]>();
  process.on("message", (message: "end" | { agents: readonly string[] }) => {
    if (message === "end") ended.abort();
    else paths.resolve(message.agents.map((agent) => `events?agent=${agent}`));
  });
  if (kind === "agents") process.send?.("ready");
  else paths.resolve([kind === "fleet" ? "fleet" : "events?from=0"]);
  const work = kind === "reads" ? ask(server, ended.signal) : listen(server, await paths.promise, ended.signal);
  const told = await work;
  process.send?.(told);
}

/** Asks at fixed times, whether the ones before were answered or not: a slow answer makes those after it late too. */
async function ask(server: { url: string; token: string }, signal: AbortSignal): Promise<Beside> {
  await using client = await connect(server);
  // Code that has not run yet is slow once; a server that has been up for a second has answered all of these.
  for (const [name, input] of [...READS, ...READS, ...READS]) {
    await (client[name] as (input: object) => Promise<unknown>)(input);
  }
  process.send?.("ready");
  const latencies: number[] = [];
  const under: Promise<void>[] = [];
  const startMs = clock.monotonic();
  for (let index = 0; !signal.aborted; index++) {
    const dueMs = startMs + (index * 1_000) / rate;
    const [name, input] = READS[index % READS.length] ?? READS[0];
    const read = client[name] as (input: object) => Promise<unknown>;
    under.push(read(input).then(() => void latencies.push(clock.monotonic() - dueMs)));
    const waitMs = startMs + ((index + 1) * 1_000) / rate - clock.monotonic();
    if (waitMs > 0) await sleep(clock, waitMs, signal).catch(() => undefined);
  }
  await Promise.all(under);
  return { latencies, bytes: 0, events: 0, problems: 0 };
}

/** Readers that take bytes; the first one counts what is in them, for looking into all of them takes a core that W1 needs. */
async function listen(
  { url, token }: { url: string; token: string },
  paths: readonly string[],
  signal: AbortSignal,
): Promise<Beside> {
  let [bytes, events, problems] = [0, 0, 0];
  const reading = await Promise.all(
    Array.from({ length: readers }, async (_, reader) => {
      const path = paths[reader % paths.length];
      const answer = await fetch(`${url}/v1/${path}`, { headers: { authorization: `Bearer ${token}` }, signal }).catch(
        () => undefined,
      );
      const done = (async () => {
        let tail = "";
        for await (const chunk of answer?.body ?? []) {
          bytes += chunk.length;
          tail = Buffer.from(chunk.subarray(-200)).toString("latin1");
          if (reader === 0) events += Buffer.from(chunk).toString("latin1").split('"position":').length - 1;
        }
        if (tail.includes("event: problem")) problems += 1;
      })().catch(() => undefined);
      // Not the promise itself, which would be waited for here.
      return { done };
    }),
  );
  if (!paths[0]?.includes("agent=")) process.send?.("ready");
  await Promise.all(reading.map(({ done }) => done));
  return { latencies: [], bytes, events, problems };
}
