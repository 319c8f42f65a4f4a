/**
 * Trying several ways from one point: an agent with a subtree is held, forked with all that is below it, and rewound; what they share
 * was paid for once. Runs without a key, on a scripted model.
 */
import { messaging, spawning } from "../src/index.ts";
import { openTemporary, scriptedModel } from "../src/testing.ts";

const model = scriptedModel((turn, prompt) => {
  const [task, text] = [JSON.stringify(prompt.find(({ role }) => role === "user")), JSON.stringify(prompt)];
  if (task.includes("Read the chapter.")) return "It is about a whale.";
  if (turn === 0) return { calls: [{ tool: "spawn_agent", input: { name: "reader", task: "Read the chapter." } }] };
  if (turn === 1) return { calls: [{ tool: "wait_for_agents", input: {} }] };
  if (turn === 2) return { calls: [{ tool: "wait_for_message", input: {} }] };
  const style = ["a haiku", "a headline", "a limerick"].findLast((each) => text.includes(each));
  return `Here is ${style}, about a whale.`;
});

await using temporary = await openTemporary();
const writer = await temporary.banyan.spawn({
  name: "writer",
  model,
  task: "Have the chapter read, then wait for me to say what to write about it.",
  tools: [spawning(), messaging()],
  price: { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 },
});
for await (const { event } of writer.events()) {
  if (event.type === "tool.started" && event.waitsFor === "message") break;
}

// Nothing below or at the writer calls a model from here on; forks of it, which stand beside it, do.
await writer.pause();
const read = await writer.checkpoint("the chapter is read");
const [haiku, headline] = await Promise.all([
  writer.fork({ at: read, subtree: true, name: "haiku", task: "Write a haiku." }),
  writer.fork({ at: read, subtree: true, name: "headline", task: "Write a headline." }),
]);
for (const fork of [haiku, headline]) {
  const { output, costUsd } = await fork.result();
  console.log(`${fork.head.name}: ${output} $${costUsd.toFixed(4)}`);
}

await writer.resume();
await writer.send("Write a haiku.");
console.log(`writer: ${(await writer.result()).output}`);

// The same agent once more, from before that message: what it had said since is gone from its conversation, not from its journal.
await writer.rewind(read);
await writer.send("Write a limerick.");
const { output, turns, costUsd } = await writer.result();
console.log(`writer: ${output} ${turns} turns, $${costUsd.toFixed(4)}`);
