/** The usual agent of LangGraph.js, a model node and a tool node in a loop, over the SQLite checkpointer; for both kinds of state. */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { AIMessage, type BaseMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { END, START, StateGraph, StateSchema } from "@langchain/langgraph";
import { ToolNode } from "@langchain/langgraph/prebuilt";
import { SqliteSaver } from "@langchain/langgraph-checkpoint-sqlite";
import { z } from "zod";
import type { Contender } from "../../core/contender.ts";
import { type Answer, answer, resultOf } from "../../core/payload.ts";
import manifest from "./package.json" with { type: "json" };
import { openDatabase } from "./sqlite.ts";

const work = tool(async ({ step }) => resultOf(step), {
  name: "work",
  description: "Does a step.",
  schema: z.strictObject({ step: z.int() }),
});

/** A contender whose conversations are kept in the channel that is given. */
export function langgraph(messages: unknown, about: Pick<Contender, "name" | "scale">): Contender {
  return {
    ...about,
    durable: "every superstep, without fsync",
    versions: manifest.dependencies,
    note: "node:sqlite under the checkpointer in place of better-sqlite3; long histories of W2 and W4 are written in one update",
    async open(folder) {
      const database = openDatabase(join(folder, "checkpoints.db"));
      const checkpointer = new SqliteSaver(database as never);
      const graphs = new Map<number, ReturnType<typeof graphOf>>();
      const graph = (turns: number) => {
        const known = graphs.get(turns) ?? graphOf(messages, turns, checkpointer);
        graphs.set(turns, known);
        return known;
      };
      const thread = (id: string) => ({ configurable: { thread_id: id } });
      const one = async (turns: number) => {
        const id = randomUUID();
        const options = { ...thread(id), recursionLimit: 2 * turns + 3 };
        await graph(turns).invoke({ messages: [new HumanMessage("go")] }, options);
        return id;
      };
      return {
        run: ({ agents, turns }) => Promise.all(Array.from({ length: agents }, () => one(turns))),
        /** Turn by turn the default state would write gigabytes; the newest state is the same. */
        async prepare(turns) {
          const id = randomUUID();
          await graph(0).updateState(thread(id), { messages: historyOf(turns) }, "model");
          return id;
        },
        load: async (id) => (await graph(0).getState(thread(id))).values.messages.length,
        async fork(id) {
          const fork = randomUUID();
          const { values } = await graph(0).getState(thread(id));
          await graph(0).updateState(thread(fork), values, "model");
          return fork;
        },
        async close() {
          database.close();
        },
      };
    },
  };
}

function graphOf(messages: unknown, turns: number, checkpointer: SqliteSaver) {
  const State = new StateSchema({ messages: messages as never });
  return new StateGraph(State)
    .addNode("model", ({ messages: said }: { messages: BaseMessage[] }) => {
      const had = said.filter((message) => message.getType() === "ai").length;
      return { messages: [messageOf(answer(had, turns))] };
    })
    .addNode("tools", new ToolNode([work]))
    .addEdge(START, "model")
    .addConditionalEdges("model", ({ messages: said }: { messages: BaseMessage[] }) =>
      (said.at(-1) as AIMessage | undefined)?.tool_calls?.length ? "tools" : END,
    )
    .addEdge("tools", "model")
    .compile({ checkpointer });
}

function messageOf({ text, call }: Answer): AIMessage {
  return new AIMessage({
    id: randomUUID(),
    content: text,
    tool_calls: call ? [{ id: call.id, name: "work", args: { step: call.step } }] : [],
  });
}

function historyOf(turns: number): BaseMessage[] {
  const messages: BaseMessage[] = [new HumanMessage({ id: randomUUID(), content: "go" })];
  for (let had = 0; had <= turns; had += 1) {
    const said = answer(had, turns);
    messages.push(messageOf(said));
    if (said.call)
      messages.push(
        new ToolMessage({
          id: randomUUID(),
          name: "work",
          tool_call_id: said.call.id,
          content: resultOf(said.call.step),
        }),
      );
  }
  return messages;
}
