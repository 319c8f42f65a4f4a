import { expect, test } from "vitest";
import { listAgents, sendMessage, spawnAgent, waitForAgents, waitForMessage } from "../../../src/tools/agents/tools.ts";
import { call, failureOf, toolContext } from "../context.ts";

const children = [
  { name: "a", status: "running", activity: "reading\nsrc" },
  { name: "b", status: "completed", activity: "" },
];

test("a child is asked for with just what the model gave", async () => {
  const context = toolContext();
  expect(await call(spawnAgent, { name: "worker", task: "Work." }, context)).toBe("agent worker started");
  const full = { name: "w2", task: "Work.", instructions: "Be brief.", tools: ["read_file"], budgetUsd: 0.5 };
  await call(spawnAgent, full, context);
  expect(context.spawned).toEqual([{ name: "worker", task: "Work." }, full]);
});

test("the name that the child got is answered, not the one that was asked for", async () => {
  const context = toolContext();
  const agents = { ...context.agents, spawn: async () => ({ name: "worker-2" }) };
  expect(await call(spawnAgent, { name: "worker", task: "Work." }, { ...context, agents })).toBe(
    "agent worker-2 started",
  );
});

test.each([
  [{ name: "a b", task: "t" }, /^name: /],
  [{ name: "a", task: "" }, /^task: /],
  [{ name: "a", task: "t", budgetUsd: 0 }, /^budgetUsd: /],
  [{ name: "a", task: "t", budgetUsd: -1 }, /^budgetUsd: /],
  [{ name: "a", task: "t", tools: "read_file" }, /^tools: /],
  [{ name: "a", task: "t", tools: [1] }, /^tools\.0: /],
  [{ name: "a", task: "t", model: "m" }, /^no such field: "model"/],
])("spawning with %j is refused", async (input, message) => {
  const context = toolContext();
  const failure = await failureOf(call(spawnAgent, input, context));
  expect(failure.code).toBe("INPUT_INVALID");
  expect(failure.message).toMatch(message);
  expect(context.spawned).toEqual([]);
});

test("waiting is the runtime's; the tool only checks the names", async () => {
  expect([waitForAgents.waitsFor, waitForMessage.waitsFor]).toEqual(["children", "message"]);
  const context = toolContext({ children });
  for (const input of [{}, { names: ["a"] }, { names: ["b", "a"] }]) await call(waitForAgents, input, context);
  await call(waitForMessage, {}, context);
  expect(await failureOf(call(waitForAgents, { names: ["a", "stranger"] }, context))).toEqual({
    code: "AGENT_NOT_FOUND",
    message: "names: you started no agent stranger; see list_agents",
  });
  expect((await failureOf(call(waitForAgents, { names: [] }, context))).code).toBe("INPUT_INVALID");
});

test("a message is sent", async () => {
  const context = toolContext();
  expect(await call(sendMessage, { to: "/lead/worker", message: "Mind the new API." }, context)).toBe(
    "sent to /lead/worker",
  );
  expect(context.sent).toEqual([{ to: "/lead/worker", text: "Mind the new API." }]);
  expect((await failureOf(call(sendMessage, { to: "", message: "m" }, context))).message).toMatch(/^to: /);
});

test("children are listed, one a line", async () => {
  expect(await call(listAgents, {}, toolContext({ children }))).toBe("2 agents\na running reading src\nb completed");
  expect(await call(listAgents, {}, toolContext())).toBe("0 agents");
});
