/** The OpenAI Agents SDK with a session in SQLite: the runner adds what a run made to its session when the run ends. */
import { Agent, type AgentInputItem, type Model, Runner, tool, Usage } from "@openai/agents";
import { z } from "zod";
import type { Contender } from "../../core/contender.ts";
import { type Answer, answer, resultOf } from "../../core/payload.ts";
import manifest from "./package.json" with { type: "json" };
import { openSessions } from "./session.ts";

const work = tool({
  name: "work",
  description: "Does a step.",
  parameters: z.strictObject({ step: z.int() }),
  execute: async ({ step }) => resultOf(step),
});

export const contender: Contender = {
  name: "openai-agents",
  durable: "once a run, fsync: a run that is cut short leaves nothing",
  versions: manifest.dependencies,
  note: "the session in SQLite is the benchmark's own, as the SDK has none for TypeScript; long histories of W2 and W4 are written at once",
  scale: { W1: 0.5, W2: 0.2 },
  async open(folder) {
    const sessions = openSessions(folder);
    const runner = new Runner({ tracingDisabled: true });
    const one = async (turns: number): Promise<string> => {
      const session = sessions.session();
      const agent = new Agent({ name: "agent", model: payloadModel(turns), tools: [work] });
      await runner.run(agent, "go", { session, maxTurns: turns + 1 });
      return session.getSessionId();
    };
    return {
      run: ({ agents, turns }) => Promise.all(Array.from({ length: agents }, () => one(turns))),
      /** A long run takes the runner more than its share of turns; what it leaves in its session is this. */
      async prepare(turns) {
        const session = sessions.session();
        await session.addItems(historyOf(turns));
        return session.getSessionId();
      },
      async load(agent) {
        const items = await sessions.session(agent).getItems();
        // A call is an item beside its message.
        return items.filter(({ type }) => type !== "function_call").length;
      },
      fork: async (agent) => sessions.fork(agent),
      async close() {
        sessions.close();
      },
    };
  },
};

function payloadModel(turns: number): Model {
  return {
    async getResponse({ input }) {
      let had = 0;
      for (const item of input) if (typeof item === "object" && item.type === "function_call") had += 1;
      const said = answer(had, turns);
      return { usage: new Usage({ requests: 1, inputTokens: 1_000, outputTokens: 200 }), output: outputOf(said) };
    },
    // biome-ignore lint/correctness/useYield: the runner is not asked to stream.
    async *getStreamedResponse() {
      throw new Error("the bench does not stream here");
    },
  };
}

function historyOf(turns: number): AgentInputItem[] {
  const items: AgentInputItem[] = [{ type: "message", role: "user", content: "go" }];
  for (let had = 0; had <= turns; had += 1) {
    const said = answer(had, turns);
    items.push(...outputOf(said));
    if (!said.call) continue;
    const output = { type: "text" as const, text: resultOf(said.call.step) };
    items.push({ type: "function_call_result", callId: said.call.id, name: "work", status: "completed", output });
  }
  return items;
}

function outputOf({ text, call }: Answer) {
  const message = {
    type: "message" as const,
    role: "assistant" as const,
    status: "completed" as const,
    content: [{ type: "output_text" as const, text }],
  };
  if (!call) return [message];
  const args = JSON.stringify({ step: call.step });
  return [message, { type: "function_call" as const, callId: call.id, name: "work", arguments: args }];
}
