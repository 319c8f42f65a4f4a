/** R4: the bound holds, and is no higher than it must be. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Answering, type Asked, scriptedModel, usageOf } from "../../support/models.ts";
import { Conversation } from "./conversation.ts";

/** A provider that bills a token for every byte of the JSON of a prompt: more than any tokenizer finds in it. */
function billed({ prompt, tools }: Asked): number {
  const bare = prompt.map(({ role, content }) => ({ role, content }));
  return Buffer.byteLength(JSON.stringify([bare, tools]));
}

const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 200 }).map((t) => t.replace(/[^\p{L}\p{Emoji} ]/gu, "")),
  fc.constant("lange Rede "),
);
const step = fc.record({
  inbox: fc.array(text, { minLength: 1, maxLength: 3 }),
  answer: fc.record({
    text,
    input: fc.dictionary(fc.constantFrom("path", "depth"), text, { maxKeys: 2 }),
    long: fc.boolean(),
  }),
  result: text,
  rewind: fc.boolean(),
});

describe("the bound", () => {
  test("R4: it is never under a provider that bills a token for every byte, before and after the first answer", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        let reply: Answering = {};
        const model = scriptedModel((asked) => ({ ...reply, usage: usageOf(billed(asked), 1) }));
        const agent = await Conversation.begin();
        const session = await agent.open(model);
        for (const { inbox, answer, result, rewind } of steps) {
          for (const each of inbox) await agent.hear(each);
          do {
            const said = answer.long ? answer.text.repeat(100) : answer.text;
            const calls = agent.state.inbox.length > 0 ? [{ id: "x", name: "look", input: answer.input }] : [];
            reply = { text: said, reasoning: said, calls };
            const { promptTokensMax, outputTokensMax } = session.worstCase(agent.state);
            await agent.take(session, {}, ["ok", result]);
            expect(billed(model.asked.at(-1) as Asked)).toBeLessThanOrEqual(promptTokensMax);
            expect(outputTokensMax).toBe(1_000);
          } while (agent.state.entries.at(-1)?.kind === "tools");
          if (rewind) agent.rewind(agent.state.entries.at(0)?.seq ?? 0);
        }
      }),
      { numRuns: 100 },
    );
  });

  test("it counts what waits in the inbox, reports and long texts whole", async () => {
    const agent = await Conversation.begin();
    const session = await agent.open(scriptedModel([]));
    const { promptTokensMax: empty } = session.worstCase(agent.state);
    await agent.hear("é".repeat(20_000));
    const { promptTokensMax: heard } = session.worstCase(agent.state);
    expect(heard - empty).toBeGreaterThanOrEqual(40_000);
    await agent.report("r".repeat(9_000));
    expect(session.worstCase(agent.state).promptTokensMax - heard).toBeGreaterThanOrEqual(9_000);
  });

  test("it counts instructions and tools", async () => {
    const bound = async (instructions: string, tools: object[]) => {
      const agent = await Conversation.begin({ instructions, tools });
      return (await (await agent.open(scriptedModel([]))).worstCase(agent.state)).promptTokensMax;
    };
    const bare = await bound("", []);
    expect(await bound("i".repeat(10_000), [])).toBe(bare + 10_000);
    const tool = { name: "look", description: "d".repeat(1_000), inputSchema: {} };
    expect((await bound("", [tool])) - bare).toBeGreaterThan(1_000);
  });

  test("once the provider has counted, only what is new is bounded by its bytes", async () => {
    const agent = await Conversation.begin();
    const session = await agent.open(scriptedModel([{ text: "A", usage: usageOf(20, 5, 200, 3_000) }]));
    await agent.hear("words ".repeat(2_000));
    const { promptTokensMax: before } = session.worstCase(agent.state);
    await agent.take(session);
    const { promptTokensMax: after } = session.worstCase(agent.state);
    expect(before).toBeGreaterThan(12_000);
    expect(after).toBeGreaterThan(3_220);
    expect(after).toBeLessThan(3_600);
  });

  test("figures that the provider did not give are not taken for its own", async () => {
    const agent = await Conversation.begin();
    const none = { total: undefined, noCache: undefined, cacheRead: undefined, cacheWrite: undefined };
    const usage = { inputTokens: none, outputTokens: { total: 1, text: undefined, reasoning: undefined } };
    const session = await agent.open(scriptedModel([{ text: "A", usage }]));
    await agent.hear("words");
    const { promptTokensMax: before } = session.worstCase(agent.state);
    await agent.take(session);
    expect(session.worstCase(agent.state).promptTokensMax).toBeGreaterThan(before);
  });
});
