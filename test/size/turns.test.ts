/** One agent of many turns: what a turn takes does not grow with those before it. It is counted, not timed. More turns by SIZE_TURNS. */
import type { LanguageModelV4Prompt } from "@ai-sdk/provider";
import { expect, test } from "vitest";
import { z } from "zod";
import { scriptedModel } from "../../src/testing.ts";
import { defineTool } from "../../src/tools/define.ts";
import { intercept } from "../support/journals.ts";
import { World } from "../support/world.ts";

const TURNS = Number(process.env.SIZE_TURNS ?? 2_000);

const EARLY = 20;

/** Numbers of later turns have a few more digits: in the turn, the call's id and each of its mentions. */
const DIGITS = 24;

/** The only reads: of one record for each snapshot, which come the rarer the more turns there are. */
const SNAPSHOTS_MAX = 64;

const step = defineTool({
  name: "step",
  description: "Does a step.",
  input: z.strictObject({}),
  onUnknownOutcome: "rerun",
  run: () => "done",
});

test(`a turn after ${TURNS} appends as much as after ${EARLY}, reads no history, and builds no message anew`, async () => {
  const prompts: LanguageModelV4Prompt[] = [];
  const bytes: number[] = [];
  const reads: string[] = [];
  const model = scriptedModel((turn, prompt) => {
    prompts[0] = prompts[1] ?? [];
    prompts[1] = prompt;
    bytes.push(0);
    return turn < TURNS ? { calls: [{ tool: "step", input: {} }] } : "over";
  });
  const world = new World();
  const life = await world.open({
    models: [model],
    tools: [step],
    commit: async (appends) => {
      const texts = appends.flatMap(({ records }) => records.map(({ body }) => body));
      if (bytes.length > 0) bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) + texts.join("").length;
    },
    around: (journal) => intercept(journal, { beforeRead: async (agent) => void reads.push(agent) }),
  });
  const execution = { driver: "model", provider: "scripted", model: "model", outputTokensMax: 100 } as const;
  const agent = await life.spawn("long", { execution, tools: ["step"], task: "go" });
  expect(await life.outcome(agent)).toBe("over");

  expect(bytes).toHaveLength(TURNS + 1);
  const later = bytes.slice(EARLY, TURNS);
  expect(Math.max(...later) - Math.min(...later)).toBeLessThanOrEqual(DIGITS);
  expect(reads.length).toBeLessThan(SNAPSHOTS_MAX);
  const [before, last] = prompts;
  expect(last).toHaveLength((before?.length ?? 0) + 2);
  // The marks for the prompt cache are on copies: three at most of the last prompt's, three of the one before.
  const shared = last?.filter((message, place) => message === before?.[place]);
  expect(shared?.length).toBeGreaterThanOrEqual((before?.length ?? 0) - 6);
});
