/** Cancelling, and what every end of an agent brings about. */
import { expect, test } from "vitest";
import type { AgentId } from "../../src/base/ids.ts";
import { asks, cast } from "../support/cast.ts";
import { handFed, partsOf } from "../support/models.ts";
import { probe } from "../support/probe.ts";
import { type Life, quiet, World } from "../support/world.ts";

const spawn = (name: string, part = name) => ["spawn_agent", { name, task: "go", instructions: part }] as const;
const price = { input: 1_000, output: 1_000, cacheRead: 0, cacheWrite: 0 };
const execution = { driver: "model", provider: "test", model: "cast", outputTokensMax: 100, price } as const;

/** Statuses of the subtree, parents before children. */
function statuses(life: Life, agent: AgentId): string[] {
  return [...life.coordinator.forest.subtree(agent)].map(({ head }) => head.status);
}

test("X1: a subtree that is cancelled leaves nothing running, at any level", async () => {
  const world = new World();
  const feed = handFed();
  const tool = probe("work", { stuck: true });
  const model = cast({
    top: [asks(spawn("mid")), asks(["wait_for_agents"])],
    mid: [asks(spawn("talker"), spawn("worker")), asks(["wait_for_agents"])],
    talker: [() => feed.stream],
    worker: [asks(["work"])],
  });
  const life = await world.open({ models: [model], tools: [tool] });
  const top = await life.spawn("top", { tools: ["spawn_agent", "wait_for_agents", "work"] });
  await tool.started;
  await quiet(world);
  await life.control.cancel(top, { reason: "enough" });
  expect(statuses(life, top)).toEqual(Array(4).fill("cancelled"));
  await feed.cancelled;
  expect(tool.signal?.aborted).toBe(true);
  await quiet(world);
  expect(life.coordinator.load).toEqual({ working: 0, waiting: 0 });
  expect(world.clock.pending).toBe(0);
  expect(life.faults).toEqual([]);
});

test("N2: what a call had spent when it was cancelled is settled, with what was said or all that was reserved", async () => {
  const world = new World();
  const feed = handFed();
  const life = await world.open({ models: [cast({ lead: [() => feed.stream] })] });
  const lead = await life.spawn("lead", { execution, budget: { costUsd: 1_000 } });
  const spoke = Promise.withResolvers<void>();
  life.coordinator.watchDeltas(() => spoke.resolve());
  await life.became(lead, "running");
  const reservedUsd = life.head(lead).reservedUsd;
  feed.feed({ type: "text-start", id: "1" }, { type: "text-delta", id: "1", delta: "I was" });
  await spoke.promise;
  await life.control.cancel(lead);
  const { costUsd, estimatedUsd } = life.head(lead);
  expect(costUsd).toBeGreaterThan(0);
  expect(costUsd).toBeLessThanOrEqual(reservedUsd);
  expect([estimatedUsd, life.head(lead).reservedUsd]).toEqual([costUsd, 0]);
  expect(life.coordinator.forest.get(lead)?.subtree).toMatchObject({ costUsd, reservedUsd: 0, live: 0 });
});

test("cancelling twice, or what has ended, changes nothing", async () => {
  const world = new World();
  const life = await world.open({ models: [cast({ lead: ["done"], idle: [] })] });
  const [lead, idle] = [await life.spawn("lead"), await life.spawn("idle", { messages: [] })];
  await life.outcome(lead);
  await Promise.all([life.control.cancel(idle), life.control.cancel(idle)]);
  await life.control.cancel(lead);
  expect([life.status(lead), life.status(idle)]).toEqual(["completed", "cancelled"]);
  expect((await life.all(idle, "agent.cancelled")).length).toBe(1);
});

test("X1: an agent that is cancelled under a hold ends, and so does one whose parent fails", async () => {
  const world = new World();
  const feed = handFed();
  const model = cast({ top: [asks(spawn("mid")), () => new Error("never")], mid: [() => feed.stream] });
  const life = await world.open({ models: [model] });
  const top = await life.spawn("top");
  await life.until(() => life.coordinator.forest.size === 2);
  await life.control.pause(top);
  await life.control.cancel(life.at("top/mid"));
  expect([life.status(top), life.head(life.at("top/mid")).status]).toEqual(["held", "cancelled"]);
  await life.control.cancel(top);
  const other = await life.spawn("gone");
  const child = await life.spawnChild(other, "mid").catch(() => undefined);
  await life.coordinator.ended(other);
  await quiet(world);
  expect(life.head(other).status).toBe("failed");
  if (child) expect(life.head(child).status).toBe("cancelled");
});

test("X2: a parent hears of a child that was cancelled beside it, once", async () => {
  const world = new World();
  const feed = handFed();
  const model = cast({
    top: [asks(spawn("mid")), asks(["wait_for_agents"]), ({ news }) => news.join(" ")],
    mid: [() => feed.stream],
  });
  const life = await world.open({ models: [model] });
  const top = await life.spawn("top");
  await life.became(top, "waiting");
  await life.control.cancel(life.at("top/mid"), { reason: "not needed" });
  expect(JSON.parse(await life.outcome(top))).toMatchObject([{ name: "mid", status: "cancelled" }]);
  expect((await life.all(top, "child.ended")).length).toBe(1);
});

test("a child that is spawned while its parent is being cancelled is cancelled or never was", async () => {
  for (let delay = 0; delay < 12; delay++) {
    const world = new World();
    const model = cast({ lead: ["ready"], child: () => handFed().stream });
    const life = await world.open({ models: [model] });
    const lead = await life.spawn("lead", { mode: "chat" });
    await life.became(lead, "waiting");
    const spawned = life.spawnChild(lead, "child").catch((error) => error.code);
    for (let at = 0; at < delay; at++) await Promise.resolve();
    await life.control.cancel(lead);
    const child = await spawned;
    await quiet(world);
    const living = [...life.coordinator.forest.nodes()].filter(({ head }) => head.status !== "cancelled");
    expect([child === "AGENT_ENDED" || life.head(child).status === "cancelled", living]).toEqual([true, []]);
    expect(life.faults).toEqual([]);
  }
});

test("an agent completes only once its children have ended", async () => {
  const world = new World();
  const feed = handFed();
  const model = cast({
    top: [asks(spawn("mid")), "my part is done", ({ news }) => `and ${news.join(" ")}`],
    mid: [() => feed.stream],
  });
  const life = await world.open({ models: [model] });
  const top = await life.spawn("top");
  await life.until(() => life.head(top).turns === 2);
  await quiet(world);
  expect(life.head(top)).toMatchObject({ status: "waiting", waitingFor: "children" });
  feed.feed(...partsOf("late"));
  feed.close();
  expect(await life.outcome(top)).toBe("and [agent mid completed]\nlate");
});
