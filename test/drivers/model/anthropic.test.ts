/**
 * The real Anthropic provider of the AI SDK: the bytes that go over the wire, the cache hits that they bring, and what
 * faults on the wire become.
 */
import { createAnthropic } from "@ai-sdk/anthropic";
import { describe, expect, test } from "vitest";
import type { ErrorCode } from "../../../src/base/errors.ts";
import type { Session } from "../../../src/drivers/driver.ts";
import type { Fault, FaultPlan } from "../../../src/simulator/faults.ts";
import { providerFetch } from "../../../src/simulator/fetch.ts";
import type { Mind, Reply } from "../../../src/simulator/mind.ts";
import { createProvider } from "../../../src/simulator/provider.ts";
import { scriptedMind } from "../../../src/simulator/scripted.ts";
import { Conversation, type Setting } from "./conversation.ts";

const EXECUTION = { provider: "anthropic.messages", model: "claude-sonnet-4-5", outputTokensMax: 4_000 };
/** Over the least that is cached. */
const INSTRUCTIONS = "Survey the tree of sources, folder by folder. ".repeat(200);

/** A model over the simulator that keeps every request's body as it was sent. */
function recorded({ mind, faults = () => undefined }: { mind: Mind; faults?: FaultPlan }) {
  const bodies: string[] = [];
  const provider = createProvider({ mind, faults });
  const send = providerFetch(provider);
  const fetch: typeof globalThis.fetch = (url, init) => {
    bodies.push(String(init?.body));
    return send(url, init);
  };
  const anthropic = createAnthropic({ baseURL: "http://simulator.invalid/v1", apiKey: "k", fetch });
  return { model: anthropic("claude-sonnet-4-5"), bodies, provider };
}

const begin = (setting: Setting = {}) =>
  Conversation.begin({ instructions: INSTRUCTIONS, execution: EXECUTION, ...setting });

/** The blocks of the messages, with their roles and without the marks. */
function blocksOf(body: string): string[] {
  const { messages } = JSON.parse(body) as { messages: { role: string; content: { cache_control?: object }[] }[] };
  return messages.flatMap(({ role, content }) =>
    content.map(({ cache_control: _, ...block }) => JSON.stringify([role, block])),
  );
}

/** Everything of a body but its messages. */
function headOf(body: string): string {
  const { messages: _, ...head } = JSON.parse(body);
  return JSON.stringify(head);
}

const marksIn = (body: string) => body.split('"cache_control"').length - 1;

const look = (id: string, text: string): Reply => ({
  content: [
    { type: "thinking", thinking: "Let me see." },
    { type: "text", text },
    { type: "tool_use", id, name: "look", input: { path: `src/${id}`, depth: 2 } },
  ],
});

const script: Reply[] = [
  look("toolu_1", "I look. "),
  { content: [{ type: "text", text: " A pause " }], stopReason: "pause_turn" },
  look("toolu_2", "Again."),
  { content: [{ type: "text", text: "Done." }] },
  { content: [{ type: "text", text: "Bye." }] },
];

describe("the bytes on the wire", () => {
  test("R3: system, tools and settings repeat, messages only grow; cold sessions and forks send the same body", async () => {
    const { model, bodies } = recorded({ mind: scriptedMind([...script.flatMap((reply) => [reply, reply, reply])]) });
    const agent = await begin();
    const session = await agent.open(model);
    await agent.hear("Begin. ");
    for (let turn = 0; turn < script.length; turn++) {
      if (turn === 4) await agent.hear("Anything else?");
      const before = bodies.length;
      agent.start();
      const signal = new AbortController().signal;
      const [cold, fork] = [agent.refold(), agent.fork()];
      const outcome = await session.turn(agent.state, { signal });
      await (await agent.openCold(model, cold)).turn(cold, { signal });
      await (await agent.openCold(model, fork)).turn(fork, { signal });
      expect(new Set(bodies.slice(before)).size).toBe(1);
      agent.end(outcome);
      await agent.results(["ok", "a.ts\nb.ts"]);
    }
    const turns = bodies.filter((_, index) => index % 3 === 0);
    expect(new Set(turns.map(headOf)).size).toBe(1);
    turns.slice(1).forEach((body, index) => {
      const before = blocksOf(turns[index] as string);
      expect(blocksOf(body).slice(0, before.length)).toEqual(before);
      expect(blocksOf(body).length).toBeGreaterThan(before.length);
    });
    expect(turns.map(marksIn)).toEqual([2, 3, 3, 3, 3]);
    expect(turns.at(-1)).toContain('"type":"thinking"');
  });

  test("the second turn reads from the cache what the first one wrote, and a fork reads it too", async () => {
    const { model } = recorded({ mind: scriptedMind([...script, "Twin."]) });
    const agent = await begin();
    const session = await agent.open(model);
    await agent.hear("Begin.");
    const first = await agent.take(session);
    const second = await agent.take(session);
    const third = await agent.take(session);
    expect(first.usage).toMatchObject({ cacheRead: 0, cacheWrite: expect.any(Number) });
    expect(first.usage.cacheWrite).toBeGreaterThan(1_024);
    expect(second.usage.cacheRead).toBe(first.usage.cacheWrite);
    expect(third.usage.cacheRead).toBe(second.usage.cacheRead + second.usage.cacheWrite);
    const fork = agent.fork();
    const twin = await (await agent.openCold(model, fork)).turn(fork, { signal: new AbortController().signal });
    expect(twin.usage.cacheRead).toBe(third.usage.cacheRead + third.usage.cacheWrite);
    expect(twin.usage.input).toBeLessThan(20);
  });

  test("R4: the bound is over what is billed, from the first turn on", async () => {
    const { model } = recorded({ mind: scriptedMind(script) });
    const agent = await begin();
    const session: Session = await agent.open(model);
    await agent.hear("Begin.");
    for (let turn = 0; turn < 4; turn++) {
      const { promptTokensMax } = session.worstCase(agent.state);
      const { usage } = await agent.take(session);
      const billed = usage.input + usage.cacheRead + usage.cacheWrite;
      expect(billed).toBeLessThanOrEqual(promptTokensMax);
      if (turn > 0) expect(promptTokensMax).toBeLessThan(billed + 1_000);
    }
  });
});

describe("what comes back", () => {
  test("signatures, pauses and calls survive the way there and back", async () => {
    const { model } = recorded({ mind: scriptedMind(script) });
    const agent = await begin();
    const session = await agent.open(model);
    await agent.hear("Begin.");
    expect(await agent.take(session)).toMatchObject({
      finish: "toolCalls",
      parts: [
        { type: "reasoning", text: "Let me see.", providerOptions: { anthropic: { signature: expect.any(String) } } },
        { type: "text", text: "I look. " },
        { type: "toolCall", callId: "toolu_1", name: "look", input: { json: { path: "src/toolu_1", depth: 2 } } },
      ],
    });
    expect(await agent.take(session)).toMatchObject({ finish: "paused", parts: [{ text: " A pause " }] });
  });

  const turnWith = async (fault: Fault) => {
    const { model } = recorded({ mind: scriptedMind(["Hello there, dear reader."]), faults: () => fault });
    const agent = await begin();
    const session = await agent.open(model);
    await agent.hear("Begin.");
    agent.start();
    return await session.turn(agent.state, { signal: new AbortController().signal });
  };
  const nothing = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };

  test.each<[string, Fault, ErrorCode, boolean, number | undefined]>([
    ["a rate limit", { kind: "rateLimit", retryAfterMs: 3_000 }, "MODEL_RATE_LIMITED", true, 3_000],
    ["an overload", { kind: "overloaded" }, "MODEL_OVERLOADED", true, undefined],
    ["an overload inside the stream", { kind: "errorEvent", afterEvents: 0 }, "MODEL_OVERLOADED", true, undefined],
    ["a server error", { kind: "serverError" }, "MODEL_OVERLOADED", false, undefined],
  ])("%s costs nothing", async (_, fault, code, putOff, afterMs) => {
    const outcome = await turnWith(fault);
    expect(outcome).toMatchObject({ outcome: "retryable", putOff, error: { code }, usage: nothing });
    expect("afterMs" in outcome ? outcome.afterMs : undefined).toBe(afterMs);
  });

  test.each<[string, Fault, ErrorCode]>([
    ["a stream that is cut", { kind: "cut", afterEvents: 4 }, "MODEL_GARBLED"],
    ["an event that is no JSON", { kind: "garbage", form: "json" }, "MODEL_GARBLED"],
    ["a proxy's page", { kind: "garbage", form: "html" }, "MODEL_GARBLED"],
    ["an overload in the middle", { kind: "errorEvent", afterEvents: 4 }, "MODEL_OVERLOADED"],
  ])("%s is tried again, and costs at most its bound", async (_, fault, code) => {
    const outcome = await turnWith(fault);
    expect(outcome).toMatchObject({ outcome: "retryable", error: { code }, estimated: true });
    expect(outcome.usage.output).toBeGreaterThan(0);
  });

  test("a key that is refused ends it", async () => {
    const key = `sk-ant-api03-${"k".repeat(40)}`;
    const provider = createProvider({ mind: scriptedMind([]), apiKey: "another" });
    const settings = { baseURL: "http://simulator.invalid/v1", apiKey: key, fetch: providerFetch(provider) };
    const agent = await begin();
    await agent.hear("Begin.");
    const outcome = await agent.take(await agent.open(createAnthropic(settings)("claude-sonnet-4-5")));
    expect(outcome).toMatchObject({
      outcome: "fatal",
      error: { code: "MODEL_FAILED", message: "401: invalid x-api-key" },
    });
  });

  test("R2: an interrupt goes through to the request", async () => {
    const { model, provider } = recorded({ mind: scriptedMind(["Never heard."]), faults: () => ({ kind: "silence" }) });
    const agent = await begin();
    const session = await agent.open(model);
    await agent.hear("Begin.");
    agent.start();
    const controller = new AbortController();
    const turn = session.turn(agent.state, { signal: controller.signal });
    await expect.poll(() => provider.requests.concurrent).toBe(1);
    controller.abort();
    expect(await turn).toMatchObject({ outcome: "interrupted", parts: [], estimated: true });
    await expect.poll(() => provider.requests.concurrent).toBe(0);
  });
});
