/** Interrupts of calls and tools in flight, and what an agent does then. */
import { expect, test } from "vitest";
import { asks, cast, type Line } from "../support/cast.ts";
import { handFed, partsOf } from "../support/models.ts";
import { type Probe, probe } from "../support/probe.ts";
import { quiet, World } from "../support/world.ts";

/** A lead whose first answer has begun: it said `I was going to`. */
async function midSentence(...lines: readonly Line[]) {
  const world = new World();
  const feed = handFed();
  const price = { input: 1_000_000, output: 1_000_000, cacheRead: 0, cacheWrite: 0 };
  const life = await world.open({ models: [cast({ lead: [() => feed.stream, ...lines] })] });
  const execution = { driver: "model", provider: "test", model: "cast", outputTokensMax: 100, price } as const;
  const lead = await life.spawn("lead", { execution });
  const spoke = Promise.withResolvers<void>();
  life.coordinator.watchDeltas(() => spoke.resolve());
  await life.became(lead, "running");
  feed.feed({ type: "text-start", id: "1" }, { type: "text-delta", id: "1", delta: "I was going to" });
  await spoke.promise;
  return { world, life, lead, feed };
}

test("a call that is interrupted keeps what was said, is settled, and the agent waits", async () => {
  const { world, life, lead } = await midSentence();
  expect(await life.control.interrupt(lead)).toBe(1);
  const [ended] = await life.all(lead, "turn.ended");
  expect(ended).toMatchObject({
    outcome: "interrupted",
    parts: [{ type: "text", text: "I was going to" }],
    estimated: true,
  });
  await quiet(world);
  expect(life.head(lead)).toMatchObject({ status: "waiting", waitingFor: "message", reservedUsd: 0, turns: 1 });
  expect(life.head(lead).costUsd).toBeGreaterThan(0);
  expect(life.coordinator.load).toEqual({ working: 0, waiting: 0 });
});

test("what is sent after an interrupt is read with what was said before it", async () => {
  const { life, lead } = await midSentence(({ asked, news }) => {
    const said = asked.prompt.findLast(({ role }) => role === "assistant");
    return `${JSON.stringify(said?.content)} then ${news.join(" ")}`;
  });
  await life.control.interrupt(lead);
  await life.control.send(lead, "rather not");
  const output = await life.outcome(lead);
  expect(output).toContain("I was going to");
  expect(output).toContain("(interrupted) rather not");
});

test("an agent that was interrupted goes on by itself when it is resumed", async () => {
  const { life, lead } = await midSentence("went on");
  await life.control.interrupt(lead);
  await life.control.resume(lead);
  expect(await life.outcome(lead)).toBe("went on");
  await expect(life.control.resume(lead)).rejects.toMatchObject({ code: "NOT_HELD" });
});

test("an interrupt outlives the process", async () => {
  const { world, life: first, lead } = await midSentence();
  await first.control.interrupt(lead);
  const model = cast({ lead: [asks(), "went on"] });
  const life = await world.open({ models: [model] });
  await quiet(world);
  expect([life.status(lead), model.asked.length]).toEqual(["waiting", 0]);
  await life.control.resume(lead);
  expect(await life.outcome(lead)).toBe("went on");
});

test("a call that has ended is not interrupted, nor is an agent that only waits", async () => {
  const world = new World();
  const life = await world.open({ models: [cast({ lead: ["ready"] })] });
  const lead = await life.spawn("lead", { mode: "chat" });
  await life.became(lead, "waiting");
  await quiet(world);
  expect([await life.control.interrupt(lead), await life.control.interrupt(lead, { subtree: true })]).toEqual([0, 0]);
  expect(life.head(lead).seq).toBe(4);
});

test("an interrupt meets a call whose start is not durable yet: it is never made", async () => {
  const world = new World();
  let starting: PromiseWithResolvers<void> | undefined = Promise.withResolvers<void>();
  const disk = Promise.withResolvers<void>();
  const model = cast({ lead: ["went on"] });
  const life = await world.open({
    models: [model],
    commit: async ([append]) => {
      if (!append?.records.some(({ type }) => type === "turn.started") || !starting) return;
      starting.resolve();
      await disk.promise;
    },
  });
  const lead = await life.spawn("lead");
  await starting.promise;
  starting = undefined;
  const interrupted = life.control.interrupt(lead);
  disk.resolve();
  expect(await interrupted).toBe(1);
  await quiet(world);
  expect([life.head(lead).waitingFor, model.asked.length]).toEqual(["message", 0]);
  await life.control.resume(lead);
  expect(await life.outcome(lead)).toBe("went on");
});

test("tools that are interrupted are aborted and have that as their result; those that ended keep theirs", async () => {
  const world = new World();
  const [slow, quick] = [probe("slow", { stuck: true }), probe("quick")];
  const { life, lead } = await working(world, [slow, quick], ["slow", "quick"]);
  await life.until(() => life.head(lead).seq >= 7);
  expect(await life.control.interrupt(lead)).toBe(1);
  expect(slow.signal?.aborted).toBe(true);
  const results = await life.all(lead, "tool.ended");
  expect(results.map(({ outcome, content }) => [outcome, content])).toEqual([
    ["ok", "ok"],
    ["interrupted", "Interrupted."],
  ]);
  await quiet(world);
  expect(life.head(lead).waitingFor).toBe("message");
  await life.control.send(lead, "go on then");
  expect(await life.outcome(lead)).toBe("heard Interrupted. ok go on then");
});

test("an interrupt of a subtree stops every call in it; resume of its top has all of it go on", async () => {
  const world = new World();
  const feeds = [handFed(), handFed()];
  const spawn = (name: string) => ["spawn_agent", { name, task: "go", instructions: "worker" }] as const;
  let first = true;
  const model = cast({
    lead: [asks(spawn("a"), spawn("b")), asks(["wait_for_agents"]), "all done"],
    worker: () => (first ? (feeds.shift() as ReturnType<typeof handFed>).stream : "worked"),
  });
  const life = await world.open({ models: [model] });
  const lead = await life.spawn("lead");
  await life.until(() => life.coordinator.forest.get(lead)?.subtree.agents === 3 && life.status(lead) === "waiting");
  await quiet(world);
  expect(await life.control.interrupt(lead, { subtree: true })).toBe(2);
  await quiet(world);
  expect(["lead/a", "lead/b"].map((path) => life.head(life.at(path)).waitingFor)).toEqual(["message", "message"]);
  first = false;
  await life.control.resume(lead);
  expect(await life.outcome(lead)).toBe("all done");
});

async function working(world: World, tools: readonly Probe[], calls: readonly string[]) {
  const lines: Line[] = [asks(...calls.map((name) => [name] as const)), ({ news }) => `heard ${news.join(" ")}`];
  const life = await world.open({ models: [cast({ lead: lines })], tools });
  const lead = await life.spawn("lead", { tools: tools.map(({ name }) => name) });
  await Promise.all(tools.map((tool) => tool.started));
  return { life, lead };
}

test("an answer that was interrupted before it began to call tools makes none", async () => {
  const world = new World();
  const feed = handFed();
  const tool = probe("work");
  let first = true;
  const life = await world.open({ models: [cast({ lead: () => (first ? feed.stream : "done") })], tools: [tool] });
  const lead = await life.spawn("lead", { tools: ["work"] });
  await life.became(lead, "running");
  feed.feed(...partsOf(asks(["work"])).slice(0, -1));
  await quiet(world);
  first = false;
  await life.control.interrupt(lead);
  await life.control.resume(lead);
  expect([await life.outcome(lead), tool.runs]).toEqual(["done", []]);
});
