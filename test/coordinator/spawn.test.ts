/** Spawning: rights, names, bounds, and what is safe to repeat. */
import { expect, test } from "vitest";
import { LIMITS } from "../../src/base/limits.ts";
import { asks, cast } from "../support/cast.ts";
import { probe } from "../support/probe.ts";
import { quiet, World } from "../support/world.ts";

const spawn = (name: string, more: { readonly tools?: string[] } = {}) =>
  ["spawn_agent", { name, task: "go", instructions: "child", ...more }] as const;

/** A chat agent at rest, under which agents can be spawned. */
async function resting(budget = {}) {
  const world = new World();
  const model = cast({ lead: () => "ready", child: () => "done" });
  const life = await world.open({ models: [model] });
  const lead = await life.spawn("lead", {
    mode: "chat",
    budget,
    rights: { root: "/data/project", commands: true, spawn: true },
  });
  await life.became(lead, "waiting");
  return { world, life, lead };
}

test("P1: a sandbox holds for all below, and shrinks as well", async () => {
  const { life } = await resting();
  const sandbox = { network: true, readable: ["/a", "/b"] };
  const lead = await life.spawn("lead", { mode: "chat", rights: { commands: true, spawn: true, sandbox } });
  await life.became(lead, "waiting");
  const rights = { commands: true, spawn: true };
  const sandboxOf = async (wanted: object) =>
    life.head(await life.spawnChild(lead, "child", { rights: { ...rights, ...wanted } })).rights.sandbox;
  expect(await sandboxOf({})).toEqual(sandbox);
  expect(await sandboxOf({ sandbox: { network: false, readable: ["/b", "/c"] } })).toEqual({
    network: false,
    readable: ["/b"],
  });
});

test("P1: rights only shrink from parent to child", async () => {
  const { life, lead } = await resting();
  const rightsOf = async (rights: { root?: string; commands: boolean; spawn: boolean }) =>
    life.head(await life.spawnChild(lead, "child", { rights })).rights;
  expect(await rightsOf({ root: "/data/project/src", commands: false, spawn: true })).toEqual({
    root: "/data/project/src",
    commands: false,
    spawn: true,
  });
  for (const root of ["/", "/data", "/data/project2", "/data/project/../other", "/etc"]) {
    expect(await rightsOf({ root, commands: true, spawn: true })).toMatchObject({ root: "/data/project" });
  }
  const narrow = await life.spawnChild(lead, "child", {
    rights: { root: "/data/project/src", commands: false, spawn: true },
  });
  const below = await life.spawnChild(narrow, "child", {
    rights: { root: "/data/project", commands: true, spawn: true },
  });
  expect(life.head(below).rights).toEqual({ root: "/data/project/src", commands: false, spawn: true });
});

test("P1: an agent without a folder gives none, and one that may not spawn does not", async () => {
  const world = new World();
  const model = cast({ lead: [asks(spawn("a")), ({ news }) => news.join(" ")] });
  const life = await world.open({ models: [model] });
  const lead = await life.spawn("lead", { rights: { commands: false, spawn: false } });
  expect(await life.outcome(lead)).toMatch(/^COMMAND_REFUSED/);
  const other = await life.spawn("lead", { messages: [] });
  const child = await life.spawnChild(other, "child", { rights: { root: "/etc", commands: true, spawn: true } });
  expect(life.head(child).rights).toEqual({ commands: false, spawn: true });
});

test("P2: a spawn that is repeated for one call is one spawn", async () => {
  const world = new World();
  let dead = false;
  const model = cast({
    lead: [asks(spawn("a")), asks(["wait_for_agents"]), ({ news }) => news.join(" ")],
    child: ["done"],
  });
  const first = await world.open({
    models: [model],
    commit: async ([birth, append]) => {
      if (dead) await new Promise<never>(() => undefined);
      dead = [birth, append].some((each) => each?.records.some(({ type }) => type === "child.spawned"));
    },
  });
  const lead = await first.spawn("lead");
  await quiet(world);
  const life = await world.open({ models: [model] });
  expect(JSON.parse(await life.outcome(lead))).toMatchObject([{ name: "a", output: "done" }]);
  expect([life.coordinator.forest.size, (await life.all(lead, "tool.started")).length]).toEqual([2, 3]);
});

test("siblings that are spawned at once under one name have names of their own", async () => {
  const { life, lead } = await resting();
  const children = await Promise.all(Array.from({ length: 20 }, () => life.spawnChild(lead, "child")));
  const names = children.map((child) => life.head(child).name);
  expect(new Set(names).size).toBe(20);
  expect(names.slice(0, 3)).toEqual(["child", "child-2", "child-3"]);
  const long = "x".repeat(LIMITS.nameLengthMax);
  const twins = await Promise.all([life.spawnChild(lead, long), life.spawnChild(lead, long)]);
  expect(twins.map((twin) => life.head(twin).name.length <= LIMITS.nameLengthMax)).toEqual([true, true]);
  expect(new Set(twins.map((twin) => life.head(twin).name)).size).toBe(2);
});

test("hostile names are refused, of roots, children, forks and artifacts", async () => {
  const { world, life, lead } = await resting();
  const before = world.store.order.length;
  for (const name of [
    "",
    ".",
    "..",
    "../up",
    "a/b",
    "a\0b",
    "-rf",
    "\u202egnp",
    "é",
    "x".repeat(65),
    "a\nb",
    "__proto__/x",
  ]) {
    await expect(life.spawn(name)).rejects.toMatchObject({ code: "NAME_INVALID" });
    await expect(life.spawnChild(lead, name)).rejects.toMatchObject({ code: "NAME_INVALID" });
    await expect(life.coordinator.fork(lead, { name })).rejects.toMatchObject({ code: "NAME_INVALID" });
    await expect(life.coordinator.fork(lead, { name, as: "root" })).rejects.toMatchObject({ code: "NAME_INVALID" });
  }
  expect(world.store.order.length).toBe(before);
});

test("a bound on agents holds when many are spawned at once, and in subtrees that do not know of it", async () => {
  const { life, lead } = await resting({ agents: 6 });
  const spawned = await Promise.allSettled(Array.from({ length: 20 }, () => life.spawnChild(lead, "child")));
  expect(spawned.filter(({ status }) => status === "fulfilled").length).toBe(5);
  expect(spawned.find(({ status }) => status === "rejected")).toMatchObject({ reason: { code: "BUDGET_EXHAUSTED" } });
  await expect(life.spawnChild(life.at("lead/child"), "child")).rejects.toMatchObject({ code: "BUDGET_EXHAUSTED" });
  await expect(life.coordinator.fork(life.at("lead/child"))).rejects.toMatchObject({ code: "BUDGET_EXHAUSTED" });
  await life.control.setBudget(lead, { agents: 7 });
  await life.spawnChild(lead, "child");
  expect(life.coordinator.forest.get(lead)?.subtree.agents).toBe(7);
});

test("a spawn that fails gives its place and its name back", async () => {
  const { life, lead } = await resting({ agents: 2 });
  for (let time = 0; time < 3; time++) {
    await expect(life.spawnChild(lead, "child", { tools: ["no_such_tool"] })).rejects.toMatchObject({
      code: "TOOL_UNKNOWN",
    });
  }
  expect(life.head(await life.spawnChild(lead, "child")).name).toBe("child");
});

test("a bound on levels is refused where the agent would stand too deep", async () => {
  const { life, lead } = await resting({ levels: 2 });
  const child = await life.spawnChild(lead, "child");
  const grandchild = await life.spawnChild(child, "child");
  await expect(life.spawnChild(grandchild, "child")).rejects.toMatchObject({ code: "LEVELS_EXCEEDED" });
});

test("a model may pass on fewer tools than it has, and no other", async () => {
  const world = new World();
  const tool = probe("work");
  const model = cast({
    lead: [asks(spawn("a", { tools: ["work"] }), spawn("b", { tools: ["run_command"] })), "spawned", "done"],
    child: ["done"],
  });
  const life = await world.open({ models: [model], tools: [tool] });
  const lead = await life.spawn("lead", { tools: ["spawn_agent", "work"] });
  await life.outcome(lead);
  expect((await life.state(life.at("lead/a"))).tools).toEqual(["work"]);
  const results = (await life.all(lead, "tool.ended")).map(({ outcome, content }) => `${outcome} ${content}`);
  expect(results.sort()).toEqual([expect.stringMatching(/^error TOOL_UNKNOWN/), "ok agent a started"]);
});

test("an agent that speaks first needs no message; any other waits for one", async () => {
  const world = new World();
  const life = await world.open({ models: [cast({ lead: ["good morning"] })] });
  const greeter = await life.spawn("lead", { messages: [], speaksFirst: true });
  const silent = await life.spawn("lead", { messages: [] });
  expect(await life.outcome(greeter)).toBe("good morning");
  expect(life.head(silent)).toMatchObject({ status: "waiting", waitingFor: "message" });
});

test("P3: a whole tree, its forks and what a later process reads of it have the root's tenant", async () => {
  const { world, life } = await resting();
  const lead = await life.spawn("lead", { mode: "chat", tenant: "acme" });
  await life.became(lead, "waiting");
  const child = await life.spawnChild(lead, "child", { tenant: "other" });
  const fork = await life.coordinator.fork(lead);
  await quiet(world);
  const other = await life.spawn("lead", { tenant: "default" });
  await quiet(world);
  const later = await world.open({ models: [cast({ lead: () => "ready", child: () => "done" })] });
  for (const process of [life, later]) {
    const tenants = [lead, child, fork, other].map((agent) => process.head(agent).tenant);
    expect(tenants).toEqual(["acme", "acme", "acme", undefined]);
  }
  expect((await life.all(other, "agent.created"))[0]).not.toHaveProperty("tenant");
});
