/** Tool calls: journaled before they run and when they end, and always with a result. */
import { expect, test } from "vitest";
import { BanyanError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { asks, cast, type Heard } from "../support/cast.ts";
import { type ProbeOptions, probe } from "../support/probe.ts";
import { quiet, World } from "../support/world.ts";

const heard = ({ news }: Heard) => `heard ${news.join(" | ")}`;

/** The result of one call of a tool that does as told, as the model hears it and as it is journaled. */
async function resultOf(options: ProbeOptions, advanceMs = 0) {
  const world = new World();
  const tool = probe("work", options);
  const life = await world.open({ models: [cast({ lead: [asks(["work"]), heard] })], tools: [tool] });
  const lead = await life.spawn("lead", { tools: ["work"] });
  await tool.started;
  world.clock.advance(advanceMs);
  const output = await life.outcome(lead);
  const [ended] = await life.all(lead, "tool.ended");
  expect(life.faults).toEqual([]);
  expect(world.clock.pending).toBe(0);
  return { output, ended, tool, world };
}

test("K1: a tool runs only after its start is durable, and calls of one turn run side by side", async () => {
  const world = new World();
  const disk = Promise.withResolvers<void>();
  const [one, two] = [probe("one", { stuck: true }), probe("two", { stuck: true })];
  const life = await world.open({
    models: [cast({ lead: [asks(["one"], ["two"])] })],
    tools: [one, two],
    commit: async ([append]) => {
      if (append?.records.some(({ type }) => type === "tool.started")) await disk.promise;
    },
  });
  const lead = await life.spawn("lead", { tools: ["one", "two"] });
  await quiet(world);
  expect([one.runs, two.runs]).toEqual([[], []]);
  disk.resolve();
  await Promise.all([one.started, two.started]);
  expect((await life.types(lead)).slice(-3)).toEqual(["turn.ended", "tool.started", "tool.started"]);
});

test("K3: a failure of any kind is a result, and short enough to be kept", async () => {
  const failing = (error: unknown): ProbeOptions => ({
    run: () => {
      throw error;
    },
  });
  expect((await resultOf(failing(new Error("no such file")))).output).toBe("heard TOOL_FAILED: no such file");
  expect((await resultOf(failing("just a text"))).output).toBe("heard TOOL_FAILED: just a text");
  expect((await resultOf(failing(undefined))).output).toBe("heard TOOL_FAILED: undefined");
  const { ended } = await resultOf(failing(new Error("ä".repeat(LIMITS.contentBytesMax))));
  expect(ended).toMatchObject({ outcome: "error", content: expect.stringMatching(/^TOOL_FAILED: ä+$/) });
});

test.each([
  ["nothing", undefined],
  ["a number", 5],
  ["no text", { meta: {} }],
  ["what is no JSON beside its text", { text: "ok", meta: { big: 1n } }],
  ["more beside its text than a record holds", { text: "ok", meta: { big: "x".repeat(LIMITS.recordBytesMax) } }],
  ["more bytes than a text may have", "€".repeat(LIMITS.contentBytesMax / 2)],
])("K3: a tool that answers with %s has failed", async (_, answer) => {
  const { ended } = await resultOf({ run: () => answer as string });
  expect(ended).toMatchObject({ outcome: "error", content: expect.any(String) });
});

test("K3: a tool that takes too long is told to stop, and its call ends whether it heeds that or not", async () => {
  const { output, tool } = await resultOf({ stuck: true, timeMsMax: 5_000 }, 5_000);
  expect(output).toBe("heard TIMED_OUT: work did not end within 5000 ms");
  expect(tool.signal?.aborted).toBe(true);
});

test("a long result goes to the blobs; the model sees its head and how to read on", async () => {
  const text = "line\n".repeat(10_000);
  const { output, ended, world } = await resultOf({ run: () => text });
  expect(output).toMatch(
    /^heard (line\n)+.*\[cut: 50000 bytes in total; read the rest with read_artifact ref=sha256:/s,
  );
  expect(ended?.content).toMatchObject({ bytes: text.length });
  expect([...world.blobs.values()].some((bytes) => bytes.length === text.length)).toBe(true);
});

test("what comes beside a result is journaled, and the model never sees it", async () => {
  const { output, ended } = await resultOf({ run: () => ({ text: "ok", meta: { exitCode: 3 } }) });
  expect([output, ended?.meta]).toEqual(["heard ok", { exitCode: 3 }]);
});

test("a tool that the agent was not given is none, though another agent has it", async () => {
  const world = new World();
  const tool = probe("work");
  const life = await world.open({ models: [cast({ lead: [asks(["work"], ["nonsense"]), heard] })], tools: [tool] });
  const lead = await life.spawn("lead", { tools: [] });
  expect(await life.outcome(lead)).toBe("heard There is no tool work. | There is no tool nonsense.");
  expect(tool.runs).toEqual([]);
});

test("input that a tool does not take is refused with the field's name, and the tool does not run", async () => {
  const world = new World();
  const life = await world.open({
    models: [cast({ lead: [asks(["spawn_agent", { name: 5 }], ["wait_for_agents", { names: "all" }]), heard] })],
  });
  expect(await life.outcome(await life.spawn("lead"))).toMatch(
    /^heard INPUT_INVALID: name: .* \| INPUT_INVALID: names: /,
  );
});

test("a tool that keeps working after its call was interrupted changes nothing more", async () => {
  const world = new World();
  const late = Promise.withResolvers<string>();
  const tool = probe("work", { run: () => late.promise });
  const life = await world.open({ models: [cast({ lead: [asks(["work"]), heard] })], tools: [tool] });
  const lead = await life.spawn("lead", { tools: ["work"] });
  await tool.started;
  await life.control.interrupt(lead);
  late.resolve("too late");
  await quiet(world);
  await life.control.resume(lead);
  expect(await life.outcome(lead)).toBe("heard Interrupted.");
});

test("256 calls in one turn all get results; one more is no answer that makes sense", async () => {
  const world = new World();
  const tool = probe("work");
  const calls = (count: number) => asks(...Array.from({ length: count }, () => ["work"] as const));
  const model = cast({
    lead: [calls(LIMITS.turnCallsMax), ({ news }) => `${news.length}`],
    much: [calls(LIMITS.turnCallsMax + 1)],
  });
  const life = await world.open({ models: [model], tools: [tool] });
  expect(await life.outcome(await life.spawn("lead", { tools: ["work"] }))).toBe("256");
  expect(await life.outcome(await life.spawn("much", { tools: ["work"] }))).toMatch(
    /^failed MODEL_GARBLED: .*257 tools at once/,
  );
  expect(tool.runs.length).toBe(LIMITS.turnCallsMax);
});

test("a store that fails while a result is kept loses no call: the agent goes on when the store does", async () => {
  const world = new World();
  let failing = false;
  const tool = probe("work", {
    run: () => {
      failing = true;
      return "x".repeat(LIMITS.inlineBytesMax + 1);
    },
  });
  const life = await world.open({ models: [cast({ lead: [asks(["work"]), "done"] })], tools: [tool] });
  const put = life.services.blobs.put.bind(life.services.blobs);
  life.services.blobs.put = async (content) => {
    if (failing) throw new BanyanError("DISK_FAILED", "no space");
    return put(content);
  };
  const lead = await life.spawn("lead", { tools: ["work"] });
  await tool.started;
  await quiet(world);
  expect(life.faults).toMatchObject([{ agent: lead, error: { code: "DISK_FAILED" } }]);
  failing = false;
  world.clock.advance(LIMITS.diskRetryMs);
  expect(await life.outcome(lead)).toBe("done");
  expect([(await life.all(lead, "tool.ended"))[0]?.outcome, tool.runs.length]).toEqual(["unknown", 1]);
});
