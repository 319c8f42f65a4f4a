/** A conversation that outgrows the model: the journal's is the one that counts, so Claude Code shortens nothing by itself. */
import { describe, expect, test } from "vitest";
import { ApiError } from "../../../src/simulator/api-error.ts";
import { asks, call, isInstalled, Stage, unmarked, WITH_SDK } from "./claude-code.ts";

/** What Claude Code shows of a command's output at most. */
const SHOWN = 30_000;
/** Characters, at four a token of the model's 200,000. */
const WINDOW = 800_000;

describe.skipIf(!isInstalled)(WITH_SDK, { timeout: 60_000 }, () => {
  test("R3: near the limit and over it nothing is summed up, cleared or cut, and the provider's refusal is the agent's", async () => {
    await using stage = await Stage.set({
      lead: (_, { messages }) => {
        if (JSON.stringify(messages).length > WINDOW) throw new ApiError("invalid_request_error", "prompt is too long");
        return asks(call("Bash", { command: `seq -s ' ' 1 100000 | head -c ${SHOWN - 100}` }));
      },
    });
    const banyan = await stage.open();
    const agent = await banyan.spawn({ driver: stage.claude("Bash"), instructions: "lead", task: "Go." });
    const { status, error, turns } = await agent.result();
    expect({ status, error }).toMatchObject({
      status: "failed",
      error: { message: expect.stringMatching(/too long/) },
    });
    expect(turns).toBeGreaterThan(25);
    expect(stage.requests).toHaveLength(turns + 1);
    const prompts = stage.requests.map(({ messages }) => messages.map(unmarked));
    for (const [at, prompt] of prompts.entries()) {
      expect(prompt).toHaveLength(2 * at + 1);
      const longest = prompts.at(-1) ?? [];
      // Not the messages themselves: they are long.
      expect(prompt.findIndex((message, position) => message !== longest[position])).toBe(-1);
    }
  });
});
