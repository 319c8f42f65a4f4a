/** Holds: pause and resume of one agent and of subtrees, at the worst moments. */
import { expect, test } from "vitest";
import type { ContentReference } from "../../src/agent/content.ts";
import { LIMITS } from "../../src/base/limits.ts";
import type { Blobs } from "../../src/blobs/blobs.ts";
import { asks, cast, type Line } from "../support/cast.ts";
import { handFed, partsOf } from "../support/models.ts";
import { type Probe, probe } from "../support/probe.ts";
import { quiet, World } from "../support/world.ts";

const spawn = (name: string, part = name) => ["spawn_agent", { name, task: "go", instructions: part }] as const;

/** A lead with two leads below it, each with two workers; every worker's first answer is fed by hand. */
async function threeLevels() {
  const world = new World();
  const feeds: ReturnType<typeof handFed>[] = [];
  const lead = (...children: string[]) => [
    asks(...children.map((name) => spawn(name, name.length > 1 ? "worker" : "mid"))),
    asks(["wait_for_agents"]),
    "all done",
  ];
  const model = cast({
    top: lead("l", "r"),
    mid: lead("w1", "w2"),
    worker: () => {
      const feed = handFed();
      feeds.push(feed);
      return feed.stream;
    },
  });
  const life = await world.open({ models: [model] });
  const top = await life.spawn("top");
  await life.until(() => life.coordinator.forest.get(top)?.subtree.agents === 7);
  await quiet(world);
  const answer = (text: string): void => {
    for (const { feed, close } of feeds.splice(0)) {
      feed(...partsOf(text));
      close();
    }
  };
  return { world, life, model, top, answer };
}

test("V1: a hold on a subtree stops every next call in it, and nothing beside it", async () => {
  const { world, life, model, top, answer } = await threeLevels();
  await life.control.pause(life.at("top/l"));
  const before = model.asked.length;
  answer("worked");
  await quiet(world);
  expect(["top/l/w1", "top/l", "top/r/w1", "top/r", "top"].map((path) => life.status(life.at(path)))).toEqual([
    "completed",
    "held",
    "completed",
    "completed",
    "waiting",
  ]);
  expect(model.asked.length).toBe(before + 1);
  await life.control.resume(life.at("top/l"));
  expect(await life.outcome(top)).toBe("all done");
  expect(life.faults).toEqual([]);
});

test("V1: a hold covers children that are spawned under it later, until it is released", async () => {
  const world = new World();
  const model = cast({ lead: ["ready", "done"], child: ["worked", "heard"] });
  const life = await world.open({ models: [model] });
  const lead = await life.spawn("lead", { mode: "chat" });
  await life.became(lead, "waiting");
  await life.control.pause(lead);
  const child = await life.spawnChild(lead, "child");
  const grandchild = await life.spawnChild(child, "child");
  await quiet(world);
  expect([life.status(child), life.status(grandchild), model.asked.length]).toEqual(["held", "held", 1]);
  await life.control.resume(lead);
  expect([await life.outcome(child), await life.outcome(grandchild)]).toEqual(["heard", "worked"]);
});

test("V1: a call that was just about to start when the hold was acknowledged does not start", async () => {
  const world = new World();
  const task = "x".repeat(LIMITS.inlineBytesMax + 1);
  const first = await world.open({ models: [cast({ lead: [] })] });
  const lead = await first.spawn("lead", { messages: [], mode: "task" });
  await first.control.pause(lead);
  await first.control.send(lead, task);
  const model = cast({ lead: ["done"] });
  const life = await world.open({ models: [model] });
  const [message] = (await life.state(lead)).inbox;
  const stowed = message?.content as ContentReference | undefined;
  const disk = holdReads(life.services.blobs, stowed?.digest ?? "");
  await life.control.resume(lead);
  await life.until(() => life.head(lead).status === "running");
  await life.control.pause(lead);
  disk.release();
  await quiet(world);
  expect(model.asked).toEqual([]);
  expect((await life.types(lead)).slice(-2)).toEqual(["hold.set", "turn.withdrawn"]);
  await life.control.resume(lead);
  expect(await life.outcome(lead)).toBe("done");
  expect(life.head(lead)).toMatchObject({ turns: 1, reservedUsd: 0 });
});

test("V1: a call in flight ends by itself under a hold, and its answer is kept", async () => {
  const { life, lead, feed } = await streaming();
  await life.control.pause(lead);
  feed.feed(...partsOf("said in full"));
  feed.close();
  await life.until(() => life.head(lead).turns === 1);
  expect(life.status(lead)).toBe("held");
  await life.control.resume(lead);
  expect(await life.outcome(lead)).toBe("said in full");
});

test("L3: a tool that was asked for under a hold starts when it is released", async () => {
  const tool = probe("work");
  const { world, life, lead, feed } = await streaming({ lines: ["done"], tools: [tool] });
  await life.control.pause(lead);
  feed.feed(...partsOf(asks(["work"])));
  feed.close();
  await quiet(world);
  expect(tool.runs).toEqual([]);
  await life.control.resume(lead);
  expect(await life.outcome(lead)).toBe("done");
  expect(tool.runs.length).toBe(1);
});

test("L3: a tool whose start became durable together with the hold runs once it is released, and only once", async () => {
  const tool = probe("work");
  let onCommit: (types: readonly string[]) => void = () => undefined;
  const world = new World();
  const life = await world.open({
    models: [cast({ lead: [asks(["work"]), "done"] })],
    tools: [tool],
    commit: async ([append]) => onCommit(append?.records.map(({ type }) => type) ?? []),
  });
  const paused = Promise.withResolvers<void>();
  onCommit = (types) => {
    if (types.includes("turn.ended")) life.control.pause(life.at("lead")).then(paused.resolve, paused.reject);
  };
  const lead = await life.spawn("lead", { tools: ["work"] });
  await paused.promise;
  onCommit = () => undefined;
  const before = tool.runs.length;
  await quiet(world);
  expect([before, tool.runs.length]).toEqual([0, 0]);
  await life.control.resume(lead);
  expect(await life.outcome(lead)).toBe("done");
  expect([tool.runs.length, (await life.all(lead, "tool.ended")).map(({ outcome }) => outcome)]).toEqual([1, ["ok"]]);
});

test("L3: a call that a crash left unsettled waits out the hold, whatever wakes the agent", async () => {
  const world = new World();
  const tool = probe("work", { policy: "rerun", stuck: true });
  const first = await world.open({ models: [cast({ lead: [asks(["work"])] })], tools: [tool] });
  const lead = await first.spawn("lead", { tools: ["work"] });
  await tool.started;
  await first.control.pause(lead);
  const again = probe("work", { policy: "rerun" });
  const life = await world.open({ models: [cast({ lead: [asks(["work"]), "done"] })], tools: [again] });
  await life.control.send(lead, "news");
  await quiet(world);
  expect(again.runs).toEqual([]);
  await life.control.resume(lead);
  expect([await life.outcome(lead), again.runs.length]).toEqual(["done", 1]);
});

test("pause with interrupt stops every call and tool below at once; resume has all of them go on", async () => {
  const { world, life, model, top } = await threeLevels();
  const before = model.asked.length;
  await life.control.pause(top, { interrupt: true });
  await quiet(world);
  expect(life.coordinator.load.working).toBe(0);
  expect([...life.coordinator.forest.subtree(top)].map(({ head }) => life.status(head.agent))).toEqual(
    Array(7).fill("held"),
  );
  expect(model.asked.length).toBe(before);
  await life.control.resume(top);
  await quiet(world);
  expect(model.asked.length).toBe(before + 4);
  expect(life.faults).toEqual([]);
});

test("a hold in a subtree that is released above stays until it is released itself", async () => {
  const { world, life, top, answer } = await threeLevels();
  const [left, worker] = [life.at("top/l"), life.at("top/l/w1")];
  await life.control.pause(left);
  await life.control.pause(top);
  await life.control.resume(top);
  answer("worked");
  await quiet(world);
  expect([life.status(left), life.status(worker), life.status(life.at("top/r"))]).toEqual([
    "held",
    "completed",
    "completed",
  ]);
  await expect(life.control.resume(top)).rejects.toMatchObject({ code: "NOT_HELD" });
  await life.control.resume(left);
  expect(await life.outcome(top)).toBe("all done");
});

test("V2: a hold outlives the process, and the tree goes on from there when it is released", async () => {
  const { world, life: first, top } = await threeLevels();
  await first.control.pause(top);
  const model = cast({ top: [asks(), asks(), "all done"], mid: [asks(), asks(), "all done"], worker: ["worked"] });
  const life = await world.open({ models: [model] });
  await quiet(world);
  expect([life.status(top), life.status(life.at("top/r/w2")), model.asked.length]).toEqual(["held", "held", 0]);
  await life.control.resume(top);
  expect(await life.outcome(top)).toBe("all done");
});

test("pausing what has ended, and resuming what is not held, is refused", async () => {
  const world = new World();
  const life = await world.open({ models: [cast({ lead: ["done"] })] });
  const lead = await life.spawn("lead");
  await life.outcome(lead);
  await expect(life.control.pause(lead)).rejects.toMatchObject({ code: "AGENT_ENDED" });
  await expect(life.control.resume(lead)).rejects.toMatchObject({ code: "NOT_HELD" });
  await expect(life.control.pause("0".repeat(26))).rejects.toMatchObject({ code: "AGENT_NOT_FOUND" });
});

/** A lead whose first answer the test feeds by hand, and which has begun; `lines` come after it. */
async function streaming({ lines = [], tools = [] }: { lines?: readonly Line[]; tools?: readonly Probe[] } = {}) {
  const world = new World();
  const feed = handFed();
  const model = cast({ lead: [() => feed.stream, ...lines] });
  const life = await world.open({ models: [model], tools });
  const lead = await life.spawn("lead", { tools: tools.map(({ name }) => name) });
  await life.became(lead, "running");
  await quiet(world);
  return { world, life, lead, feed, model };
}

/** Holds up the reads of one blob until they are released. */
function holdReads(blobs: Blobs, held: string) {
  const { promise, resolve: release } = Promise.withResolvers<void>();
  const get = blobs.get.bind(blobs);
  blobs.get = async function* (digest, range) {
    if (digest === held) await promise;
    yield* get(digest, range);
  };
  return { release };
}
