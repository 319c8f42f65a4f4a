/**
 * From a prompt to the first words of its answer: a plain cold `query()`, a session that is open or ready in the pool, and one that Banyan
 * starts; by turns, so that each shares the machine's noise with the others. With `busy`, 20 other agents work meanwhile.
 */
import type { Banyan } from "../../src/index.ts";
import { BenchStage, heard, seen, until } from "./stage.ts";

export interface FirstTokens {
  /** Milliseconds each. */
  readonly cold: readonly number[];
  /** A session of the SDK that is open, without Banyan. */
  readonly plain: readonly number[];
  /** The agent's own session, kept since its last turn. */
  readonly open: readonly number[];
  /** A new agent with a session that was made ready; none where the pool had none. */
  readonly ready: readonly number[];
  /** A new agent for which one is started. */
  readonly started: readonly number[];
}

const OTHERS = 20;
/** For all of them, and some that are ready. */
const MEMORY_BYTES = 8 * 2 ** 30;
/** What a model takes for a short answer. */
const MODEL_MS = 1_000;

export async function firstTokens(rounds: number, { busy = false } = {}): Promise<FirstTokens> {
  await using stage = await BenchStage.set({
    chat: (turn) => `Answer ${turn}.`,
    busy: () => ({ content: [{ type: "tool_use", name: "Bash", input: { command: "echo x" } }], durationMs: MODEL_MS }),
  });
  const banyan = await stage.open("fleet", { pool: { memoryBytesMax: MEMORY_BYTES } });
  if (busy) await occupy(stage, banyan);
  const chat = await banyan.spawn({ driver: stage.driver("Read"), instructions: "chat", task: "Go.", mode: "chat" });
  let seq = await seen(chat, (type) => type === "turn.ended");
  const found: Record<keyof FirstTokens, number[]> = { cold: [], plain: [], open: [], ready: [], started: [] };
  const plain = stage.plain();
  for (let round = 0; round < rounds; round++) {
    // What is made ready beside is no part of any of these.
    if (!busy) await until(() => banyan.runtime.coordinator.pool.warming === 0);
    found.cold.push(await stage.cold());
    found.plain.push((await plain.next()).value ?? Number.NaN);
    await until(() => banyan.agent(chat.id).status === "waiting");
    const sentMs = performance.now();
    const said = heard(banyan, () => chat.id);
    await chat.send("Again.");
    found.open.push((await said) - sentMs);
    seq = await seen(chat, (type) => type === "turn.ended", seq);
    const { from, tookMs } = await fresh(stage, banyan);
    if (from === "ready") found.ready.push(tookMs);
    else if (from === "cold") found.started.push(tookMs);
  }
  await plain.return();
  return found;
}

/** A new agent, to its first words. */
async function fresh(stage: BenchStage, banyan: Banyan): Promise<{ from: string; tookMs: number }> {
  const { coordinator } = banyan.runtime;
  let from = "";
  const stop = coordinator.watchPool((event) => {
    if (event.type === "claimed") from = event.from;
  });
  let agent = "";
  const startMs = performance.now();
  const said = new Promise<number>((resolve) => {
    const unwatch = coordinator.watchDeltas((id, text) => {
      if (agent !== "" && id !== agent) return;
      if (!text.startsWith("Answer 0")) return;
      unwatch();
      resolve(performance.now());
    });
  });
  const spawned = await banyan.spawn({ driver: stage.driver("Read"), instructions: "chat", task: "Go." });
  agent = spawned.id;
  const tookMs = (await said) - startMs;
  stop();
  await spawned.result();
  return { from, tookMs };
}

async function occupy(stage: BenchStage, banyan: Banyan): Promise<void> {
  const others = await Promise.all(
    Array.from({ length: OTHERS }, (_, at) =>
      banyan.spawn({ name: `busy-${at}`, driver: stage.driver("Bash"), instructions: "busy", task: "Go." }),
    ),
  );
  await Promise.all(others.map((agent) => seen(agent, (type) => type === "tool.ended")));
}
