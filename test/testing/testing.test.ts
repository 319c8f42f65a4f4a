/** The door for tests of programs that use Banyan. */
import { access } from "node:fs/promises";
import { expect, test } from "vitest";
import { spawning } from "../../src/index.ts";
import { openTemporary, scriptedModel } from "../../src/testing.ts";

test("a scripted model says what it is told to, by turn and by what it was sent", async () => {
  await using temporary = await openTemporary();
  const model = scriptedModel((turn, prompt) => {
    if (prompt.some(({ role, content }) => role === "system" && content === "child")) return "found it";
    if (turn === 0)
      return { calls: [{ tool: "spawn_agent", input: { name: "a", task: "look", instructions: "child" } }] };
    return turn === 1 ? { calls: [{ tool: "wait_for_agents", input: {} }] } : "all done";
  });
  const lead = await temporary.banyan.spawn({ name: "lead", model, task: "go", tools: [spawning()] });
  expect(await lead.result()).toMatchObject({
    status: "completed",
    output: "all done",
    agents: 2,
    usage: { input: 400, output: 40 },
  });
});

test("what a script throws fails the call, and the folder goes with the Banyan", async () => {
  const temporary = await openTemporary();
  const { folder } = temporary.banyan.runtime;
  await access(folder);
  await temporary[Symbol.asyncDispose]();
  await expect(access(folder)).rejects.toMatchObject({ code: "ENOENT" });
});

test("two models of one script are told apart by their names", () => {
  const model = scriptedModel(() => "hello", { provider: "test", modelId: "two" });
  expect([model.provider, model.modelId]).toEqual(["test", "two"]);
});
