/**
 * How long it takes to see a fleet as it was at a moment of its past. One JSON line a figure.
 *
 * `node bench/history.ts [--agents 10000] [--events 1000000] [--moments 40]`
 *
 * The fleet is worked for real, then moments all over its past are asked for over HTTP; then the data is opened again without what was
 * written of its history, and asked once more: all of it is folded from the journal.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { systemClock } from "../src/base/clock.ts";
import { seededRandom, systemRandom } from "../src/base/random.ts";
import { connect } from "../src/client.ts";
import { Banyan } from "../src/runtime/banyan.ts";
import { AccessTokens } from "../src/server/access-tokens.ts";
import { startHttp } from "../src/server/http-server.ts";
import { work } from "./banyan/contender.ts";
import { quantile } from "./core/figures.ts";
import { payloadModel } from "./core/payload-model.ts";

const { values } = parseArgs({
  options: {
    agents: { type: "string", default: "10000" },
    events: { type: "string", default: "1000000" },
    moments: { type: "string", default: "40" },
  },
});
const [agents, events, moments] = [Number(values.agents), Number(values.events), Number(values.moments)];
/** A turn of this work: it starts, it ends, its tool starts and ends. */
const EVENTS_A_TURN = 4;
/** Those that a picture over time asks for at most at once. */
const PICTURE_AGENTS = 1_000;
/** Agents that work at the same time. */
const AT_ONCE = 500;
const clock = systemClock();
const random = seededRandom(1);
const folder = await mkdtemp(join(tmpdir(), "banyan-bench-"));

try {
  const [startTime, endTime] = await workThrough();
  await asked("moment of the past", { from: startTime, to: endTime, count: moments });
  await rm(join(folder, "history"), { recursive: true });
  await asked("moment of the past, folded from the journal", { from: startTime, to: endTime, count: 1 });
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function workThrough(): Promise<[number, number]> {
  await using banyan = await Banyan.open(folder, { runningMax: 2 * AT_ONCE, tools: [work] });
  const startTime = clock.now();
  const turns = Math.ceil(events / agents / EVENTS_A_TURN);
  for (let begun = 0; begun < agents; begun += AT_ONCE) {
    const count = Math.min(AT_ONCE, agents - begun);
    const spawned = await Promise.all(
      Array.from({ length: count }, () =>
        banyan.spawn({ name: "agent", model: payloadModel(turns), task: "go", tools: [work] }),
      ),
    );
    await Promise.all(spawned.map((agent) => agent.result()));
  }
  return [startTime, clock.now()];
}

async function asked(figure: string, { from, to, count }: { from: number; to: number; count: number }): Promise<void> {
  await using banyan = await Banyan.open(folder, { tools: [work] });
  const tokens = new AccessTokens(folder, { clock, random: systemRandom });
  const token = tokens.first() ?? tokens.create({ name: figure.replaceAll(/\W/g, "-"), role: "viewer", endTime: null });
  await using http = await startHttp(banyan.runtime, { port: 0, tokens });
  await using client = await connect({ url: http.url, token });
  const tookMs: number[] = [];
  let told = 0;
  for (let index = 0; index < count; index++) {
    const startMs = clock.monotonic();
    const moment = await client.moment({ at: Math.floor(from + random.next() * (to - from)) });
    tookMs.push(clock.monotonic() - startMs);
    told = Math.max(told, moment.agents.length);
  }
  tookMs.sort((a, b) => a - b);
  tell(`${figure}: p50`, quantile(tookMs, 0.5));
  tell(`${figure}: worst of ${count}`, tookMs.at(-1) ?? 0);
  const { agents: ids } = await client.moment({ at: Math.floor(to) });
  for (const wanted of [ids, ids.slice(0, PICTURE_AGENTS)]) {
    const startMs = clock.monotonic();
    let changes = 0;
    const input = wanted === ids ? {} : { agents: wanted };
    for await (const piece of client.history(input)) changes += piece.agent.length;
    tell(`${changes} changes of ${wanted.length} of ${told} agents`, clock.monotonic() - startMs);
  }
}

function tell(figure: string, ms: number): void {
  const machine = `${cpus().length} cores, Node ${process.versions.node}`;
  console.log(JSON.stringify({ figure, value: Math.round(ms), unit: "ms", load: loadavg()[0], machine }));
}
