/**
 * R3 as a property: whatever happens to an agent, a turn's prompt is that of the turn before with something at its end.
 * Turns are taken where the agent's next step is one.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nextStep } from "../../../src/agent/next.ts";
import type { Session } from "../../../src/drivers/driver.ts";
import { type Answering, type Asked, scriptedModel } from "../../support/models.ts";
import { Conversation } from "./conversation.ts";

/** What a provider compares: every block of the prompt with its role, without the marks. */
function blocksOf({ prompt, tools }: Asked): string[] {
  const blocks = prompt.flatMap(({ role, content }) =>
    typeof content === "string" ? JSON.stringify([role, content]) : content.map((part) => JSON.stringify([role, part])),
  );
  return [JSON.stringify(tools), ...blocks];
}

function marksIn({ prompt }: Asked): number {
  return prompt.filter(({ providerOptions }) => providerOptions?.anthropic?.cacheControl).length;
}

const long = fc.nat(3).map((seed) => `long ${seed} é😀`.repeat(1_000));
const text = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: "binary", maxLength: 20 }) },
  { weight: 2, arbitrary: long },
  { weight: 1, arbitrary: fc.constantFrom("", " ", "\n\t", "\ud800", "(start)") },
);
const input = fc.oneof(
  fc.dictionary(fc.string({ maxLength: 6 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 }),
  long.map((big) => ({ big })),
);
const answer: fc.Arbitrary<Answering> = fc
  .record(
    {
      text,
      reasoning: text,
      calls: fc.uniqueArray(fc.record({ id: fc.constantFrom("a", "b", "c"), name: fc.constant("look"), input }), {
        selector: ({ id }) => id,
        maxLength: 3,
      }),
      finish: fc.constantFrom(
        { unified: "stop" as const, raw: "pause_turn" },
        { unified: "length" as const, raw: undefined },
      ),
    },
    { requiredKeys: [] },
  )
  .map((fields) => fields);
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("turn" as const),
      inbox: fc.array(fc.record({ text, kind: fc.constantFrom("person", "agent", "runtime", "report") }), {
        maxLength: 3,
      }),
      answer,
      result: fc.tuple(fc.constantFrom("ok" as const, "error" as const, "interrupted" as const), text),
      cut: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("rewind" as const), to: fc.nat(1_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reopen" as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type Turn = Extract<Step, { do: "turn" }>;

async function live(steps: readonly Step[], speaksFirst: boolean, instructions: string): Promise<void> {
  let reply: Answering = {};
  const model = scriptedModel(() => reply);
  const agent = await Conversation.begin({ speaksFirst, instructions });
  let session = await agent.open(model);
  let before: string[] = [];
  for (const each of steps) {
    if (each.do === "reopen") session = await agent.openCold(model, agent.refold());
    else if (each.do === "rewind") {
      if (agent.state.entries.length === 0) continue;
      const entry = agent.state.entries.at(each.to % agent.state.entries.length);
      agent.rewind(entry?.seq ?? 0);
      before = [];
      await agent.results(["ok", "after all"]);
    } else {
      reply = each.answer;
      before = await turn(agent, session, each, before);
    }
  }

  async function turn(
    on: Conversation,
    with_: Session,
    { inbox, result, cut }: Turn,
    known: string[],
  ): Promise<string[]> {
    for (const { text: said, kind } of inbox) {
      if (kind === "report") await on.report(said);
      else await on.hear(said, kind === "agent" ? { kind, name: "scout" } : { kind: kind as "person" | "runtime" });
    }
    if (nextStep(on.state).do !== "callModel") return known;
    const controller = new AbortController();
    const onDelta = () => cut && controller.abort();
    on.start();
    const state = on.state;
    const fork = on.fork();
    const cold = on.refold();
    const outcome = await with_.turn(state, { signal: controller.signal, onDelta });
    const asked = model.asked.at(-1) as Asked;
    const blocks = blocksOf(asked);
    expect(blocks.slice(0, known.length)).toEqual(known);
    expect(marksIn(asked)).toBeLessThanOrEqual(3);
    checkForm(asked);
    await check(await on.openCold(model, cold), cold, asked);
    await check(await on.openCold(model, fork), fork, asked);
    on.end(outcome);
    await on.results(result);
    return blocks;
  }

  /** Another session over the same past sends the same, marks included. */
  async function check(other: Session, state: Conversation["state"], asked: Asked): Promise<void> {
    await other.turn(state, { signal: new AbortController().signal });
    expect(JSON.stringify(model.asked.at(-1))).toBe(JSON.stringify(asked));
  }
}

/** P3. */
function checkForm({ prompt }: Asked): void {
  const messages = prompt.filter(({ role }) => role !== "system");
  expect(messages[0]?.role).toBe("user");
  expect(messages.at(-1)?.role).not.toBe("assistant");
  for (const { role, content } of messages) {
    expect(content).not.toHaveLength(0);
    if (typeof content === "string") continue;
    for (const part of content) if (part.type === "text") expect(part.text).toMatch(/\S/);
    if (role === "assistant") expect(content.at(-1)?.type).not.toBe("reasoning");
  }
  messages.forEach(({ role }, index) => {
    expect([role, messages[index + 1]?.role]).not.toEqual(["assistant", "assistant"]);
    expect([role, messages[index + 1]?.role]).not.toEqual(["user", "user"]);
  });
}

describe("the prompt", () => {
  test("R3, P1, P2, P3: it only grows, and a cold session, another process and a fork send the same", async () => {
    const instructions = fc.constantFrom("Be brief.", "", "i".repeat(9_000));
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.boolean(), instructions, live), {
      numRuns: 150,
    });
  });
});
