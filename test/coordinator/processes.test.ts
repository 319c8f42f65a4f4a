/** Background processes of agents: P1 to P3, over programs in memory. */
import { describe, expect, test } from "vitest";
import type { Json } from "../../src/agent/content.ts";
import type { AgentId } from "../../src/base/ids.ts";
import { cast, type Parts } from "../support/cast.ts";
import { TestLaunch } from "../support/launches.ts";
import { type Life, type OpenOptions, quiet, World } from "../support/world.ts";

const RIGHTS = { commands: true, spawn: true };
let calls = 0;
const call = (name: string, input: Json) => ({ calls: [{ id: `call-${++calls}`, name, input }] });
const start = (name: string, more: object = {}) => call("start_process", { name, argv: ["serve"], ...more });
/** Starts a server, says so, and then answers whatever comes. */
const starter = (more: object = {}) => [start("server", more), "started", "heard", "heard again", "and again"];

interface Stage {
  world: World;
  launch: TestLaunch;
  life: Life;
  lead: AgentId;
}

/** A chat agent that has started a server and rests. */
async function stage(parts: Parts, more: OpenOptions = {}): Promise<Stage> {
  const world = new World();
  const launch = new TestLaunch();
  const life = await world.open({ models: [cast(parts)], launch, ...more });
  const lead = await life.spawn("lead", { mode: "chat", rights: RIGHTS });
  await quiet(world);
  return { world, launch, life, lead };
}

/** Another process of the runtime on the same data. */
async function reopen({ world }: Stage, parts: Parts): Promise<{ life: Life; launch: TestLaunch }> {
  const launch = new TestLaunch();
  const life = await world.open({ models: [cast(parts)], launch });
  await quiet(world);
  return { life, launch };
}

const textsOf = async (life: Life, agent: AgentId) =>
  (await life.all(agent, "message.received")).map(({ content }) => content).slice(1);

describe("a process and its agent", () => {
  test("is started, journaled, listed; its end wakes the agent with a message", async () => {
    const { world, launch, life, lead } = await stage({ lead: starter() });
    expect(launch.last.program).toMatchObject({ argv: ["serve"], cwd: ".", rights: RIGHTS });
    expect(await life.coordinator.processes(lead)).toMatchObject([
      { name: "server", phase: "running", pid: 1_000, ready: true, restarts: 0 },
    ]);
    launch.last.say("12 bytes out");
    launch.last.exit(2);
    await quiet(world);
    expect(await textsOf(life, lead)).toEqual([
      "The process server ended: exit 2. It put out 12 bytes; process_output shows them.",
    ]);
    expect(await life.coordinator.processes(lead)).toMatchObject([{ phase: "ended", end: "exit 2", bytes: 12 }]);
    expect(life.head(lead)).toMatchObject({ status: "waiting", turns: 3, processes: 0 });
  });

  test("an agent without the right to run commands starts none", async () => {
    const world = new World();
    const launch = new TestLaunch();
    const life = await world.open({ models: [cast({ lead: starter() })], launch });
    const lead = await life.spawn("lead", { mode: "chat" });
    await quiet(world);
    expect((await life.all(lead, "tool.ended"))[0]?.content).toMatch(/^COMMAND_REFUSED: /);
    expect(launch.launched).toEqual([]);
  });

  test("a runtime that starts none says so", async () => {
    const world = new World();
    const life = await world.open({ models: [cast({ lead: starter() })] });
    const lead = await life.spawn("lead", { mode: "chat", rights: RIGHTS });
    await quiet(world);
    expect((await life.all(lead, "tool.ended"))[0]?.content).toMatch(/^PROCESSES_NONE: /);
  });

  test("waiting for one costs no slot, and its end is the result", async () => {
    const { world, launch, life, lead } = await stage({
      lead: [start("build"), call("wait_for_process", { name: "build" }), "done"],
    });
    expect(life.head(lead)).toMatchObject({ status: "waiting", waitingFor: "process" });
    expect(life.coordinator.load.working).toBe(0);
    launch.last.exit(0);
    await quiet(world);
    expect((await life.all(lead, "tool.ended")).at(-1)?.content).toBe("build ended: exit 0");
    expect(life.head(lead)).toMatchObject({ status: "waiting", waitingFor: "message", turns: 3 });
  });

  test("output, input and stopping are tools", async () => {
    const output = call("process_output", { name: "server", pattern: "b" });
    const { world, launch, life, lead } = await stage({
      lead: [
        start("server"),
        call("send_input", { name: "server", text: "hello\n" }),
        "rest",
        output,
        call("stop_process", { name: "server", graceMs: 0 }),
        call("process_output", { name: "server", lines: 1 }),
        call("list_processes", {}),
        "done",
      ],
    });
    expect(launch.last.input).toEqual(["hello\n"]);
    launch.last.say("a\nb\nc\nbb\n");
    await life.control.send(lead, "look");
    await quiet(world);
    const results = (await life.all(lead, "tool.ended")).map(({ content }) => content);
    expect(results.slice(2)).toEqual([
      "server running (pid 1000, ready), 9 bytes put out\n2 lines, of 4 lines at hand\n2: b\n4: bb",
      "server ended (stopped (you stopped it)): serve",
      expect.stringMatching(/^server ended .*, 9 bytes put out, all of them sha256:.*\n1 lines, of 4 .*\n4: bb$/),
      "1 processes\nserver ended (stopped (you stopped it)): serve",
    ]);
  });

  test("output of an earlier host is read from the store", async () => {
    const parts = {
      lead: [start("server"), "rest", "heard", call("process_output", { name: "server" }), "done"],
    };
    const first = await stage(parts);
    first.launch.last.say("one\ntwo\n");
    first.launch.last.exit(0);
    await quiet(first.world);
    await first.life.stop();
    const { life } = await reopen(first, parts);
    await life.control.send(first.lead, "look");
    await quiet(first.world);
    expect((await life.all(first.lead, "tool.ended")).at(-1)?.content).toMatch(/\n2 lines, of 2 .*\n1: one\n2: two$/);
  });
});

describe("P5: what a run put out", () => {
  const server = "server.output";

  test("is an artifact that the agent and people read by its name, in lines, without what is secret", async () => {
    const read = call("read_artifact", { name: server, offset: 2, limit: 1 });
    const { world, launch, life, lead } = await stage({ lead: [start("server"), "rest", read, "done"] });
    launch.last.say("one\ntwo\nthree\n");
    launch.last.exit(0);
    await quiet(world);
    const [process] = await life.coordinator.processes(lead);
    const [started] = await life.all(lead, "process.started");
    expect(await life.all(lead, "artifact.written")).toMatchObject([
      { artifact: { name: server, bytes: 14 }, process: process?.id, callId: started?.callId },
    ]);
    const results = (await life.all(lead, "tool.ended")).map(({ content }) => content);
    expect(results.at(-1)).toBe(`${server}: lines 2-2 of 3, 14 bytes\ntwo`);
  });

  test("of an agent that is cancelled is kept too; a fork has none of it", async () => {
    const { launch, life, lead } = await stage({ lead: starter() });
    launch.last.say("so far");
    await life.control.cancel(lead);
    expect(life.head(lead)).toMatchObject({ status: "cancelled", artifacts: [{ name: server, bytes: 6 }] });
    const fork = await life.coordinator.fork(lead);
    expect(life.head(fork).artifacts).toEqual([]);
  });

  test("that its tree has no room for has no name, and its end says where it is", async () => {
    const { world, launch, life, lead } = await stage({ lead: starter() }, { treeArtifactBytesMax: 5 });
    launch.last.say("too long");
    launch.last.exit(0);
    await quiet(world);
    expect(life.head(lead).artifacts).toEqual([]);
    expect(await life.all(lead, "process.ended")).toMatchObject([{ output: { bytes: 8 } }]);
  });
});

describe("P1: the end of the agent", () => {
  const family: Parts = { lead: starter(), child: starter() };

  async function withChild() {
    const staged = await stage(family);
    const child = await staged.life.spawnChild(staged.lead, "child", { mode: "chat", rights: RIGHTS });
    await quiet(staged.world);
    expect(staged.launch.running).toHaveLength(2);
    return { ...staged, child };
  }

  test("once a cancel is acknowledged, none of the subtree runs and each end is journaled", async () => {
    const { life, launch, lead, child } = await withChild();
    await life.control.cancel(lead);
    expect(launch.running).toEqual([]);
    for (const agent of [lead, child]) {
      expect((await life.all(agent, "process.ended"))[0]).toMatchObject({ how: "stopped", why: "its agent ended" });
      expect(life.head(agent)).toMatchObject({ status: "cancelled", processes: 0 });
      expect(await textsOf(life, agent)).toEqual([]);
    }
  });

  test("an agent that completes leaves none", async () => {
    const world = new World();
    const launch = new TestLaunch();
    const life = await world.open({ models: [cast({ lead: starter() })], launch });
    const lead = await life.spawn("lead", { rights: RIGHTS });
    expect(await life.outcome(lead)).toBe("started");
    await quiet(world);
    expect(launch.running).toEqual([]);
    expect(life.head(lead)).toMatchObject({ status: "completed", processes: 0 });
  });

  test("one that is being launched when its agent is cancelled never begins", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const launch = new TestLaunch();
    launch.hold = () => promise;
    const world = new World();
    const life = await world.open({ models: [cast(family)], launch });
    const lead = await life.spawn("lead", { mode: "chat", rights: RIGHTS });
    await quiet(world);
    const cancelled = life.control.cancel(lead);
    await quiet(world);
    resolve();
    await cancelled;
    await quiet(world);
    expect(launch.last).toMatchObject({ went: false, isCleared: true });
    expect(life.head(lead).processes ?? 0).toBe(0);
  });

  test("a hold stops none, and an end is told when it is released", async () => {
    const { world, life, launch, lead } = await stage(family);
    await life.control.pause(lead);
    await quiet(world);
    expect(launch.running).toHaveLength(1);
    launch.last.exit(0);
    await quiet(world);
    expect(life.head(lead).turns).toBe(2);
    await life.control.resume(lead);
    await quiet(world);
    expect(life.head(lead).turns).toBe(3);
  });

  test("a rewind to before its start stops it, and one to after it does not", async () => {
    const { world, life, launch, lead } = await stage({ lead: [start("server"), "started", start("other"), "two"] });
    const entries = [...(await life.state(lead)).entries];
    await life.control.send(lead, "go on");
    await quiet(world);
    expect(launch.running).toHaveLength(2);
    await life.control.pause(lead);
    await life.control.rewind(lead, entries.at(-1)?.seq ?? 0);
    await quiet(world);
    expect(launch.running).toHaveLength(1);
    expect(await life.coordinator.processes(lead)).toMatchObject([{ name: "server", phase: "running" }]);
    await life.control.rewind(lead, 0);
    await quiet(world);
    expect(launch.running).toEqual([]);
    expect(life.head(lead).processes).toBe(0);
  });

  test("a fork has none of them", async () => {
    const { world, life, launch, lead } = await stage({ lead: starter() });
    const fork = await life.coordinator.fork(lead);
    await quiet(world);
    expect(await life.coordinator.processes(fork)).toEqual([]);
    await life.control.cancel(fork);
    expect(launch.running).toHaveLength(1);
  });
});

describe("P2: with the host", () => {
  const parts: Parts = { lead: starter({ restart: "always" }) };

  test("a crash: what was recorded is reaped before anything else, and started again if it is to be", async () => {
    const first = await stage(parts);
    const { life, launch } = await reopen(first, parts);
    expect(launch).toMatchObject({ sweeps: 1, reaped: [1_000] });
    first.world.clock.advance(1);
    await quiet(first.world);
    expect((await life.types(first.lead)).slice(-2)).toEqual(["process.ended", "process.restarted"]);
    expect(launch.running).toHaveLength(1);
    expect(await life.coordinator.processes(first.lead)).toMatchObject([
      { phase: "running", restarts: 1, end: "ended with the runtime" },
    ]);
    expect(await textsOf(life, first.lead)).toEqual([]);
  });

  test("a crash: one that is not to be started again is told of", async () => {
    const once: Parts = { lead: starter() };
    const first = await stage(once);
    const { life, launch } = await reopen(first, once);
    expect(await textsOf(life, first.lead)).toEqual([
      "The process server ended: ended with the runtime. It put out nothing.",
    ]);
    expect(launch.running).toEqual([]);
  });

  test("a stop: nothing runs once it has resolved, and what is to go on does so at the next start", async () => {
    const first = await stage(parts);
    await first.life.stop();
    expect(first.launch).toMatchObject({ running: [], closed: true });
    const { life, launch } = await reopen(first, parts);
    first.world.clock.advance(1);
    await quiet(first.world);
    expect(launch).toMatchObject({ reaped: [] });
    expect(launch.running).toHaveLength(1);
    expect((await life.all(first.lead, "process.ended")).map(({ how }) => how)).toEqual(["lost"]);
  });

  test("an agent that was cancelled while nobody ran it starts nothing again", async () => {
    const first = await stage(parts);
    await first.life.stop();
    const closed = await first.world.open({ work: false });
    await closed.control.cancel(first.lead);
    await closed.stop();
    const { life, launch } = await reopen(first, parts);
    expect(launch.launched).toEqual([]);
    expect(life.head(first.lead)).toMatchObject({ status: "cancelled", processes: 0 });
  });
});

test("P3: a process that is given up is told to its agent and to that one's parent", async () => {
  const { world, launch, life, lead } = await stage({
    lead: ["resting", "heard"],
    child: starter({ restart: "onFailure", restartsMax: 1 }),
  });
  const child = await life.spawnChild(lead, "child", { mode: "chat", rights: RIGHTS });
  await quiet(world);
  for (let run = 0; run < 2; run++) {
    launch.last.exit(1);
    await quiet(world);
    world.clock.advance(1_000);
    await quiet(world);
  }
  const told = "The process server ended: exit 1. It was started again too often and is given up. It put out nothing.";
  expect(await textsOf(life, child)).toEqual([told]);
  expect((await life.all(lead, "message.received")).at(-1)).toMatchObject({
    from: { kind: "agent", id: child, name: "child" },
    content: told,
  });
});
