/**
 * Every verb over the control socket of a process with many agents at rest and many at work, each kind of verb as a JSON line:
 * `node bench/size/verbs.ts [--agents 100000] [--live 10000] [--folder DIR]`. A folder that is there is used as it is.
 */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { linesFor, renderOverview } from "../../src/cli/live-tree.ts";
import { type Client, connect, type TreeRow } from "../../src/client.ts";
import { quantile, round } from "../core/figures.ts";
import { mixOf, plant } from "./grove.ts";
import { startServer } from "./server-process.ts";

const { values } = parseArgs({
  options: {
    agents: { type: "string", default: "100000" },
    live: { type: "string", default: "10000" },
    folder: { type: "string" },
    only: { type: "string" },
  },
});
const [agents, live] = [Number(values.agents), Number(values.live)];
const folder = values.folder ?? (await mkdtemp(join(tmpdir(), "banyan-size-")));
if (!existsSync(join(folder, "journal"))) await plant(folder, mixOf(agents));
try {
  await using server = await startServer(folder, live);
  say("start", { startMs: round(server.startMs), ...server.ready });
  if (live > 0) await server.goLive();
  await using client = await connect(folder);
  const rows = await client.tree().toArray();
  await server.lag();
  for (const [verb, times] of Object.entries(verbsOf(client, rows))) {
    if (values.only && !values.only.split(",").includes(verb)) continue;
    const { ms, more } = await times();
    const { maxMs, rssMb, heapMb } = await server.lag();
    const figures = { p50Ms: round(quantile(ms, 0.5)), maxMs: round(Math.max(0, ...ms)), loopHeldMsMax: round(maxMs) };
    say(verb, { times: ms.length, ...figures, ...more, rssMb, heapMb });
  }
} finally {
  if (values.folder === undefined) await rm(folder, { recursive: true, force: true });
}

function say(bench: string, figures: object): void {
  console.log(JSON.stringify({ bench, agents, live, ...figures, load: round(loadavg()[0] ?? 0) }));
}

interface Timed {
  readonly ms: readonly number[];
  readonly more?: object;
}

function verbsOf(client: Client, rows: readonly TreeRow[]): Record<string, () => Promise<Timed>> {
  const resting = rows.filter(({ name, level }) => level === 2 && name.startsWith("part-"));
  const waiting = spread(resting.filter(({ status }) => status === "waiting"));
  const ended = spread(resting.filter(({ status }) => status === "completed"));
  const held = spread(resting.filter(({ holds }) => holds));
  const working = spread(rows.filter(({ name, status }) => name.startsWith("worker-") && status === "running"));
  const roots = rows.filter(({ level, name }) => level === 0 && name.startsWith("tree-"));
  const large = rows.find(({ name, level }) => name === "large" && level === 0)?.id ?? "";
  const subtree = (place: number) => roots[place % roots.length]?.id ?? "";
  const over = (these: readonly TreeRow[], verb: (agent: string) => Promise<unknown>) => () =>
    timed(
      these.slice(0, 100).map(
        ({ id }) =>
          () =>
            verb(id),
      ),
    );
  const roomy = over(waiting.slice(500), (agent) => client.rewind({ agent, to: 4 }));
  return {
    tree: async () => {
      const first: number[] = [];
      const ms: number[] = [];
      for (let at = 0; at < 5; at += 1) {
        const startMs = performance.now();
        let seen = 0;
        for await (const _ of client.tree()) if (seen++ === 0) first.push(performance.now() - startMs);
        ms.push(performance.now() - startMs);
      }
      return { ms, more: { rows: rows.length, firstRowMs: round(quantile(first, 0.5)) } };
    },
    treeAsText: () => timed(times(100, () => client.overview({ lines: 998 }))),
    top: () => timed(times(100, () => frame(client))),
    stats: () => timed(times(100, () => client.stats())),
    costByLevel: () => timed(times(5, () => client.cost({ by: "level" }))),
    costByAgent: () => timed(times(5, () => client.cost({ agent: subtree(0), by: "agent" }))),
    agent: over(waiting, (agent) => client.agent({ agent })),
    messages: over(ended, (agent) => client.messages({ agent }).toArray()),
    send: over(waiting, (agent) => client.send({ agent, text: "and then?" })),
    sendToEnded: over(ended, (agent) => client.send({ agent, text: "and then?" })),
    pause: over(waiting.slice(100), (agent) => client.pause({ agent })),
    pauseWorking: over(working, (agent) => client.pause({ agent })),
    resume: over(held, (agent) => client.resume({ agent })),
    interrupt: over(working.slice(100), (agent) => client.interrupt({ agent })),
    checkpoint: over(waiting.slice(200), (agent) => client.checkpoint({ agent, name: "here" })),
    fork: over(waiting.slice(300), (agent) => client.fork({ agent })),
    rewind: roomy,
    cancel: over(waiting.slice(400), (agent) => client.cancel({ agent })),
    cancelWorking: over(working.slice(200), (agent) => client.cancel({ agent })),
    pauseSubtree: () => timed(times(Math.min(10, roots.length), (at) => client.pause({ agent: subtree(at) }))),
    resumeSubtree: () => timed(times(Math.min(10, roots.length), (at) => client.resume({ agent: subtree(at) }))),
    interruptSubtree: () => timed(times(10, (at) => client.interrupt({ agent: subtree(at), subtree: true }))),
    forkSubtree: () => timed(times(3, (at) => client.fork({ agent: subtree(at), subtree: true }))),
    cancelSubtree: () => timed(times(3, (at) => client.cancel({ agent: subtree(at) }))),
    resumeLarge: () => timed([() => client.resume({ agent: large })]),
    pauseLarge: () => timed([() => client.pause({ agent: large })]),
    cancelLarge: () => timed([() => client.cancel({ agent: large })]),
  };
}

/** One frame of `banyan top`. */
async function frame(client: Client): Promise<string> {
  const view = { columns: 120, rows: 40, colour: true };
  return renderOverview(await client.overview({ lines: linesFor(view) }), view);
}

async function timed(verbs: readonly (() => Promise<unknown>)[]): Promise<Timed> {
  const ms: number[] = [];
  for (const verb of verbs) {
    const startMs = performance.now();
    await verb();
    ms.push(performance.now() - startMs);
  }
  return { ms };
}

function times<T>(count: number, verb: (at: number) => Promise<T>): (() => Promise<T>)[] {
  return Array.from({ length: count }, (_, at) => () => verb(at));
}

/** In an order that goes through all trees. */
function spread<T>(items: readonly T[]): T[] {
  const step = 7_919;
  return [...new Set(items.map((_, at) => items[(at * step) % items.length] as T))];
}
