/** Banyan as the harness runs it: the library's front door, embedded, every event synced before it counts. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { Banyan, defineTool } from "../../src/index.ts";
import type { Contender } from "../core/contender.ts";
import { resultOf } from "../core/payload.ts";
import { payloadModel } from "../core/payload-model.ts";

/** The tool of the payload. */
export const work = defineTool({
  name: "work",
  description: "Does a step.",
  input: z.strictObject({ step: z.int() }),
  onUnknownOutcome: "rerun",
  run: async ({ step }) => resultOf(step),
});

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));

export const contender: Contender = {
  name: "banyan",
  durable: "every event, fsync before the acknowledgement",
  versions: { banyan: version, sqlite: process.versions.sqlite ?? "" },
  async open(folder) {
    const banyan = await Banyan.open(folder, { runningMax: 2_000, forksPerMinute: 100_000, tools: [work] });
    const model = (turns: number) => payloadModel(turns);
    return {
      async run({ agents, turns }) {
        const options = { name: "agent", model: model(turns), task: "go", tools: [work] };
        const spawned = await Promise.all(Array.from({ length: agents }, () => banyan.spawn(options)));
        const results = await Promise.all(spawned.map((agent) => agent.result()));
        const broken = results.find(({ status }) => status !== "completed");
        if (broken) throw new Error(`an agent ended as ${broken.status}: ${broken.error?.message}`);
        return spawned.map(({ id }) => id);
      },
      /** One that chats: its forks wait for a message as it does, so that what is timed is the fork and not the work after it. */
      async prepare(turns) {
        const agent = await banyan.spawn({
          name: "agent",
          model: model(turns),
          task: "go",
          tools: [work],
          mode: "chat",
        });
        await waiting(banyan, agent.id, turns + 1);
        return agent.id;
      },
      /** At a given event the state is made from the store, its newest snapshot and the events since, whatever is in memory. */
      async load(id) {
        const agent = banyan.agent(id);
        const entries = await agent.messages({ at: agent.head.seq });
        return entries.length;
      },
      /** The newest of the conversation is looked at; the rest is unpacked when somebody looks at it. */
      async restore(id) {
        const agent = banyan.agent(id);
        const { entries } = await banyan.runtime.coordinator.state(agent.id, agent.head.seq);
        if (!entries.at(-1)) throw new Error("nothing was said");
        return entries.length;
      },
      async fork(id) {
        return (await banyan.agent(id).fork()).id;
      },
      close: () => banyan.close(),
    };
  },
};

/** Resolves once the agent had that many turns. */
function waiting(banyan: Banyan, id: string, turns: number): Promise<void> {
  return new Promise((resolve) => {
    const stop = banyan.runtime.coordinator.watch((agent, _recorded, head) => {
      if (agent !== id || head.turns < turns || head.status !== "waiting") return;
      stop();
      resolve();
    });
  });
}
