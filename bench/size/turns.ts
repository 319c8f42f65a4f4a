/**
 * One agent of many turns: what a turn costs at the beginning and at the end, and what it takes to load, fork, rewind and look at such
 * an agent. One JSON line: `node bench/size/turns.ts [TURNS]`, 20,000 by default.
 */
import { mkdtemp, rm, stat } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import type { LanguageModelV4 } from "@ai-sdk/provider";
import { Banyan } from "../../src/index.ts";
import { work } from "../banyan/contender.ts";
import { quantile, round } from "../core/figures.ts";
import { payloadModel } from "../core/payload-model.ts";

const turns = Number(process.argv[2] ?? 20_000);
/** Turns that are looked at together. */
const WINDOW = Math.min(500, Math.floor(turns / 4));
const folder = await mkdtemp(join(tmpdir(), "banyan-turns-"));
const times: number[] = [];
const cpu: number[] = [];

/** The payload of W1; how far it has come follows from the prompt's length, for looking through the prompt would grow with it. */
const payload = [payloadModel(1), payloadModel(0)] as const;
const asked = { role: "user" as const, content: [{ type: "text" as const, text: "go" }] };
const model: LanguageModelV4 = {
  ...payload[0],
  async doStream(options) {
    times.push(performance.now());
    const { user, system } = process.cpuUsage();
    cpu.push((user + system) / 1_000);
    const isLast = options.prompt.length > 2 * turns;
    return payload[isLast ? 1 : 0].doStream({ ...options, prompt: [asked] });
  },
};

try {
  const first = await live();
  const second = await again(first.id);
  const bytes = (await stat(join(folder, "journal", "journal.db"))).size;
  const { id: _, ...lived } = first;
  console.log(
    JSON.stringify({
      bench: "turns",
      turns,
      ...lived,
      ...second,
      bytesATurn: Math.round(bytes / turns),
      load: round(loadavg()[0] ?? 0),
    }),
  );
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function live() {
  await using banyan = await Banyan.open(folder, { tools: [work] });
  const agent = await banyan.spawn({ name: "long", model, task: "go", tools: [work], mode: "chat" });
  await new Promise<void>((resolve) => {
    const forget = banyan.runtime.coordinator.watch((_agent, _recorded, head) => {
      if (head.status !== "waiting" || head.waitingFor !== "message") return;
      forget();
      resolve();
    });
  });
  const rssMb = Math.round(process.memoryUsage.rss() / 1e6);
  return { id: agent.id, took: agent.head.turns, msATurnAt: at(times), cpuMsATurnAt: at(cpu), rssMb };
}

/** Medians of what passed between a call and the next, at a hundred turns and at the end. */
function at(marks: readonly number[]): { hundred: number; end: number } {
  const gaps = marks.slice(1).map((mark, index) => mark - (marks[index] as number));
  const median = (from: number) => round(quantile(gaps.slice(from, from + WINDOW), 0.5), 3);
  return { hundred: median(100), end: median(gaps.length - WINDOW) };
}

async function again(id: string) {
  const opened = performance.now();
  await using banyan = await Banyan.open(folder, { tools: [work], forksPerMinute: 1_000 });
  const agent = banyan.agent(id);
  await agent.pause();
  const openMs = performance.now() - opened;
  const load = await took(() => banyan.runtime.coordinator.state(id));
  const messages = await took(() => agent.messages({ at: agent.head.seq }));
  const forks = [];
  for (let at = 0; at < 20; at += 1) forks.push(await took(() => agent.fork()));
  const forkMiddle = await took(() => agent.fork({ at: Math.floor(agent.head.seq / 2) }));
  const rewind = await took(() => agent.rewind(Math.floor(agent.head.seq / 2)));
  return {
    openMs: round(openMs),
    loadMs: load,
    foldAnewMs: messages,
    forkMs: quantile(forks, 0.5),
    forkMiddleMs: forkMiddle,
    rewindMiddleMs: rewind,
    rssAgainMb: Math.round(process.memoryUsage.rss() / 1e6),
  };
}

async function took(what: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await what();
  return round(performance.now() - startMs);
}
