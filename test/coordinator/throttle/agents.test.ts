/** Forks and spawns that are throttled, as those who ask for them see it. */
import { expect, test } from "vitest";
import { asks, cast } from "../../support/cast.ts";
import { type Life, quiet, World } from "../../support/world.ts";

const spawn = (name: string) => ["spawn_agent", { name, task: "go", instructions: "child" }] as const;
const model = () =>
  cast({
    lead: () => "ready",
    child: () => "done",
    busy: ({ said }) =>
      said === 0 ? asks(spawn("a"), spawn("b"), spawn("c")) : said === 1 ? asks(["wait_for_agents"]) : "all done",
  });

async function pass(world: World, ms: number): Promise<void> {
  world.clock.advance(ms);
  await quiet(world);
}

/** A chat agent at rest. */
async function resting(life: Life, name: string, more = {}): Promise<string> {
  const lead = await life.spawn("lead", { name, mode: "chat", ...more });
  await life.became(lead, "waiting");
  return lead;
}

test("a thousand forks at once are absorbed in order, and another tree's fork is made at once", async () => {
  const world = new World();
  const life = await world.open({ models: [model()], forksPerMinute: 600 });
  const [storm, calm] = [await resting(life, "storm"), await resting(life, "calm")];
  const made: number[] = [];
  const forks = Array.from({ length: 1_000 }, (_, number) =>
    life.coordinator.fork(storm).then(() => made.push(number)),
  );
  await quiet(world);
  expect(made.length).toBe(600);
  await life.coordinator.fork(calm);
  expect(life.coordinator.throttled.forks).toMatchObject({
    passed: 601,
    waiting: 400,
    trees: [{ tree: storm, waiting: 400 }],
  });
  await pass(world, 10_000);
  expect(made.length).toBe(700);
  await pass(world, 30_000);
  await Promise.all(forks);
  expect(made).toEqual(Array.from({ length: 1_000 }, (_, number) => number));
  await life.stop();
});

test("spawns of all trees of a tenant keep to its rate; another tenant's are not delayed", async () => {
  const world = new World();
  const life = await world.open({ models: [model()], tenantSpawnsPerMinute: 4 });
  const lead = await resting(life, "acme", { tenant: "acme" });
  const born: string[] = [];
  const children = Array.from({ length: 5 }, () => life.spawnChild(lead, "child").then((child) => born.push(child)));
  await quiet(world);
  expect(born.length).toBe(3);
  expect(life.head(await life.spawn("child", { tenant: "other" })).tenant).toBe("other");
  await pass(world, 30_000);
  await Promise.all(children);
  expect(life.coordinator.throttled.spawns).toMatchObject({ tenantPerMinute: 4, passed: 7, waiting: 0 });
  await life.stop();
});

test("an agent's spawns wait for their turn, and are made once, by the next process if this one stops", async () => {
  const world = new World();
  const life = await world.open({ models: [model()], spawnsPerMinute: 3 });
  const busy = await life.spawn("busy", { instructions: "busy" });
  await quiet(world);
  expect(life.coordinator.throttled.spawns.waiting).toBe(1);
  await life.stop();
  expect(life.coordinator.throttled.spawns.waiting).toBe(0);
  const next = await world.open({ models: [model()], spawnsPerMinute: 3 });
  expect(await next.outcome(busy)).toBe("all done");
  expect(next.coordinator.forest.get(busy)?.children.map(({ head }) => head.name)).toEqual(["a", "b", "c"]);
  await next.stop();
});

test("a spawn that its agent no longer waits for is not made later", async () => {
  const world = new World();
  const life = await world.open({ models: [model()], spawnsPerMinute: 3 });
  const busy = await life.spawn("busy", { instructions: "busy" });
  await quiet(world);
  await life.control.interrupt(busy);
  expect(life.coordinator.throttled.spawns.waiting).toBe(0);
  await pass(world, 120_000);
  expect(life.coordinator.forest.get(busy)?.children.length).toBe(2);
  await life.stop();
});

test("a person who waits is told when the runtime stops", async () => {
  const world = new World();
  const life = await world.open({ models: [model()], forksPerMinute: 1, spawnsPerMinute: 2 });
  const lead = await resting(life, "lead");
  await Promise.all([life.coordinator.fork(lead), life.spawnChild(lead, "child")]);
  const waits = [life.coordinator.fork(lead), life.spawnChild(lead, "child")].map((wait) =>
    wait.catch((error: { code: string }) => error.code),
  );
  await quiet(world);
  await life.stop();
  expect(await Promise.all(waits)).toEqual(["SHUTTING_DOWN", "SHUTTING_DOWN"]);
  expect(world.clock.pending).toBe(0);
});

test("a tree is no deeper and has no more living agents than it may", async () => {
  const world = new World();
  const life = await world.open({ models: [model()], levelsMax: 2, treeLiveMax: 4 });
  const lead = await resting(life, "lead");
  const chat = { mode: "chat" as const, instructions: "lead" };
  const below = await life.spawnChild(lead, "below", chat);
  const deep = await life.spawnChild(below, "deep", chat);
  await expect(life.spawnChild(deep, "deeper")).rejects.toMatchObject({ code: "LEVELS_EXCEEDED" });
  const last = await life.spawnChild(lead, "last", chat);
  for (const more of [() => life.spawnChild(lead, "more"), () => life.coordinator.fork(last)])
    await expect(more()).rejects.toMatchObject({ code: "TREE_FULL" });
  await life.control.cancel(last);
  await life.spawnChild(lead, "more", chat);
  await life.stop();
});
