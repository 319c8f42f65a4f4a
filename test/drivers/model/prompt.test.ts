/** What the model is sent for what happened, case by case. */
import { describe, expect, test } from "vitest";
import { createRedactor } from "../../../src/base/redact.ts";
import { createContents } from "../../../src/blobs/content.ts";
import { createModelDriver } from "../../../src/drivers/model/model-driver.ts";
import { type Answering, type Asked, scriptedModel } from "../../support/models.ts";
import { Conversation, type Setting } from "./conversation.ts";

type Script = (agent: Conversation, turn: () => Promise<unknown>) => Promise<void>;

/** The messages of the last prompt, marks aside, after a script of what happened. */
async function promptAfter(script: Script, answers: readonly (string | Answering)[], setting: Setting = {}) {
  const model = scriptedModel(answers);
  const agent = await Conversation.begin(setting);
  const session = await agent.open(model);
  await script(agent, () => agent.take(session));
  return (model.asked.at(-1) as Asked).prompt.map(({ role, content }) => ({ role, content }));
}

const user = (...texts: string[]) => ({ role: "user", content: texts.map((text) => ({ type: "text", text })) });
const assistant = (...content: object[]) => ({ role: "assistant", content });
const said = (text: string) => ({ type: "text", text });
const SYSTEM = { role: "system", content: "Be brief." };

describe("messages", () => {
  test("those that wait together are one message, each with the line that says who it is from", async () => {
    const prompt = await promptAfter(
      async (agent, turn) => {
        await agent.hear("first");
        await agent.hear("second", { kind: "agent", name: "scout" });
        await agent.report("found it");
        await turn();
      },
      ["ok"],
    );
    expect(prompt).toEqual([
      SYSTEM,
      user("first", "[message from scout]\nsecond", "[agent scout completed]\nfound it"),
    ]);
  });

  test("a blank one is named so, and a long one is whole", async () => {
    const long = "word ".repeat(5_000);
    const prompt = await promptAfter(
      async (agent, turn) => {
        await agent.hear(" \n");
        await agent.hear(long);
        await turn();
      },
      ["ok"],
    );
    expect(prompt).toEqual([SYSTEM, user("(empty)", long)]);
  });

  test("an agent that speaks first begins after a fixed line", async () => {
    const prompt = await promptAfter(
      async (agent, turn) => {
        await turn();
        await agent.hear("hi");
        await turn();
      },
      ["Hello!", "ok"],
      { speaksFirst: true },
    );
    expect(prompt).toEqual([SYSTEM, user("(start)"), assistant(said("Hello!")), user("hi")]);
  });

  test("without instructions there is no system message", async () => {
    const prompt = await promptAfter(
      async (agent, turn) => {
        await agent.hear("hi");
        await turn();
      },
      ["ok"],
      { instructions: "\n" },
    );
    expect(prompt).toEqual([user("hi")]);
  });
});

describe("answers", () => {
  test("a paused one goes on after a fixed line, which stays", async () => {
    const pause = { unified: "stop", raw: "pause_turn" } as const;
    const prompt = await promptAfter(
      async (agent, turn) => {
        await agent.hear("hi");
        await turn();
        await turn();
        await agent.hear("more");
        await turn();
      },
      [{ text: "one", finish: pause }, { text: "two", finish: pause }, "three"],
    );
    const go = "(continue)";
    expect(prompt).toEqual([
      SYSTEM,
      user("hi"),
      assistant(said("one")),
      user(go),
      assistant(said("two")),
      user(go, "more"),
    ]);
  });

  test("one without words is left out, and reasoning that nothing follows", async () => {
    const prompt = await promptAfter(
      async (agent, turn) => {
        await agent.hear("a");
        await turn();
        await agent.hear("b");
        await turn();
        await agent.hear("c");
        await turn();
      },
      [{}, { reasoning: "hm", finish: { unified: "length", raw: undefined } }, "ok"],
    );
    expect(prompt).toEqual([SYSTEM, user("a", "b", "c")]);
  });

  test("reasoning goes back with its signature, calls with their input, results in the order of the calls", async () => {
    const calls = [
      { id: "x", name: "look", input: { path: "." } },
      { id: "y", name: "wait", input: {} },
    ];
    const model = scriptedModel([{ reasoning: "hm", text: "I look.", calls }, "ok"]);
    const agent = await Conversation.begin();
    const session = await agent.open(model);
    await agent.hear("go");
    agent.start();
    agent.end(await session.turn(agent.state, { signal: new AbortController().signal }));
    agent.add({ type: "tool.ended", callId: "y", outcome: "error", content: "no" });
    agent.add({ type: "tool.ended", callId: "x", outcome: "ok", content: "" });
    await agent.take(session);
    const [, , answer, tools] = model.asked[1]?.prompt ?? [];
    expect(answer?.content).toEqual([
      { type: "reasoning", text: "hm", providerOptions: { anthropic: { signature: "signed 2" } } },
      said("I look."),
      { type: "tool-call", toolCallId: "x", toolName: "look", input: { path: "." } },
      { type: "tool-call", toolCallId: "y", toolName: "wait", input: {} },
    ]);
    expect(tools).toMatchObject({
      role: "tool",
      content: [
        { type: "tool-result", toolCallId: "x", toolName: "look", output: { type: "text", value: "" } },
        { type: "tool-result", toolCallId: "y", toolName: "wait", output: { type: "error-text", value: "no" } },
      ],
    });
  });

  test.each(["error", "unknown", "denied", "interrupted"] as const)(
    "a result that is %s is an error",
    async (outcome) => {
      const model = scriptedModel([{ calls: [{ id: "x", name: "look", input: {} }] }, "ok"]);
      const agent = await Conversation.begin();
      const session = await agent.open(model);
      await agent.hear("go");
      await agent.take(session, {}, [outcome, "no"]);
      await agent.take(session);
      expect(model.asked[1]?.prompt.at(-1)?.content).toMatchObject([{ output: { type: "error-text", value: "no" } }]);
    },
  );

  test("a long result is shown cut, a long answer and a long input whole", async () => {
    const long = "line\n".repeat(3_000);
    const model = scriptedModel([{ text: long, calls: [{ id: "x", name: "look", input: { path: long } }] }, "ok"]);
    const agent = await Conversation.begin();
    const session = await agent.open(model);
    await agent.hear("go");
    await agent.take(session, {}, ["ok", long]);
    await agent.take(session);
    const [, , answer, tools] = model.asked[1]?.prompt ?? [];
    expect(answer?.content).toMatchObject([{ text: long }, { input: { path: long } }]);
    const part = tools?.role === "tool" ? tools.content[0] : undefined;
    const shown = part?.type === "tool-result" && part.output.type === "text" ? part.output.value : "";
    expect(shown).toMatch(/^line\nline\n/);
    expect(shown).toContain("\n[cut: 15000 bytes in total; read the rest with read_artifact ref=sha256:");
    expect(Buffer.byteLength(shown)).toBeLessThan(2_300);
  });
});

describe("breakpoints", () => {
  const marked = (asked: Asked | undefined) =>
    asked?.prompt.flatMap(({ providerOptions }, index) => (providerOptions?.anthropic ? [index] : []));

  test("after the instructions, after the last turn's prompt and at the end", async () => {
    const model = scriptedModel([{ calls: [{ id: "x", name: "look", input: {} }] }, "one", "two"]);
    const agent = await Conversation.begin();
    const session = await agent.open(model);
    await agent.hear("go");
    await agent.take(session);
    await agent.take(session);
    await agent.hear("more");
    await agent.take(session);
    expect(model.asked.map(marked)).toEqual([
      [0, 1],
      [0, 1, 3],
      [0, 3, 5],
    ]);
    expect(JSON.stringify(model.asked[0]?.tools)).not.toContain("cacheControl");
  });

  test("without instructions the last tool carries the first", async () => {
    const model = scriptedModel(["ok"]);
    const agent = await Conversation.begin({ instructions: "" });
    await agent.hear("go");
    await agent.take(await agent.open(model));
    expect(model.asked[0]?.tools).toMatchObject([
      { name: "look" },
      { name: "wait", providerOptions: { anthropic: {} } },
    ]);
    expect(marked(model.asked[0])).toEqual([0]);
  });
});

describe("tools", () => {
  test("they are shown as they were stored, whatever keys they have and in whatever order", async () => {
    const tools = [{ strict: true, inputSchema: { type: "object", b: 1, a: 2 }, name: "odd" }];
    const model = scriptedModel(["ok"]);
    const agent = await Conversation.begin({ tools });
    await agent.hear("go");
    await agent.take(await agent.open(model));
    expect(JSON.stringify(model.asked[0]?.tools)).toBe(JSON.stringify([{ type: "function", ...tools[0] }]));
  });

  test("without any none are sent", async () => {
    const model = scriptedModel(["ok"]);
    const agent = await Conversation.begin({ tools: [] });
    await agent.hear("go");
    await agent.take(await agent.open(model));
    expect(model.asked[0]).not.toHaveProperty("tools");
  });

  test("what is no toolset is refused", async () => {
    const agent = await Conversation.begin({ tools: [{ name: 3 }] });
    await expect(agent.open(scriptedModel([]))).rejects.toMatchObject({ code: "EVENT_INVALID" });
  });

  test("sessions of one toolset share it", async () => {
    const agent = await Conversation.begin();
    const contents = createContents({ blobs: agent.blobs, redact: createRedactor() });
    const model = scriptedModel(["one", "two"]);
    const driver = createModelDriver({ contents, clock: agent.clock, models: [model] });
    const before = agent.blobs.counts.gets;
    await agent.hear("go");
    for (const session of await Promise.all([driver.open(agent.state), driver.open(agent.state)]))
      await agent.take(session);
    expect(agent.blobs.counts.gets - before).toBe(1);
    expect(model.asked[1]?.tools).toEqual(model.asked[0]?.tools);
  });
});
