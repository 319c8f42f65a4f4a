/** Messages: delivered once, read before the next turn, and what they wake. */
import { expect, test } from "vitest";
import { LIMITS } from "../../src/base/limits.ts";
import { asks, cast } from "../support/cast.ts";
import { handFed, partsOf } from "../support/models.ts";
import { quiet, World } from "../support/world.ts";

const echo = cast({ lead: ({ news }) => `heard ${news.join(" ")}` });

test("a message that is sent mid-run is read with the next turn", async () => {
  const world = new World();
  const feed = handFed();
  const life = await world.open({ models: [cast({ lead: [() => feed.stream, ({ news }) => news.join(" ")] })] });
  const lead = await life.spawn("lead");
  await life.became(lead, "running");
  await life.control.send(lead, "mind the gap");
  feed.feed(...partsOf("first answer"));
  feed.close();
  expect(await life.outcome(lead)).toBe("mind the gap");
});

test("a message that is sent twice under one id is delivered once", async () => {
  const world = new World();
  const life = await world.open({ models: [echo] });
  const lead = await life.spawn("lead", { mode: "chat" });
  await life.became(lead, "waiting");
  await life.control.pause(lead);
  await Promise.all([life.control.send(lead, "one", { id: "x" }), life.control.send(lead, "one", { id: "x" })]);
  expect((await life.state(lead)).inbox.length).toBe(1);
  await life.control.resume(lead);
  await quiet(world);
  await life.control.send(lead, "one", { id: "x" });
  await quiet(world);
  expect(life.head(lead).turns).toBe(2);
});

test("messages that are delivered together are read in one turn, in order", async () => {
  const world = new World();
  const life = await world.open({ models: [echo] });
  const lead = await life.spawn("lead", { messages: [] });
  const from = { kind: "person" } as const;
  await life.control.deliver(
    lead,
    ["a", "b", "c"].map((text) => ({ from, text })),
  );
  expect(await life.outcome(lead)).toBe("heard a b c");
});

test("a message to an agent that has completed has it go on, and its parent hears the new end", async () => {
  const world = new World();
  const spawn = ["spawn_agent", { name: "child", task: "go", instructions: "child" }] as const;
  const model = cast({
    lead: [asks(spawn), asks(["wait_for_agents"]), asks(["wait_for_message"]), ({ news }) => `then ${news.join(" ")}`],
    child: ["first answer", ({ news }) => `second answer to ${news.join(" ")}`],
  });
  const life = await world.open({ models: [model] });
  const lead = await life.spawn("lead");
  await life.until(() => life.head(lead).turns === 3);
  const child = life.at("lead/child");
  expect(life.status(child)).toBe("completed");
  await life.control.send(child, "once more");
  expect(await life.outcome(lead)).toBe(
    "then A message has come; it follows. [agent child completed]\nsecond answer to once more",
  );
  expect(await life.types(child)).toContain("agent.revived");
  expect((await life.all(lead, "child.ended")).length).toBe(2);
});

test("an agent that failed goes on when it is sent a message; one that was cancelled does not", async () => {
  const world = new World();
  const life = await world.open({ models: [cast({ lead: [], other: ["done"] })] });
  const failed = await life.spawn("lead");
  expect(await life.outcome(failed)).toContain("MODEL_FAILED");
  await life.control.send(failed, "again");
  await life.until(() => life.head(failed).status === "failed" && life.head(failed).error !== null);
  expect((await life.all(failed, "agent.failed")).length).toBe(2);
  const cancelled = await life.spawn("other", { messages: [] });
  await life.control.cancel(cancelled);
  await expect(life.control.send(cancelled, "hello")).rejects.toMatchObject({ code: "AGENT_CANCELLED" });
});

test("nobody can be sent a message below an agent that has ended", async () => {
  const world = new World();
  const life = await world.open({ models: [echo] });
  const lead = await life.spawn("lead", { mode: "chat" });
  const child = await life.spawnChild(lead, "lead");
  await life.outcome(child);
  await life.control.cancel(lead);
  await expect(life.control.send(child, "hello")).rejects.toMatchObject({ code: "PARENT_ENDED" });
  expect(life.status(child)).toBe("completed");
});

test("a message of 10 MB arrives whole, and one over the limit is refused", async () => {
  const world = new World();
  const life = await world.open({ models: [cast({ lead: ({ news }) => `${news.join("").length}` })] });
  const lead = await life.spawn("lead", { messages: [] });
  await expect(life.control.send(lead, "x".repeat(LIMITS.contentBytesMax + 1))).rejects.toMatchObject({
    code: "CONTENT_TOO_LARGE",
  });
  const text = "ä".repeat(5 * 1024 * 1024);
  await life.control.send(lead, text);
  expect(await life.outcome(lead)).toBe(String(text.length));
  expect([...world.blobs.values()].some((bytes) => bytes.length === 10 * 1024 * 1024)).toBe(true);
});

test("what a message was sent with is refused when it cannot be kept", async () => {
  const world = new World();
  const life = await world.open({ models: [echo] });
  const lead = await life.spawn("lead", { mode: "chat" });
  for (const id of ["", "x".repeat(257)]) {
    await expect(life.control.send(lead, "hello", { id })).rejects.toMatchObject({ code: "INPUT_INVALID" });
  }
  await expect(life.control.send("nobody", "hello")).rejects.toMatchObject({ code: "AGENT_NOT_FOUND" });
});
