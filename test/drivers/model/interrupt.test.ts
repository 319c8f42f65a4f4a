/** R2, S1, S2, S3: calls that end before the provider ends them. */
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../src/base/limits.ts";
import { type Answering, handFed, partsOf, scriptedModel } from "../../support/models.ts";
import { Conversation } from "./conversation.ts";

async function calling(streamed = handFed()) {
  const model = scriptedModel(() => streamed.stream);
  const agent = await Conversation.begin();
  await agent.hear("go");
  agent.start();
  const session = await agent.open(model);
  const controller = new AbortController();
  const heard: string[] = [];
  const { promise: spoke, resolve } = Promise.withResolvers<void>();
  const onDelta = (text: string) => {
    heard.push(text);
    resolve();
  };
  const turn = session.turn(agent.state, { signal: controller.signal, onDelta });
  return { ...streamed, agent, model, session, controller, turn, heard, spoke };
}

/** All of an answer but its finish. */
const unfinished = (answer: Answering) => partsOf(answer).slice(0, -1);

describe("an interrupt", () => {
  test("R2: ends the call at once and keeps what was said; calls are dropped, for they will not run", async () => {
    const call = await calling();
    call.feed(...unfinished({ reasoning: "hm", calls: [{ id: "x", name: "look", input: { path: "." } }] }));
    call.feed({ type: "text-start", id: "1" }, { type: "text-delta", id: "1", delta: "I was" });
    await call.spoke;
    call.controller.abort();
    expect(await call.turn).toMatchObject({
      outcome: "interrupted",
      finish: "other",
      parts: [
        { type: "reasoning", text: "hm" },
        { type: "text", text: "I was" },
      ],
      estimated: true,
    });
    await call.cancelled;
    expect(call.model.signal?.aborted).toBe(true);
    expect(call.agent.clock.pending).toBe(0);
  });

  test("S1: does not wait for a provider that has not answered, nor for what it says after", async () => {
    const opened = Promise.withResolvers<ReadableStream>();
    const fed = handFed();
    const model = scriptedModel(() => opened.promise);
    const agent = await Conversation.begin();
    await agent.hear("go");
    agent.start();
    const controller = new AbortController();
    const heard: string[] = [];
    const session = await agent.open(model);
    const turn = session.turn(agent.state, { signal: controller.signal, onDelta: (text) => heard.push(text) });
    await expect.poll(() => model.asked.length).toBe(1);
    controller.abort();
    expect(await turn).toMatchObject({ outcome: "interrupted", parts: [], usage: { output: 1_000 }, estimated: true });
    fed.feed({ type: "text-delta", id: "1", delta: "late" });
    opened.resolve(fed.stream);
    await fed.cancelled;
    expect(heard).toEqual([]);
  });

  test("S3: a provider that then fails is not heard of", async () => {
    const opened = Promise.withResolvers<never>();
    const model = scriptedModel(() => opened.promise);
    const agent = await Conversation.begin();
    await agent.hear("go");
    agent.start();
    const controller = new AbortController();
    const turn = (await agent.open(model)).turn(agent.state, { signal: controller.signal });
    await expect.poll(() => model.asked.length).toBe(1);
    controller.abort();
    opened.reject(new Error("aborted"));
    expect(await turn).toMatchObject({ outcome: "interrupted" });
  });

  test("one that came before the call is none: nothing is asked, nothing spent", async () => {
    const model = scriptedModel(["A"]);
    const agent = await Conversation.begin();
    await agent.hear("go");
    agent.start();
    const outcome = await (await agent.open(model)).turn(agent.state, { signal: AbortSignal.abort() });
    const usage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
    expect(outcome).toEqual({ outcome: "interrupted", parts: [], finish: "other", usage });
    expect(model.asked).toEqual([]);
  });

  test("one that comes after the end changes nothing", async () => {
    const call = await calling();
    call.feed(...partsOf("A"));
    const outcome = await call.turn;
    call.controller.abort();
    expect(outcome).toMatchObject({ outcome: "done", parts: [{ text: "A" }] });
    expect(call.model.signal?.aborted).toBe(false);
  });

  test("the session goes on with what was said", async () => {
    const call = await calling();
    call.feed({ type: "text-delta", id: "1", delta: "I was " });
    await call.spoke;
    call.controller.abort();
    const { agent, session } = call;
    agent.end(await call.turn);
    await agent.hear("yes?");
    const next = handFed();
    next.feed(...partsOf("A"));
    call.model.doStream = async ({ prompt }) => {
      expect(prompt.map(({ content }) => content).slice(1)).toMatchObject([
        [{ text: "go" }],
        [{ text: "I was " }],
        [{ text: "(interrupted)" }, { text: "yes?" }],
      ]);
      return { stream: next.stream };
    };
    expect(await agent.take(session)).toMatchObject({ outcome: "done" });
  });
});

describe("what an interrupted call used", () => {
  test("at most a token a byte of what arrived, inputs of calls included, and what was under way", async () => {
    const call = await calling();
    call.feed({ type: "tool-input-delta", id: "x", delta: "é" });
    call.feed({ type: "text-delta", id: "1", delta: "12345é" });
    await call.spoke;
    call.controller.abort();
    const bound = call.session.worstCase(call.agent.state);
    expect((await call.turn).usage).toEqual({
      input: bound.promptTokensMax,
      output: 9 + 512,
      cacheRead: 0,
      cacheWrite: 0,
    });
  });

  test("at most all it may make while it thinks unseen", async () => {
    const call = await calling();
    call.feed({ type: "reasoning-start", id: "1" });
    await expect.poll(() => call.model.asked.length).toBe(1);
    call.controller.abort();
    expect((await call.turn).usage.output).toBe(1_000);
  });

  test("Anthropic says at once what the prompt came to: that part is exact", async () => {
    const call = await calling();
    const usage = { input_tokens: 3, cache_read_input_tokens: 100, cache_creation_input_tokens: 20, output_tokens: 1 };
    call.feed({ type: "custom", kind: "anthropic.message_start", providerMetadata: { anthropic: { usage } } });
    call.feed({ type: "text-delta", id: "1", delta: "A" });
    await call.spoke;
    call.controller.abort();
    expect((await call.turn).usage).toMatchObject({ input: 3, cacheRead: 100, cacheWrite: 20 });
  });
});

describe("silence", () => {
  test("S2: before the first word", async () => {
    const call = await calling();
    await expect.poll(() => call.model.asked.length).toBe(1);
    call.agent.clock.advance(LIMITS.streamSilenceMsMax);
    expect(await call.turn).toMatchObject({
      outcome: "retryable",
      putOff: false,
      error: { code: "MODEL_GARBLED", message: "the provider was silent for 120 s" },
      estimated: true,
    });
    await call.cancelled;
    expect(call.model.signal?.aborted).toBe(true);
  });

  test("S2: counts from the last part, whatever it was", async () => {
    const call = await calling();
    const { clock } = call.agent;
    await expect.poll(() => call.model.asked.length).toBe(1);
    clock.advance(LIMITS.streamSilenceMsMax - 1);
    call.feed({ type: "text-delta", id: "1", delta: "A" });
    await call.spoke;
    clock.advance(LIMITS.streamSilenceMsMax - 1);
    call.feed(...partsOf("B"));
    call.close();
    expect(await call.turn).toMatchObject({ outcome: "done" });
    await expect.poll(() => clock.pending).toBe(0);
  });

  test("S3: after the finish, only the connection is given up", async () => {
    const call = await calling();
    call.feed(...partsOf("A"));
    expect(await call.turn).toMatchObject({ outcome: "done" });
    call.agent.clock.advance(LIMITS.streamSilenceMsMax);
    await call.cancelled;
    expect(call.agent.clock.pending).toBe(0);
  });
});

test("R5: a call that may not start any more, once it is ready to go out, is not made", async () => {
  const model = scriptedModel(["never said"]);
  const agent = await Conversation.begin();
  await agent.hear("go");
  agent.start();
  const session = await agent.open(model);
  let covered = false;
  const turn = session.turn(agent.state, { signal: new AbortController().signal, mayStart: () => !covered });
  covered = true;
  expect(await turn).toMatchObject({ outcome: "withheld", usage: { input: 0, output: 0 } });
  expect(model.asked).toEqual([]);
});
