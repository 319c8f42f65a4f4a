/** The AI SDK by itself: a `ToolLoopAgent` for each agent, the conversation in memory, nothing durable. */
import { isStepCount, ToolLoopAgent, tool } from "ai";
import { z } from "zod";
import type { Contender } from "../../core/contender.ts";
import { resultOf } from "../../core/payload.ts";
import { payloadModel } from "../../core/payload-model.ts";
import manifest from "./package.json" with { type: "json" };

const work = tool({
  description: "Does a step.",
  inputSchema: z.strictObject({ step: z.int() }),
  execute: async ({ step }) => resultOf(step),
});

export const contender: Contender = {
  name: "ai-sdk",
  durable: "never",
  versions: manifest.dependencies,
  note: "nothing is stored, so there is nothing to load or to fork",
  cannot: ["W2", "W4"],
  async open() {
    return {
      run: ({ agents, turns }) =>
        Promise.all(
          Array.from({ length: agents }, async (_, at) => {
            const agent = new ToolLoopAgent({
              model: payloadModel(turns),
              tools: { work },
              stopWhen: isStepCount(turns + 1),
            });
            const { steps } = await agent.generate({ prompt: "go" });
            if (steps.length !== turns + 1) throw new Error(`${steps.length} steps, not ${turns + 1}`);
            return String(at);
          }),
        ),
      close: async () => undefined,
    };
  },
};
