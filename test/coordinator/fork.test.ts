/** Forks: from every event, alone and with what was below, beside the origin and as a tree of its own. */
import { expect, test } from "vitest";
import type { AgentId } from "../../src/base/ids.ts";
import { foldAgent } from "../../src/coordinator/fold.ts";
import type { Journal } from "../../src/journal/journal.ts";
import { asks, cast } from "../support/cast.ts";
import { intercept } from "../support/journals.ts";
import { plain } from "../support/journeys.ts";
import { handFed, partsOf } from "../support/models.ts";
import { probe } from "../support/probe.ts";
import { type Life, quiet, World } from "../support/world.ts";

const spawn = (name: string, part = name) => ["spawn_agent", { name, task: "go", instructions: part }] as const;
const TOOLS = ["spawn_agent", "wait_for_agents", "write_artifact", "work"];

/** Three levels, at the end of it all: the lead waited for `mid`, and that for `low`, which worked with a tool. */
async function lived(forksPerMinute = 10_000) {
  const world = new World();
  const tool = probe("work", { policy: "rerun" });
  const model = cast({
    lead: [asks(spawn("mid")), asks(["wait_for_agents"]), ({ news }) => `lead heard ${news.join(" ")}`],
    mid: [
      asks(spawn("low"), ["write_artifact", { name: "notes", content: "text" }]),
      asks(["wait_for_agents"]),
      "mid done",
      "mid done",
    ],
    low: [asks(["work"], ["work"]), "low done"],
  });
  const life = await world.open({ models: [model], tools: [tool], forksPerMinute });
  const lead = await life.spawn("lead", { tools: TOOLS });
  const answer = await life.outcome(lead);
  await quiet(world);
  return { world, life, lead, answer };
}

/** What a fork shares with its origin: everything but who it is, its children and what it may still do about its turn. */
async function conversation(life: Life, agent: AgentId, at: number) {
  const { entries, instructions, tools } = await life.coordinator.state(agent, at);
  return plain({ entries, instructions, tools });
}

/** Resolves once the subtree has come to its end, or to rest. */
async function ended(life: Life, world: World, agent: AgentId): Promise<string> {
  await quiet(world);
  return life.head(agent).status === "waiting" ? "waits" : life.outcome(agent);
}

test.each([
  ["alone", { subtree: false }],
  ["with its subtree", { subtree: true }],
  ["alone, as a root", { subtree: false, as: "root" as const }],
  ["with its subtree, as a root", { subtree: true, as: "root" as const }],
])(
  "the lead is forked at its every event, %s: it has that past, comes to an end, and the origin never learns of it",
  async (_, how) => {
    const { world, life, lead, answer } = await lived();
    const origin = await life.events(lead);
    const heardSeq = origin.findLast(({ event }) => event.type === "tool.ended")?.seq ?? 0;
    for (const { seq } of origin) {
      const past = await conversation(life, lead, seq);
      const before = world.store.order.length;
      const fork = await life.coordinator.fork(lead, { at: seq, ...how });
      expect(world.store.logs.get(fork)?.records[0]?.type).toBe("agent.forked");
      expect(await conversation(life, fork, seq + 1)).toEqual(past);
      expect(life.head(fork)).toMatchObject({ parent: null, root: fork, level: 0, origin: { agent: lead, seq } });
      const outcome = await ended(life, world, fork);
      if (seq === 1) expect(outcome).toBe("waits");
      else if (how.subtree || seq >= heardSeq) expect([seq, outcome.replace(/-fork-\d+/g, "")]).toEqual([seq, answer]);
      else expect(outcome).toMatch(/^lead heard/);
      expect(world.store.order.slice(0, before).filter(({ agent }) => agent === lead).length).toBe(origin.length);
      expect(life.faults).toEqual([]);
    }
    expect(await life.events(lead)).toEqual(origin);
  },
);

test.each(["lead/mid", "lead/mid/low"])(
  "%s is forked at its every event, alone and with its subtree, beside its origin, while the tree lives on",
  async (path) => {
    const world = new World();
    const tool = probe("work", { policy: "rerun" });
    const model = cast({
      lead: ({ said }) => (said === 0 ? asks(spawn("mid")) : "heard"),
      mid: ({ said, news }) => {
        if (said === 0) return asks(spawn("low"));
        return news.join().includes("go on") ? "mid done" : asks(["wait_for_message"]);
      },
      low: [asks(["work"], ["work"]), "low done"],
    });
    const life = await world.open({ models: [model], tools: [tool], forksPerMinute: 10_000 });
    const lead = await life.spawn("lead", { tools: [...TOOLS, "wait_for_message"], mode: "chat" });
    await quiet(world);
    const agent = life.at(path);
    const origin = await life.events(agent);
    const before = life.head(agent);
    for (const { seq } of origin) {
      for (const subtree of [false, true]) {
        const past = await conversation(life, agent, seq);
        const fork = await life.coordinator.fork(agent, { at: seq, subtree });
        await quiet(world);
        const { parent, root, level } = life.head(agent);
        expect(life.head(fork)).toMatchObject({ parent, root, level, origin: { agent, seq } });
        expect(await conversation(life, fork, seq + 1)).toEqual(past);
        expect((await life.state(parent ?? "")).children.get(fork)).toMatchObject({ cut: false });
        await life.control.cancel(fork);
      }
    }
    expect([await life.events(agent), life.head(agent)]).toEqual([origin, before]);
    await life.control.send(life.at("lead/mid"), "go on");
    await quiet(world);
    expect(["lead/mid", "lead/mid/low"].map((each) => life.status(life.at(each)))).toEqual(["completed", "completed"]);
    expect([life.status(lead), life.faults]).toEqual(["waiting", []]);
  },
);

test("agents at every level are forked beside their origin while the rest runs on", async () => {
  const world = new World();
  const feed = handFed();
  const twin = handFed();
  let calls = 0;
  const model = cast({
    lead: [asks(spawn("mid")), asks(["wait_for_agents"]), ({ news }) => `lead heard ${news.join(" ")}`],
    mid: [asks(spawn("low")), asks(["wait_for_agents"]), ({ news }) => `mid heard ${news.join(" ")}`],
    low: () => (++calls === 1 ? feed.stream : twin.stream),
  });
  const life = await world.open({ models: [model] });
  const lead = await life.spawn("lead");
  await life.until(() => life.coordinator.forest.size === 3);
  await quiet(world);
  const low = life.at("lead/mid/low");
  const fork = await life.coordinator.fork(low);
  await quiet(world);
  expect(life.head(fork)).toMatchObject({ name: "low-fork-1", level: 2, parent: life.at("lead/mid"), root: lead });
  for (const { feed: say, close } of [feed, twin]) {
    say(...partsOf(say === feed.feed ? "one way" : "the other"));
    close();
  }
  const answer = await life.outcome(lead);
  expect([answer.includes("one way"), answer.includes("the other"), answer.includes("low-fork-1")]).toEqual([
    true,
    true,
    true,
  ]);
});

test("K1: the fork of a subtree is a consistent cut: every member is as it was at that moment, and goes on from there", async () => {
  const world = new World();
  const tool = probe("work", { policy: "rerun", stuck: true });
  const model = cast({
    lead: [asks(spawn("mid")), asks(["wait_for_agents"]), ({ news }) => `lead heard ${news.join(" ")}`],
    mid: [asks(spawn("quick"), spawn("slow")), asks(["wait_for_agents"]), ({ news }) => `mid heard ${news.join(" ")}`],
    quick: ["quick done"],
    slow: [asks(["work"]), "slow done"],
  });
  const life = await world.open({ models: [model], tools: [tool] });
  const lead = await life.spawn("lead", { tools: TOOLS });
  await tool.started;
  await quiet(world);
  const fork = await life.coordinator.fork(lead, { subtree: true });
  const names = (agent: AgentId) => [...life.coordinator.forest.subtree(agent)].map(({ head }) => head.name);
  // `quick` had ended: what it reported is part of the past.
  expect(names(fork)).toEqual(["lead-fork-1", "mid", "slow"]);
  await quiet(world);
  expect(tool.runs.length).toBe(2);
  expect(life.head(lead).status).toBe("waiting");
});

test("K1: children are part of the fork from the very event by which their parent has them", async () => {
  const world = new World();
  const life = await world.open({ models: [cast({ lead: () => "ready", child: () => handFed().stream })] });
  const lead = await life.spawn("lead", { mode: "chat" });
  await life.became(lead, "waiting");
  await life.control.pause(lead);
  const child = await life.spawnChild(lead, "child");
  const fork = await life.coordinator.fork(lead, { subtree: true });
  const [copy] = life.coordinator.forest.get(fork)?.children ?? [];
  expect(copy?.head.origin?.agent).toBe(child);
  const forked = await life.state(copy?.head.agent ?? "");
  expect(forked.inbox.length + forked.entries.length).toBe(1);
});

test("a fork of a fork has the past of both, with the children that there were before either", async () => {
  const { world, life, lead } = await lived();
  const { entries } = await life.state(lead);
  const spawned = entries.at(2)?.seq ?? 0;
  const fork = await life.coordinator.fork(lead, { at: entries.at(1)?.seq, subtree: true });
  await life.outcome(fork);
  const second = await life.coordinator.fork(fork, { at: 3, subtree: true });
  expect(life.head(second).origin).toEqual({ agent: lead, seq: 3 });
  const third = await life.coordinator.fork(second);
  expect(life.head(third).origin?.agent).toBe(second);
  const early = await life.coordinator.fork(lead, { at: spawned });
  const again = await life.coordinator.fork(early, { at: spawned, subtree: true });
  await quiet(world);
  expect(life.coordinator.forest.get(again)?.children.map(({ head }) => head.name)).toEqual(["mid"]);
  expect(life.faults).toEqual([]);
});

test("at an event between the results of parallel tools, those that had ended keep their results", async () => {
  const { world, life, lead } = await lived();
  const low = life.at("lead/mid/low");
  const [first] = (await life.events(low)).filter(({ event }) => event.type === "tool.ended");
  const fork = await life.coordinator.fork(low, { at: first?.seq, as: "root" });
  expect(await ended(life, world, fork)).toBe("low done");
  const results = (await life.all(fork, "tool.ended")).map(({ outcome }) => outcome);
  expect(results).toEqual(["ok", "ok"]);
  expect(lead).not.toBe(fork);
});

test("a fork reads its task next, and is told apart by its name", async () => {
  const world = new World();
  const life = await world.open({
    models: [cast({ lead: [({ news }) => `first ${news.join(" ")}`, ({ news }) => `then ${news.join(" ")}`] })],
  });
  const lead = await life.spawn("lead");
  await life.outcome(lead);
  const forks = await Promise.all([
    life.coordinator.fork(lead, { task: "try the other way" }),
    life.coordinator.fork(lead),
    life.coordinator.fork(lead, { name: "scout" }),
    life.coordinator.fork(lead, { name: "scout" }),
  ]);
  expect(forks.map((fork) => life.head(fork).name)).toEqual(["lead-fork-1", "lead-fork-2", "scout", "scout-2"]);
  expect(await life.outcome(forks[0])).toBe("then try the other way");
  expect(await life.outcome(forks[1])).toBe("first go");
  await expect(
    life.control.rewind(forks[0], (await life.state(lead)).entries.at(0)?.seq ?? 0),
  ).resolves.toBeUndefined();
});

test("K2: a sibling stands under the holds and budgets that its origin stands under; a root takes the tree's budget along", async () => {
  const { life, lead } = await lived();
  const mid = life.at("lead/mid");
  await life.control.setBudget(lead, { costUsd: 5 });
  const root = await life.coordinator.fork(mid, { as: "root" });
  expect(life.head(root)).toMatchObject({ parent: null, level: 0, budget: { costUsd: 5 } });
  await expect(life.coordinator.fork(mid, { as: "sibling" })).rejects.toMatchObject({ code: "PARENT_ENDED" });
  const own = await life.coordinator.fork(mid);
  expect(life.head(own).parent).toBeNull();
  const poor = await life.coordinator.fork(lead, { budget: { costUsd: 1 } });
  expect(life.head(poor).budget).toEqual({ costUsd: 1 });
});

test("K2: a fork under a hold waits until that is released, and one of a held agent is not held itself", async () => {
  const world = new World();
  const model = cast({ lead: () => "ready", child: () => "done" });
  const life = await world.open({ models: [model] });
  const lead = await life.spawn("lead", { mode: "chat" });
  await life.became(lead, "waiting");
  await life.control.pause(lead);
  const child = await life.spawnChild(lead, "child");
  const fork = await life.coordinator.fork(child);
  await quiet(world);
  expect([life.status(fork), model.asked.length]).toEqual(["held", 1]);
  const free = await life.coordinator.fork(child, { as: "root" });
  expect(await life.outcome(free)).toBe("done");
  await life.control.resume(lead);
  expect(await life.outcome(fork)).toBe("done");
});

test("K3: a fork of a conversation that is not in memory reads none of it under a hold, and all of it once that is released", async () => {
  const world = new World();
  const reads: AgentId[] = [];
  const around = (journal: Journal) => intercept(journal, { beforeRead: async (agent) => void reads.push(agent) });
  const model = cast({ lead: () => "ready", child: () => "done" });
  const life = await world.open({ models: [model], around });
  const lead = await life.spawn("lead", { mode: "chat" });
  const child = await life.spawnChild(lead, "child");
  await life.outcome(child);
  await life.control.pause(lead);
  await quiet(world);
  reads.length = 0;
  const forks = [await life.coordinator.fork(child), await life.coordinator.fork(child, { subtree: true })];
  await quiet(world);
  expect(reads).toEqual([]);
  await life.control.resume(lead);
  for (const fork of forks) expect(await life.outcome(fork)).toBe("done");
  expect(new Set(reads)).toEqual(new Set([child, ...forks]));
});

test("K3: a fork of what is in memory, or rests, reads nothing, and is what its journal folds to", async () => {
  const world = new World();
  const reads: AgentId[] = [];
  const around = (journal: Journal) => intercept(journal, { beforeRead: async (agent) => void reads.push(agent) });
  const models = [cast({ lead: () => "ready" })];
  const life = await world.open({ models, around });
  const lead = await life.spawn("lead", { mode: "chat" });
  await life.became(lead, "waiting");
  reads.length = 0;
  const loaded = await life.coordinator.fork(lead, { task: "Once more." });
  await life.became(loaded, "waiting");
  const resting = await life.coordinator.fork(lead);
  await quiet(world);
  expect(reads).toEqual([]);
  expect(life.head(resting)).toMatchObject({ status: "waiting", waitingFor: "message" });
  await life.stop();
  const again = await world.open({ models, around });
  reads.length = 0;
  const third = await again.coordinator.fork(lead);
  await quiet(world);
  expect(reads).toEqual([]);
  expect(again.head(third)).toMatchObject({ status: "waiting", waitingFor: "message" });
  for (const fork of [loaded, resting, third]) {
    const { state } = await foldAgent({ journal: again.services.journal }, fork);
    expect({ ...again.head(fork), output: null }).toEqual({ ...state.head, output: null });
  }
  await again.control.send(third, "Go on.");
  await again.became(third, "waiting");
  expect((await again.state(third)).entries.length).toBe((await again.state(loaded)).entries.length);
  expect([life.faults, again.faults]).toEqual([[], []]);
});

test("a fork that rests shows at once what it waits for", async () => {
  const world = new World();
  const life = await world.open({ models: [cast({ lead: () => "ready" })] });
  const lead = await life.spawn("lead", { mode: "chat" });
  await life.became(lead, "waiting");
  const fork = await life.coordinator.fork(lead);
  await quiet(world);
  expect(life.head(fork)).toMatchObject({ status: "waiting", waitingFor: "message", turns: 0, costUsd: 0 });
  const again = await world.open();
  expect(again.head(fork)).toEqual(life.head(fork));
});

test("the fork rate of a tree puts forks off in order, and those that wait are refused at a stop", async () => {
  const { world, life, lead } = await lived(2);
  let done = 0;
  const forks = Array.from({ length: 4 }, () => life.coordinator.fork(lead).then(() => ++done));
  await quiet(world);
  expect(done).toBe(2);
  world.clock.advance(30_000);
  await quiet(world);
  expect(done).toBe(3);
  const last = expect(forks[3]).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
  await life.stop();
  await last;
  expect(world.clock.pending).toBe(0);
});

test("what there is no event of, and whom there is no agent of, is not forked", async () => {
  const { life, lead } = await lived();
  for (const at of [0, -1, 10_000, 2.5]) {
    await expect(life.coordinator.fork(lead, { at })).rejects.toMatchObject({ code: "CHECKPOINT_NOT_FOUND" });
  }
  await expect(life.coordinator.fork("nobody")).rejects.toMatchObject({ code: "AGENT_NOT_FOUND" });
});
