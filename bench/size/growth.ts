/**
 * What a turn costs as agents grow more: each of N agents takes the same turns at once, with the payload of W1. A JSON line for each N,
 * the smallest with several rounds: `node bench/size/growth.ts [N ...]`, 100, 1,000 and 10,000 by default.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { Banyan } from "../../src/index.ts";
import { work } from "../banyan/contender.ts";
import { round } from "../core/figures.ts";
import { payloadModel } from "../core/payload-model.ts";

const TURNS = 10;
/** Each measurement takes this many turns or more. */
const TURNS_MIN = 20_000;

const counts = process.argv.slice(2).map(Number);
for (const agents of counts.length > 0 ? counts : [100, 1_000, 10_000]) {
  const folder = await mkdtemp(join(tmpdir(), "banyan-growth-"));
  try {
    console.log(
      JSON.stringify({ bench: "growth", agents, ...(await grow(folder, agents)), load: round(loadavg()[0] ?? 0) }),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function grow(folder: string, agents: number): Promise<object> {
  const model = payloadModel(TURNS - 1);
  await using banyan = await Banyan.open(folder, {
    runningMax: 20_000,
    childrenLiveMax: 200,
    models: [model],
    tools: [work],
  });
  await takeTurns(banyan, model, 100);
  const rounds = Math.max(1, Math.ceil(TURNS_MIN / (agents * TURNS)));
  const before = process.cpuUsage();
  let ms = 0;
  for (let at = 0; at < rounds; at += 1) ms += await takeTurns(banyan, model, agents);
  const { user, system } = process.cpuUsage(before);
  const turns = rounds * agents * TURNS;
  return {
    turns,
    usATurn: Math.round((ms * 1_000) / turns),
    cpuUsATurn: Math.round((user + system) / turns),
    rssMb: Math.round(process.memoryUsage.rss() / 1e6),
  };
}

/** The agents are there, under a hold, before the time starts: what is measured is their turns. */
async function takeTurns(banyan: Banyan, model: ReturnType<typeof payloadModel>, agents: number): Promise<number> {
  const chats: { readonly id: string }[] = [];
  const all = [];
  for (let at = 0; at < agents; at += 100) {
    const lead = await banyan.spawn({ name: "lead", model, mode: "chat" });
    await lead.pause();
    chats.push(lead);
    all.push(
      ...(await Promise.all(
        Array.from({ length: Math.min(100, agents) }, () => lead.spawn({ task: "go", tools: [work] })),
      )),
    );
  }
  const startMs = performance.now();
  const ended = all.map((agent) => agent.result());
  await Promise.all(chats.map(({ id }) => banyan.agent(id).resume()));
  await Promise.all(ended);
  return performance.now() - startMs;
}
