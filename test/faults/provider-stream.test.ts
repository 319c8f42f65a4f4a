/**
 * An answer that breaks off, makes no sense or falls silent at every place that it has, over real HTTP. What is attacked: the agent
 * says and does what a whole answer says, and nothing of a broken one; invariants 5 (a broken answer is booked with what was made
 * of it at least, and no more than its bound) and 8 (a tool runs once for a call) of docs/architecture.md, section 6.
 */
import { expect, test } from "vitest";
import type { Fault } from "../../src/simulator/faults.ts";
import { createProvider } from "../../src/simulator/provider.ts";
import { scriptedMind } from "../../src/simulator/scripted.ts";
import { send } from "../simulator/in-process.ts";
import { probe } from "../support/probe.ts";
import { eventsOf, openProviderWorld, type ProviderWorld, saidBefore, taskOf } from "./provider-world.ts";

const TIMEOUT_MS = 120_000;
const OUTPUT_TOKENS_MAX = 1_000;
const TEXT = "I shall look at it, and then say what there is to say of it.";

const mind = scriptedMind((request) => {
  if (saidBefore(request) > 0) return "finished";
  return {
    content: [
      { type: "thinking", thinking: "What would they want to know of it? All of it, I think." },
      { type: "text", text: TEXT },
      { type: "tool_use", name: "look", input: { at: "everything that there is, from the beginning to the end" } },
    ],
  };
});

/** The events of the answer, as they go over the wire. */
async function eventsOfAnswer(): Promise<string[]> {
  const provider = createProvider({ mind, pace: { tokensPerDelta: 2 } });
  const messages = [{ role: "user" as const, content: "case 000" }];
  const { body } = await send(provider, { model: "claude-sonnet-4-5", max_tokens: 1_000, stream: true, messages });
  let text = "";
  for await (const each of body) text += each;
  return text.split("\n\n").filter(Boolean);
}

interface Case {
  readonly fault: Fault;
  /** Output tokens that were sent before the answer broke: what it cost at the least. */
  readonly sent: number;
}

/** One agent a case: its first call meets the fault, and every later one is answered. */
async function run(cases: readonly Case[], options: { times?: number } = {}) {
  const met = new Set<number>();
  const look = probe("look");
  const world = await openProviderWorld({
    ...options,
    mind,
    tools: [look],
    faults: (request) => {
      const at = Number(/case (\d+)/.exec(taskOf(request))?.[1]);
      if (met.has(at)) return undefined;
      met.add(at);
      return cases[at]?.fault;
    },
  });
  const agents = await Promise.all(
    cases.map((_, at) => world.spawn({ name: `a${at}`, task: `case ${String(at).padStart(3, "0")}`, tools: [look] })),
  );
  return { world, agents, look, ...(await check({ world, agents, cases })) };
}

interface Ran {
  readonly world: ProviderWorld;
  readonly agents: readonly Awaited<ReturnType<ProviderWorld["spawn"]>>[];
  readonly cases: readonly Case[];
}

async function check({ agents, cases }: Ran) {
  const wrong: string[] = [];
  let broken = 0;
  for (const [at, agent] of agents.entries()) {
    const { fault, sent } = cases[at] as Case;
    const not = (what: string) => wrong.push(`${JSON.stringify(fault)}: ${what}`);
    const { status, output, error } = await agent.result();
    if (status !== "completed" || output !== "finished") not(`${status} ${output} ${error?.message}`);
    const said = (await agent.messages()).filter(({ kind }) => kind === "assistant");
    const texts = JSON.stringify(said);
    if (said.length !== 2 || texts.split(TEXT).length !== 2) not(`it said ${texts}`);
    const [whole] = await eventsOf(agent, "turn.ended");
    const promptTokens = whole ? whole.usage.input + whole.usage.cacheRead + whole.usage.cacheWrite : 0;
    for (const { usage, estimated } of await eventsOf(agent, "turn.failed")) {
      broken += 1;
      const booked = usage.input + usage.cacheRead + usage.cacheWrite;
      if (booked < promptTokens) not(`a prompt of ${promptTokens} tokens is booked as ${booked}`);
      if (usage.output < sent || usage.output > OUTPUT_TOKENS_MAX) not(`${sent} tokens are booked as ${usage.output}`);
      if (!estimated) not("what is not known is booked as known");
    }
  }
  return { wrong, broken };
}

/** Tokens that the first events of the answer stand for. */
function tokensIn(events: readonly string[]): number {
  return events.filter((event) => event.includes("_delta") && !event.includes("signature_delta")).length * 2;
}

test("5, 8: cut after every event of an answer, and inside of every one", { timeout: TIMEOUT_MS }, async () => {
  const events = await eventsOfAnswer();
  let bytes = 0;
  const cases = events.flatMap((event, at): Case[] => {
    // The last delta may stand for one token, and a message's own delta for none.
    const sent = Math.max(0, tokensIn(events.slice(0, at)) - 4);
    const inside = bytes + Math.floor(event.length / 2);
    bytes += event.length + 2;
    return [
      { fault: { kind: "cut", afterEvents: at }, sent },
      { fault: { kind: "cut", afterBytes: inside }, sent },
    ];
  });
  const { world, look, wrong, broken } = await run(cases);
  await using _world = world;
  expect(wrong).toEqual([]);
  expect([...look.runs].sort()).toEqual([...new Set(look.runs)].sort());
  expect(look.runs).toHaveLength(cases.length);
  expect(broken).toBeGreaterThan(cases.length * 0.9);
});

test("5, 8: garbage in place of every event of an answer, an error inside of it, a proxy's page", {
  timeout: TIMEOUT_MS,
}, async () => {
  const events = await eventsOfAnswer();
  const cases = events.flatMap((_, at): Case[] => [
    { fault: { kind: "garbage", form: "json", afterEvents: at }, sent: 0 },
    ...(at === 0 ? [] : [{ fault: { kind: "errorEvent" as const, afterEvents: at }, sent: 0 }]),
  ]);
  const { world, look, wrong } = await run([...cases, { fault: { kind: "garbage", form: "html" }, sent: 0 }]);
  await using _world = world;
  expect(wrong).toEqual([]);
  expect(look.runs).toHaveLength(cases.length + 1);
  expect(new Set(look.runs).size).toBe(look.runs.length);
});

test("5: silence before the answer and in the middle of it", { timeout: TIMEOUT_MS }, async () => {
  const cases: Case[] = [
    { fault: { kind: "silence" }, sent: 0 },
    { fault: { kind: "slow", tokenMs: 10 ** 9 }, sent: 0 },
    { fault: { kind: "slow", firstTokenMs: 10 ** 9 }, sent: 0 },
  ];
  const { world, agents, wrong, broken } = await run(cases);
  await using _world = world;
  expect(wrong).toEqual([]);
  expect(broken).toBe(cases.length);
  for (const agent of agents) {
    const [failed] = await eventsOf(agent, "turn.failed");
    expect(failed?.error).toEqual({ code: "MODEL_GARBLED", message: "the provider was silent for 120 s" });
  }
});
