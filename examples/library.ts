/** The library in one sitting: spawn, watch, pause, fork, rewind, result. Runs without a key, on a scripted model. */

import { z } from "zod";
import { artifacts, defineTool, spawning } from "../src/index.ts";
import { openTemporary, scriptedModel } from "../src/testing.ts";

const weather = defineTool({
  name: "weather",
  description: "Tells the weather of a city.",
  input: z.object({ city: z.string() }),
  onUnknownOutcome: "rerun",
  run: ({ city }) => `It is sunny in ${city}.`,
});

const model = scriptedModel((turn) => {
  if (turn === 0) return { calls: [{ tool: "weather", input: { city: "Pune" } }] };
  if (turn === 1) return { calls: [{ tool: "write_artifact", input: { name: "report.md", content: "# Sunny\n" } }] };
  return "It is sunny, and the report says so.";
});

await using temporary = await openTemporary();
const { banyan } = temporary;

const lead = await banyan.spawn({
  name: "lead",
  model,
  instructions: "Report the weather.",
  task: "How is the weather in Pune?",
  tools: [weather, artifacts(), spawning()],
  price: { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 },
  budget: { costUsd: 5, agents: 500, levels: 12 },
});
for await (const { event } of lead.events({ subtree: true })) console.log(event.type);

const { status, output, artifacts: made, costUsd } = await lead.result();
console.log(
  status,
  output,
  made.map(({ name }) => name),
  costUsd,
);

const [, , answered] = await lead.messages();
const twin = await lead.fork({ at: answered?.seq ?? 1, task: "And in Oslo?" });
console.log("twin:", (await twin.result()).output);

await lead.rewind(answered?.seq ?? 1);
console.log("again:", (await lead.result()).status);
