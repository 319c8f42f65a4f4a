/** Turns that go well: what streams in becomes parts, usage and an end. */
import type { LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { describe, expect, test } from "vitest";
import { BanyanError } from "../../../src/base/errors.ts";
import { createModelDriver, type ProviderModel } from "../../../src/drivers/model/model-driver.ts";
import { type Answering, handFed, type Reply, scriptedModel, usageOf } from "../../support/models.ts";
import { Conversation, type Setting } from "./conversation.ts";

async function turnOf(reply: Reply, setting: Setting = {}, onDelta?: (text: string) => void) {
  const model = scriptedModel([reply]);
  const agent = await Conversation.begin(setting);
  await agent.hear("go");
  agent.start();
  const session = await agent.open(model);
  const signal = new AbortController().signal;
  const outcome = await session.turn(agent.state, { signal, ...(onDelta && { onDelta }) });
  return { outcome, agent, model, asked: model.asked[0] };
}

const finish = (unified: "stop" | "other" = "stop", raw?: string): LanguageModelV4StreamPart => ({
  type: "finish",
  finishReason: { unified, raw },
  usage: usageOf(1, 1),
});

describe("parts", () => {
  test("text, reasoning and calls in the order they began; text is told as it comes", async () => {
    const heard: string[] = [];
    const answer: Answering = {
      reasoning: "hm",
      text: "I look now.",
      calls: [{ id: "x", name: "look", input: { a: [1] } }],
    };
    const { outcome } = await turnOf(answer, {}, (text) => heard.push(text));
    expect(outcome).toEqual({
      outcome: "done",
      parts: [
        { type: "reasoning", text: "hm", providerOptions: { anthropic: { signature: "signed 2" } } },
        { type: "text", text: "I look now." },
        { type: "toolCall", callId: "x", name: "look", input: { json: { a: [1] } } },
      ],
      finish: "toolCalls",
      usage: { input: 10, output: 5, cacheRead: 0, cacheWrite: 0 },
    });
    expect(heard).toEqual(["I ", "look ", "now."]);
  });

  test("blocks that overlap keep apart, and one whose start is missing is heard", async () => {
    const { outcome } = await turnOf([
      { type: "text-start", id: "1" },
      { type: "reasoning-start", id: "1", providerMetadata: { p: { a: 1 } } },
      { type: "text-delta", id: "1", delta: "A" },
      { type: "reasoning-delta", id: "1", delta: "r" },
      { type: "text-delta", id: "2", delta: "B" },
      { type: "text-delta", id: "1", delta: "a" },
      { type: "reasoning-end", id: "1", providerMetadata: { p: { b: 2, gone: undefined }, q: {} } },
      { type: "text-start", id: "1" },
      { type: "text-delta", id: "1", delta: "C" },
      { type: "text-end", id: "1" },
      finish(),
    ]);
    expect(outcome).toMatchObject({
      parts: [
        { type: "text", text: "Aa" },
        { type: "reasoning", text: "r", providerOptions: { p: { a: 1, b: 2 } } },
        { type: "text", text: "B" },
        { type: "text", text: "C" },
      ],
    });
    expect(JSON.stringify(outcome)).not.toContain('"q"');
  });

  test("what providers run themselves, and kinds that nothing is done with, are left out", async () => {
    const { outcome } = await turnOf([
      { type: "tool-call", toolCallId: "s", toolName: "web_search", input: "{}", providerExecuted: true },
      { type: "source", sourceType: "url", id: "u", url: "https://example.org" },
      { type: "text-delta", id: "1", delta: "A" },
      finish(),
    ]);
    expect(outcome).toMatchObject({ finish: "stop", parts: [{ type: "text", text: "A" }] });
  });

  test("redacted reasoning has no text, and is kept for its data", async () => {
    const { outcome } = await turnOf([
      { type: "reasoning-start", id: "1", providerMetadata: { anthropic: { redactedData: "blob" } } },
      { type: "reasoning-end", id: "1" },
      { type: "text-delta", id: "2", delta: "A" },
      finish(),
    ]);
    const redacted = { type: "reasoning", text: "", providerOptions: { anthropic: { redactedData: "blob" } } };
    expect(outcome).toMatchObject({ parts: [redacted, { text: "A" }] });
  });

  test("a whole answer without words is one empty text, so that it is in the conversation", async () => {
    const { outcome } = await turnOf([{ type: "text-start", id: "1" }, { type: "text-end", id: "1" }, finish()]);
    expect(outcome).toMatchObject({ outcome: "done", finish: "stop", parts: [{ type: "text", text: "" }] });
  });

  test("calls of one answer that share an id get their own", async () => {
    const call = { id: "x", name: "look", input: {} };
    const { outcome } = await turnOf({ calls: [call, call, { ...call, id: "" }, { ...call, id: "y".repeat(300) }] });
    const ids = "parts" in outcome ? outcome.parts.map((part) => part.type === "toolCall" && part.callId) : [];
    expect(ids).toEqual(["x", "x-2", "call", "y".repeat(248)]);
  });

  test("no arguments at all are an empty object", async () => {
    const { outcome } = await turnOf({ calls: [{ id: "x", name: "look", input: "" }] });
    expect(outcome).toMatchObject({ parts: [{ input: { json: {} } }] });
  });

  test("long ones are stowed: text, reasoning, and the JSON text of an input", async () => {
    const long = "é".repeat(5_000);
    const { outcome, agent } = await turnOf({
      reasoning: long,
      text: long,
      calls: [{ id: "x", name: "look", input: { path: long } }],
    });
    const reference = { digest: expect.stringMatching(/^sha256:/), bytes: 10_000, head: "é".repeat(1_024) };
    expect(outcome).toMatchObject({
      parts: [{ text: reference }, { text: reference }, { input: { text: { bytes: 10_011 } } }],
    });
    const call = "parts" in outcome ? outcome.parts[2] : undefined;
    const input = call?.type === "toolCall" && "text" in call.input ? call.input.text : "";
    expect(JSON.parse(await agent.contents.fetch(input))).toEqual({ path: long });
  });

  test("many short ones do not add up to more than a record", async () => {
    const calls = Array.from({ length: 100 }, (_, id) => ({
      id: `${id}`,
      name: "look",
      input: { path: "\u0001".repeat(1_300) },
    }));
    const { outcome } = await turnOf({ calls });
    expect(JSON.stringify(outcome).length).toBeLessThan(2 ** 20);
    const inputs =
      "parts" in outcome ? outcome.parts.map((part) => part.type === "toolCall" && "json" in part.input) : [];
    expect(new Set(inputs)).toEqual(new Set([true, false]));
  });
});

describe("secrets", () => {
  const key = `sk-ant-api03-${"a".repeat(40)}`;
  const escaped = `{"note":"\\u0073${key.slice(1)}","n":1,"list":["${key}"],"${key}":null}`;

  test("one that JSON spells with an escape is seen through", async () => {
    const input = `{"note":"\\u0073${key.slice(1)}"}`;
    const { outcome } = await turnOf({ calls: [{ id: "x", name: "look", input }] });
    expect(outcome).toMatchObject({ parts: [{ input: { json: { note: "[redacted:anthropic]" } } }] });
  });

  test("they are taken out of texts and inputs, however JSON spells them", async () => {
    const { outcome } = await turnOf({ text: `use ${key}`, calls: [{ id: "x", name: "look", input: escaped }] });
    expect(outcome).toMatchObject({
      parts: [
        { text: "use [redacted:anthropic]" },
        {
          input: {
            json: {
              note: "[redacted:anthropic]",
              n: 1,
              list: ["[redacted:anthropic]"],
              "[redacted:anthropic]": null,
            },
          },
        },
      ],
    });
  });

  test("reasoning that is changed so loses its signature, which no longer holds", async () => {
    const { outcome } = await turnOf({ reasoning: `I have ${key}`, text: "ok" });
    expect(outcome).toMatchObject({ parts: [{ type: "reasoning", text: "I have [redacted:anthropic]" }, {}] });
    expect(JSON.stringify(outcome)).not.toContain("signature");
  });
});

describe("the end", () => {
  test.each([
    ["stop", undefined, "stop"],
    ["length", "max_tokens", "length"],
    ["content-filter", "refusal", "contentFilter"],
    ["stop", "pause_turn", "paused"],
    ["other", "compaction", "other"],
    ["tool-calls", undefined, "other"],
  ] as const)("%s (%s) is %s", async (unified, raw, expected) => {
    const { outcome } = await turnOf({ text: "A", finish: { unified, raw } });
    expect(outcome).toMatchObject({ outcome: "done", finish: expected });
  });

  test("calls make it toolCalls where a provider says stop", async () => {
    const calls = [{ id: "x", name: "look", input: {} }];
    const { outcome } = await turnOf({ calls, finish: { unified: "stop", raw: undefined } });
    expect(outcome).toMatchObject({ finish: "toolCalls" });
  });

  test("the model that answered is named when it is another", async () => {
    const meta = (modelId: string): LanguageModelV4StreamPart => ({ type: "response-metadata", modelId });
    const text: LanguageModelV4StreamPart = { type: "text-delta", id: "1", delta: "A" };
    expect((await turnOf([meta("scripted-2"), text, finish()])).outcome).toMatchObject({ model: "scripted-2" });
    expect((await turnOf([meta("scripted"), text, finish()])).outcome).not.toHaveProperty("model");
  });

  test("it comes with the finish; the stream is then read to its end", async () => {
    const fed = handFed();
    fed.feed({ type: "text-delta", id: "1", delta: "A" }, finish());
    const heard: string[] = [];
    const { outcome, agent } = await turnOf(fed.stream, {}, (text) => heard.push(text));
    expect(outcome).toMatchObject({ outcome: "done" });
    expect(agent.clock.pending).toBe(1);
    fed.feed({ type: "text-delta", id: "1", delta: "late" }, { type: "error", error: new Error("late") });
    fed.close();
    await expect.poll(() => agent.clock.pending).toBe(0);
    expect(heard).toEqual(["A"]);
  });
});

describe("usage", () => {
  const none = { total: undefined, noCache: undefined, cacheRead: undefined, cacheWrite: undefined };
  const noOutput = { total: undefined, text: undefined, reasoning: undefined };

  test.each([
    ["all classes", usageOf(3, 4, 5, 6), { input: 3, output: 4, cacheRead: 5, cacheWrite: 6 }],
    [
      "only totals",
      { inputTokens: { ...none, total: 10, cacheRead: 4 }, outputTokens: { ...noOutput, total: 2 } },
      { input: 6, output: 2, cacheRead: 4, cacheWrite: 0 },
    ],
    [
      "text and reasoning apart",
      { inputTokens: { ...none, noCache: 1 }, outputTokens: { ...noOutput, text: 2, reasoning: 3 } },
      { input: 1, output: 5, cacheRead: 0, cacheWrite: 0 },
    ],
  ])("%s", async (_, usage, expected) => {
    const { outcome } = await turnOf({ text: "A", usage });
    expect(outcome.usage).toEqual(expected);
    expect(outcome).not.toHaveProperty("estimated");
  });

  test("what the provider does not say is an upper bound", async () => {
    const usage = { inputTokens: none, outputTokens: { ...noOutput, total: Number.NaN } };
    const { outcome } = await turnOf({ text: "12345", usage });
    expect(outcome).toMatchObject({ outcome: "done", estimated: true, usage: { output: 517, cacheRead: 0 } });
    expect(outcome.usage.input).toBeGreaterThan(1_000);
  });
});

describe("the call", () => {
  test("the settings of the execution go with it", async () => {
    const execution = { outputTokensMax: 77, temperature: 0.5, headers: { "x-tenant": "t" } };
    const { asked } = await turnOf("A", { execution });
    expect(asked).toMatchObject({ maxOutputTokens: 77, temperature: 0.5, headers: { "x-tenant": "t" } });
    expect((await turnOf("A")).asked).not.toHaveProperty("temperature");
  });

  test("an agent of a model that is not registered is not opened", async () => {
    const agent = await Conversation.begin();
    const driver = createModelDriver({ contents: agent.contents, clock: agent.clock });
    await expect(driver.open(agent.state)).rejects.toMatchObject({
      code: "MODEL_UNRESOLVED",
      agent: agent.state.head.agent,
    });
    expect(driver.missing(agent.state.head.execution)).toBe("no model test/scripted is registered (none is)");
    driver.register(scriptedModel([], { modelId: "other" }));
    expect(driver.missing(agent.state.head.execution)).toBe("no model test/scripted is registered (test/other)");
    driver.register(scriptedModel([]));
    expect(driver.missing(agent.state.head.execution)).toBeUndefined();
    const session = await driver.open(agent.state);
    await session.close();
    await session.close();
  });

  test("a model of version 3 is called the same", async () => {
    const agent = await Conversation.begin();
    const model = { ...scriptedModel(["A"]), specificationVersion: "v3" } as unknown as ProviderModel;
    await agent.hear("go");
    expect(await agent.take(await agent.open(model))).toMatchObject({ outcome: "done", parts: [{ text: "A" }] });
  });

  test("a model of an older interface is refused", async () => {
    const agent = await Conversation.begin();
    const driver = createModelDriver({ contents: agent.contents, clock: agent.clock });
    const old = { ...scriptedModel([]), specificationVersion: "v2" };
    expect(() => driver.register(old as never)).toThrow(BanyanError);
    expect(() => driver.register(old as never)).toThrow("v2");
  });

  test("a disk that fails when a long answer is stowed does not hide what it cost", async () => {
    const model = scriptedModel(["long ".repeat(3_000)]);
    const agent = await Conversation.begin();
    await agent.hear("go");
    agent.start();
    const session = await agent.open(model);
    agent.blobs.failure = new BanyanError("DISK_FAILED", "no space");
    const outcome = await session.turn(agent.state, { signal: new AbortController().signal });
    expect(outcome).toMatchObject({
      outcome: "retryable",
      error: { code: "DISK_FAILED" },
      usage: { input: 10, output: 5 },
    });
  });

  test("a past that cannot be read ends the turn before the call", async () => {
    const model = scriptedModel(["A"]);
    const agent = await Conversation.begin();
    await agent.hear("long ".repeat(3_000));
    agent.start();
    const session = await agent.openCold(model, agent.state);
    const entry = agent.state.entries.at(-1);
    const content = entry?.kind === "user" ? entry.message.content : "";
    await agent.blobs.delete((typeof content === "string" ? "" : content.digest) as never);
    const outcome = await session.turn(agent.state, { signal: new AbortController().signal });
    expect(outcome).toMatchObject({
      outcome: "fatal",
      error: { code: "BLOB_NOT_FOUND" },
      usage: { input: 0, output: 0 },
    });
    expect(model.asked).toEqual([]);
  });
});
