/** Opening again: after a crash at every single append, after a stop, with damaged agents, without models and tools. */
import { expect, test } from "vitest";
import { BanyanError } from "../../src/base/errors.ts";
import type { AgentId } from "../../src/base/ids.ts";
import { asks, cast } from "../support/cast.ts";
import { intercept } from "../support/journals.ts";
import { handFed } from "../support/models.ts";
import { probe } from "../support/probe.ts";
import { type Life, quiet, World } from "../support/world.ts";

const spawn = (name: string, part = name) => ["spawn_agent", { name, task: "go", instructions: part }] as const;

/** Everything at once: two levels, tools of both policies, an artifact, a message, a wait. Its answer says what came of it. */
function job() {
  const told = ({ news }: { news: readonly string[] }) =>
    news.map((each) => each.replace(/sha256:\w+/g, "#")).join(" | ");
  const model = cast({
    lead: [
      asks(spawn("a", "worker"), spawn("b", "worker")),
      asks(["wait_for_agents"], ["report_tool"]),
      ({ news }) => `lead: ${news[0]}`,
    ],
    worker: [
      asks(spawn("leaf"), ["rerun_tool"], ["write_artifact", { name: "notes", content: "found" }]),
      asks(["send_message", { to: "leaf", message: "hurry" }], ["wait_for_agents"]),
      (heard) => `worker: ${told(heard).includes("leaf is done") ? "leaf is done" : told(heard)}`,
    ],
    leaf: [asks(["report_tool"]), "leaf is done", "leaf is done", "leaf is done"],
  });
  const tools = [probe("report_tool"), probe("rerun_tool", { policy: "rerun" })] as const;
  return { model, tools };
}

const TOOLS = ["spawn_agent", "wait_for_agents", "send_message", "write_artifact", "report_tool", "rerun_tool"];

async function whole(): Promise<{ answer: string; appends: number }> {
  const world = new World();
  let appends = 0;
  const { model, tools } = job();
  const life = await world.open({ models: [model], tools, commit: async () => void appends++ });
  const lead = await life.spawn("lead", { tools: TOOLS });
  const answer = await life.outcome(lead);
  await quiet(world);
  return { answer, appends };
}

test("K2, O2, X2: after a crash at every append the same answer is reached, and no tool that reports ran twice", async () => {
  const { answer, appends } = await whole();
  expect(answer).toContain("worker: leaf is done");
  for (let last = 1; last <= appends; last++) {
    const world = new World();
    const { model, tools } = job();
    const dies = Promise.withResolvers<void>();
    let count = 0;
    const first = await world.open({
      models: [model],
      tools,
      commit: async () => {
        if (++count <= last) return;
        dies.resolve();
        await new Promise<never>(() => undefined);
      },
    });
    const spawned = first.spawn("lead", { tools: TOOLS });
    await Promise.race([dies.promise, spawned.then((agent) => first.coordinator.ended(agent))]);
    await quiet(world);
    const life = await world.open({ models: [model], tools });
    const [root] = life.coordinator.forest.roots();
    expect([last, await life.outcome(root?.head.agent ?? "")]).toEqual([last, answer]);
    await quiet(world);
    const runs = tools[0].runs;
    expect([last, runs.length - new Set(runs).size, life.faults]).toEqual([last, 0, []]);
    expect([...life.coordinator.forest.nodes()].filter(({ head }) => head.status !== "completed")).toEqual([]);
    await expectOneView(life);
  }
}, 120_000);

/** Invariant 3: what is in memory is what the journal folds to. */
async function expectOneView(life: Life) {
  for (const { head } of life.coordinator.forest.nodes()) {
    const folded = (await life.coordinator.state(head.agent, head.seq)).head;
    expect({ ...folded, output: null }).toEqual({ ...head, output: null });
    expect(await life.coordinator.output(head.agent)).toEqual(folded.output);
  }
}

test("O2: after a stop at every append the same answer is reached", async () => {
  const { answer, appends } = await whole();
  for (let last = 1; last < appends; last += 2) {
    const world = new World();
    const { model, tools } = job();
    const reached = Promise.withResolvers<void>();
    let count = 0;
    const commit = async () => {
      if (++count === last) reached.resolve();
    };
    const first = await world.open({ models: [model], tools, commit });
    const lead = await first.spawn("lead", { tools: TOOLS });
    await Promise.race([reached.promise, first.coordinator.ended(lead)]);
    await Promise.all([first.stop(), first.stop()]);
    const still = world.store.order.length;
    await quiet(world);
    expect([world.store.order.length, first.faults, world.clock.pending]).toEqual([still, [], 0]);
    const life = await world.open({ models: [model], tools });
    expect([last, await life.outcome(lead)]).toEqual([last, answer]);
    expect(tools[0].runs.length).toBe(new Set(tools[0].runs).size);
  }
}, 60_000);

test("a stop ends calls and tools in flight at once, and refuses what comes after", async () => {
  const world = new World();
  const feed = handFed();
  const tool = probe("work", { stuck: true });
  const model = cast({ talker: () => feed.stream, worker: [asks(["work"])] });
  const life = await world.open({ models: [model], tools: [tool] });
  const talker = await life.spawn("talker");
  await life.spawn("worker", { tools: ["work"] });
  const waits = life.coordinator.ended(talker).catch((error) => error.code);
  await tool.started;
  await life.became(talker, "running");
  await life.stop();
  await feed.cancelled;
  expect([tool.signal?.aborted, await waits]).toEqual([true, "SHUTTING_DOWN"]);
  await expect(life.spawn("talker")).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
  await expect(life.coordinator.fork(talker)).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
});

/** A process that dies with a stuck call of a tool that has this policy; then one in which the tool works. */
async function diedInTool(policy: "rerun" | "report" | "ask") {
  const world = new World();
  const stuck = probe("work", { policy, stuck: true });
  const model = cast({ lead: [asks(["work"]), ({ news }) => `heard ${news.join(" ")}`] });
  const first = await world.open({ models: [model], tools: [stuck] });
  const lead = await first.spawn("lead", { tools: ["work"] });
  await stuck.started;
  const tool = probe("work", { policy });
  const life = await world.open({ models: [model], tools: [tool] });
  return { world, life, lead, tool, model };
}

test("K2: a tool that is safe to repeat runs again", async () => {
  const { life, lead, tool } = await diedInTool("rerun");
  expect([await life.outcome(lead), tool.runs.length]).toEqual(["heard ok", 1]);
});

test("K2: a tool that reports does not; the model is told", async () => {
  const { life, lead, tool } = await diedInTool("report");
  expect(await life.outcome(lead)).toBe("heard work was running when the runtime stopped: its outcome is unknown.");
  expect([tool.runs, (await life.all(lead, "tool.ended"))[0]?.outcome]).toEqual([[], "unknown"]);
});

test("K2: a tool that asks waits for a person, and does what that person says", async () => {
  for (const [decision, answer, runs] of [
    ["rerun", "heard ok", 1],
    ["report", "heard Interrupted: the runtime stopped while this ran, so its outcome is unknown.", 0],
  ] as const) {
    const { world, life, lead, tool, model } = await diedInTool("ask");
    await life.until(() => life.head(lead).waitingFor === "approval");
    await quiet(world);
    expect([tool.runs, life.coordinator.load.working]).toEqual([[], 0]);
    const [{ callId } = { callId: "" }] = await life.all(lead, "tool.asked");
    const later = await world.open({ models: [model], tools: [tool] });
    await expect(later.control.answer(lead, "other", decision)).rejects.toMatchObject({ code: "CALL_NOT_FOUND" });
    await later.control.answer(lead, callId, decision);
    expect([await later.outcome(lead), tool.runs.length]).toEqual([answer, runs]);
    await expect(later.control.answer(lead, callId, decision)).rejects.toMatchObject({ code: "AGENT_ENDED" });
  }
});

test("O2: the process died after an end and before its consequences: orphans are cancelled, the parent is told", async () => {
  const world = new World();
  const model = cast({
    top: [asks(spawn("mid")), asks(["wait_for_agents"]), ({ news }) => news.join(" ")],
    mid: [asks(spawn("low")), asks(["wait_for_agents"])],
    low: () => handFed().stream,
  });
  let dead = false;
  const first = await world.open({
    models: [model],
    commit: async ([append]) => {
      if (dead) await new Promise<never>(() => undefined);
      dead = append?.records.some(({ type }) => type === "agent.cancelled") ?? false;
    },
  });
  const top = await first.spawn("top");
  await first.until(() => first.coordinator.forest.size === 3 && first.status(top) === "waiting");
  void first.control.cancel(first.at("top/mid"));
  await quiet(world);
  const life = await world.open({ models: [model] });
  expect(JSON.parse(await life.outcome(top))).toMatchObject([{ name: "mid", status: "cancelled" }]);
  expect([...life.coordinator.forest.subtree(life.at("top/mid"))].map(({ head }) => head.status)).toEqual([
    "cancelled",
    "cancelled",
  ]);
});

test("O2: the process died after a rewind and before the children that it cut were cancelled", async () => {
  const world = new World();
  const model = cast({ top: [asks(spawn("low")), asks(["wait_for_agents"])], low: () => handFed().stream });
  let dead = false;
  const first = await world.open({
    models: [model],
    commit: async ([append]) => {
      if (dead) await new Promise<never>(() => undefined);
      dead = append?.records.some(({ type }) => type === "agent.rewound") ?? false;
    },
  });
  const top = await first.spawn("top");
  await first.until(() => first.coordinator.forest.size === 2 && first.status(top) === "waiting");
  const low = first.at("top/low");
  void first.control.rewind(top, 0);
  await quiet(world);
  const later = cast({ top: ["started over"], low: ["ran on"] });
  const life = await world.open({ models: [later] });
  await quiet(world);
  expect([life.head(low).status, later.asked.length]).toEqual(["cancelled", 0]);
  await life.control.send(top, "go");
  expect([await life.outcome(top), life.faults]).toEqual(["started over", []]);
});

test("O2: the process died after a child went on and before its parent was told of that", async () => {
  const world = new World();
  const parts = {
    top: [
      asks(spawn("low")),
      asks(["wait_for_agents"]),
      asks(["wait_for_message"]),
      ({ news }: { news: readonly string[] }) => news.join(" "),
    ],
    low: ["first", "second"],
  };
  let dead = false;
  const first = await world.open({
    models: [cast(parts)],
    commit: async ([append]) => {
      if (dead) await new Promise<never>(() => undefined);
      dead = append?.records.some(({ type }) => type === "agent.revived") ?? false;
    },
  });
  const top = await first.spawn("top");
  await first.until(() => first.head(top).turns === 3);
  const low = first.at("top/low");
  void first.control.send(low, "again");
  await quiet(world);
  const feed = handFed();
  const life = await world.open({ models: [cast({ ...parts, low: [asks(), () => feed.stream] })] });
  await life.until(() => life.head(top).childrenLive === 1);
  expect(await life.types(top)).toContain("child.revived");
  await life.control.cancel(low);
  expect(await life.outcome(top)).toContain("[agent low cancelled]");
});

test("an agent whose model is not registered waits, and goes on when it is", async () => {
  const world = new World();
  const first = await world.open();
  const lead = await first.spawn("lead");
  await quiet(world);
  expect([first.head(lead).status, first.faults, first.coordinator.load.working]).toEqual(["queued", [], 0]);
  const life = await world.open();
  await quiet(world);
  life.driver.register(cast({ lead: ["done"] }));
  life.coordinator.modelsChanged();
  expect(await life.outcome(lead)).toBe("done");
});

test("an agent one of whose tools is not registered waits until it is", async () => {
  const world = new World();
  const model = cast({ lead: [asks(["work"]), "done"] });
  const stuck = probe("work", { policy: "rerun", stuck: true });
  const first = await world.open({ models: [model], tools: [stuck] });
  const lead = await first.spawn("lead", { tools: ["work"] });
  await stuck.started;
  const life = await world.open({ models: [model] });
  await quiet(world);
  expect([life.head(lead).status, life.faults]).toEqual(["running", []]);
  life.services.tools.register(probe("work", { policy: "rerun" }));
  life.coordinator.modelsChanged();
  expect(await life.outcome(lead)).toBe("done");
});

test("O1: opening reads no record of an agent that rests", async () => {
  const world = new World();
  const first = await world.open({ models: [cast({ lead: ["ready"], done: ["done"] })] });
  const [chat, done] = [await first.spawn("lead", { mode: "chat" }), await first.spawn("done")];
  await first.outcome(done);
  await first.became(chat, "waiting");
  await quiet(world);
  const read: AgentId[] = [];
  const around = (journal: Parameters<typeof intercept>[0]) =>
    intercept(journal, { beforeRead: async (agent) => void read.push(agent) });
  const life = await world.open({ around });
  await quiet(world);
  expect([read, life.recovery.agents]).toEqual([[], 2]);
});

test("O3: a damaged agent is named and left alone; the others go on", async () => {
  const world = new World();
  const first = await world.open();
  const [bad, good] = [await first.spawn("lead"), await first.spawn("lead")];
  const child = await first.spawnChild(bad, "lead");
  world.store.logs.get(bad)?.records.splice(0);
  const around = (journal: Parameters<typeof intercept>[0]) =>
    intercept(journal, {
      beforeRead: async (agent) => {
        if (agent === bad) throw new BanyanError("JOURNAL_DAMAGED", "event 1 does not match its checksum", { agent });
      },
    });
  const life = await world.open({ models: [cast({ lead: ["done"] })], around });
  expect(life.recovery.damaged).toMatchObject([{ agent: bad, error: { code: "JOURNAL_DAMAGED" } }]);
  expect(await life.outcome(good)).toBe("done");
  await expect(life.control.send(bad, "hello")).rejects.toMatchObject({ code: "AGENT_NOT_FOUND" });
  expect(life.coordinator.forest.get(child)).toBeUndefined();
});

test("without work commands are journaled, and carried out by the process that opens next", async () => {
  const world = new World();
  const model = cast({ lead: ["done"], other: () => handFed().stream });
  const first = await world.open({ models: [model] });
  const other = await first.spawn("other");
  await first.became(other, "running");
  const idle = await world.open({ models: [model], work: false });
  const lead = await idle.spawn("lead");
  await idle.control.cancel(other);
  await quiet(world);
  expect([idle.head(lead).status, idle.head(other).status, model.asked.length]).toEqual(["queued", "cancelled", 1]);
  const life = await world.open({ models: [model] });
  expect([await life.outcome(lead), await life.outcome(other)]).toEqual(["done", "cancelled"]);
});
