/**
 * The library in one sitting: a lead surveys a folder with a helper below it, is watched, held, forked and rewound. Runs without a
 * key, on a scripted model; with one, give `anthropic("claude-sonnet-4-5")` of `@ai-sdk/anthropic` as the model.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { artifacts, Banyan, type FollowedEvent, files, spawning } from "../src/index.ts";
import { scriptedModel } from "../src/testing.ts";

const model = scriptedModel((turn, prompt) => {
  const task = JSON.stringify(prompt.find(({ role }) => role === "user"));
  if (task.includes("Count the files.")) {
    return turn === 0 ? { calls: [{ tool: "list_files", input: { path: "." } }] } : "I counted them.";
  }
  switch (turn) {
    case 0:
      return { calls: [{ tool: "spawn_agent", input: { name: "helper", task: "Count the files." } }] };
    case 1:
      return { calls: [{ tool: "wait_for_agents", input: {} }] };
    case 2:
      return { calls: [{ tool: "write_artifact", input: { name: "survey.md", content: "# Survey\n" } }] };
    default:
      return JSON.stringify(prompt).includes("the other way") ? "Surveyed the other way." : "Surveyed.";
  }
});
const show = ({ agent, event }: FollowedEvent) => console.log(agent.slice(-4), event.type);

const folder = await mkdtemp(join(tmpdir(), "banyan-example-"));
{
  await using banyan = await Banyan.open(folder); // embedded: SQLite and a folder; nothing to set up
  const lead = await banyan.spawn({
    name: "lead",
    model,
    instructions: "Survey source trees.",
    task: "Survey this one.",
    tools: [files({ root: import.meta.dirname }), artifacts(), spawning()],
    price: { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 }, // of a model that the price list does not know
    budget: { costUsd: 5, agents: 500, levels: 12 }, // binds the whole subtree, reserved before each call
  });

  await lead.pause(); // the subtree stops paying, children not yet born included
  const before = await lead.checkpoint("before the survey");
  await lead.resume();

  for await (const event of lead.events({ subtree: true })) show(event);

  const twin = await lead.fork({ at: before, task: "Try the other way." }); // O(1), the lead runs on
  await twin.send("Mind the new API.");
  console.log("twin:", (await twin.result()).output);
  await twin.rewind((await twin.messages())[0]?.seq ?? 0);
  console.log("twin, again:", (await twin.result()).output);

  const { status, output, artifacts: made, usage, costUsd } = await lead.result();
  console.log(status, output, made[0]?.name, `${usage.input} tokens in, $${costUsd.toFixed(4)}`);
}
await rm(folder, { recursive: true });
