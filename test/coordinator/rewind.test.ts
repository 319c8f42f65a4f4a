/** Rewinding: back to the end of any message, whatever has happened since. */
import { expect, test } from "vitest";
import { asks, cast, hear } from "../support/cast.ts";
import { type Asked, handFed } from "../support/models.ts";
import { probe } from "../support/probe.ts";
import { quiet, World } from "../support/world.ts";

const spawn = (name: string, part = name) => ["spawn_agent", { name, task: "go", instructions: part }] as const;

/** A lead that spawned a child, heard from it, worked with a tool, and answered. */
async function lived() {
  const world = new World();
  const tool = probe("work");
  let again = "first";
  const model = cast({
    lead: [
      asks(spawn("a", "child")),
      asks(["wait_for_agents"]),
      asks(["work"]),
      ({ news }) => `${again} answer after ${news.join(" ")}`,
    ],
    child: ["found it"],
  });
  const life = await world.open({ models: [model], tools: [tool] });
  const lead = await life.spawn("lead", { tools: ["spawn_agent", "wait_for_agents", "work"] });
  await life.outcome(lead);
  const boundaries = [...(await life.state(lead)).entries].map(({ seq }) => seq);
  again = "second";
  return { world, life, lead, model, tool, boundaries };
}

test("from every message boundary an agent goes on to a new answer", async () => {
  const { boundaries } = await lived();
  expect(boundaries.length).toBe(8);
  for (const [index, to] of [0, ...boundaries].entries()) {
    const { world, life, lead } = await lived();
    const before = await life.state(lead);
    const kept = before.entries.countWhile((entry) => entry.seq <= to);
    await life.control.rewind(lead, to);
    if (to === 0) await life.control.send(lead, "go");
    const outcome = await life.outcome(lead);
    await quiet(world);
    expect([index, outcome]).toEqual([
      index,
      to === boundaries.at(-1) ? "first answer after ok" : "second answer after ok",
    ]);
    const after = await life.state(lead);
    expect([...after.entries].slice(0, kept)).toEqual([...before.entries].slice(0, kept));
    expect(after.head.turns).toBeGreaterThanOrEqual(before.head.turns);
    expect(life.faults).toEqual([]);
  }
});

test("children that were spawned since are cancelled, and reports of those before are delivered again", async () => {
  const { world, life, lead, boundaries } = await lived();
  const first = life.at("lead/a");
  await life.control.rewind(lead, boundaries[0] ?? 0);
  await life.outcome(lead);
  await quiet(world);
  const children = [...(await life.state(lead)).children.values()];
  expect(children.map(({ cut, ended }) => [cut, ended !== undefined])).toEqual([
    [true, true],
    [false, true],
  ]);
  expect(life.head(first).status).toBe("completed");
  const again = await lived();
  await again.life.control.rewind(again.lead, again.boundaries[2] ?? 0);
  await again.life.outcome(again.lead);
  const told = hear(again.model.asked.at(-3) as Asked);
  expect(told.news).toEqual(["agent a started", "[agent a completed]\nfound it"]);
  expect(again.life.coordinator.forest.size).toBe(2);
});

test("a living child that was spawned since is cancelled, and its end is no news", async () => {
  const world = new World();
  const model = cast({ lead: [asks(spawn("a", "child")), asks(["wait_for_agents"])], child: () => handFed().stream });
  const life = await world.open({ models: [model] });
  const lead = await life.spawn("lead");
  await life.became(lead, "waiting");
  await life.control.pause(lead);
  const [task] = (await life.state(lead)).entries;
  await life.control.rewind(lead, task?.seq ?? 0);
  expect(life.head(life.at("lead/a")).status).toBe("cancelled");
  await quiet(world);
  expect(await life.state(lead)).toMatchObject({ inbox: [], open: [], head: { childrenLive: 0, status: "queued" } });
  expect(life.faults).toEqual([]);
});

test("a call in flight is settled, then the conversation goes back", async () => {
  const world = new World();
  const feed = handFed();
  let first = true;
  const life = await world.open({ models: [cast({ lead: () => (first ? feed.stream : "other answer") })] });
  const lead = await life.spawn("lead");
  await life.became(lead, "running");
  await quiet(world);
  first = false;
  const [task] = (await life.state(lead)).entries;
  await life.control.rewind(lead, task?.seq ?? 0);
  await feed.cancelled;
  expect(await life.outcome(lead)).toBe("other answer");
  const types = await life.types(lead);
  expect(types.filter((type) => type.startsWith("turn."))).toEqual([
    "turn.started",
    "turn.ended",
    "turn.started",
    "turn.ended",
  ]);
});

test("a rewind and a turn's start that cross leave one conversation, at every interleaving", async () => {
  for (let delay = 0; delay < 40; delay++) {
    const world = new World();
    const life = await world.open({ models: [cast({ lead: ["answer"] })] });
    const lead = await life.spawn("lead");
    for (let at = 0; at < delay; at++) await Promise.resolve();
    await life.control.rewind(lead, 0);
    await life.control.send(lead, "go");
    expect([delay, await life.outcome(lead)]).toEqual([delay, "answer"]);
    await quiet(world);
    expect([life.faults, life.head(lead).reservedUsd, life.coordinator.load.working]).toEqual([[], 0, 0]);
  }
});

test("what is no end of a message of the present conversation is refused", async () => {
  const { life, lead, boundaries } = await lived();
  const middle = (boundaries[1] ?? 0) + 1;
  for (const to of [middle, 10_000, -1, 1.5]) {
    await expect(life.control.rewind(lead, to)).rejects.toMatchObject({ code: "CHECKPOINT_NOT_FOUND" });
  }
  expect(life.status(lead)).toBe("completed");
});

test("a named checkpoint is a place to go back to, under a tool too", async () => {
  const world = new World();
  let place = 0;
  const tool = probe("work", {
    run: async (_, { agent }) => {
      if (place === 0) place = await life.control.checkpoint(agent, "mid-tool");
      return "ok";
    },
  });
  const life = await world.open({ models: [cast({ lead: [asks(["work"]), "done"] })], tools: [tool] });
  const lead = await life.spawn("lead", { tools: ["work"] });
  await life.outcome(lead);
  await life.control.rewind(lead, place);
  expect(await life.outcome(lead)).toBe("done");
  const results = await life.all(lead, "tool.ended");
  expect([results.map(({ outcome }) => outcome), tool.runs.length]).toEqual([["ok", "unknown"], 1]);
});

test("an agent below one that has ended is not rewound", async () => {
  const { life } = await lived();
  const child = life.at("lead/a");
  await expect(life.control.rewind(child, 0)).rejects.toMatchObject({ code: "PARENT_ENDED" });
});

test("a child that is rewound after its end ends again, and its parent hears of it", async () => {
  const world = new World();
  const model = cast({
    lead: [
      asks(spawn("a", "child")),
      asks(["wait_for_agents"]),
      asks(["wait_for_message"]),
      ({ news }) => news.join(" "),
    ],
    child: [({ asked }) => `answer ${asked.prompt.length}`],
  });
  const life = await world.open({ models: [model] });
  const lead = await life.spawn("lead");
  await life.until(() => life.head(lead).turns === 3);
  const child = life.at("lead/a");
  const [task] = (await life.state(child)).entries;
  await life.control.rewind(child, task?.seq ?? 0);
  expect(await life.outcome(lead)).toContain("[agent a completed]\nanswer 2");
});
