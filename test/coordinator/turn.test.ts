/** Model calls: what is tried again, when, how often, and what an answer may not be. */
import { APICallError } from "@ai-sdk/provider";
import { expect, test } from "vitest";
import { LIMITS } from "../../src/base/limits.ts";
import { asks, cast } from "../support/cast.ts";
import type { Reply } from "../support/models.ts";
import { quiet, World } from "../support/world.ts";

function refusal(statusCode: number, responseHeaders: Record<string, string> = {}): Error {
  return new APICallError({ message: "no", url: "", requestBodyValues: {}, statusCode, responseHeaders });
}

/** A lead whose model replies with these, one call after the other, whatever it is asked. */
async function calling(...replies: readonly Reply[]) {
  const world = new World();
  const left = [...replies];
  const model = cast({ lead: () => left.shift() ?? new Error("no more replies") });
  const life = await world.open({ models: [model] });
  const lead = await life.spawn("lead");
  await quiet(world);
  return { world, life, lead, left };
}

test("a rate limit puts the call off for as long as the provider says", async () => {
  const { world, life, lead, left } = await calling(refusal(429, { "retry-after": "7" }), "done");
  expect(life.head(lead)).toMatchObject({ status: "waiting", waitingFor: "rateLimit", reservedUsd: 0 });
  expect(life.coordinator.load.working).toBe(0);
  world.clock.advance(6_999);
  await quiet(world);
  expect(left.length).toBe(1);
  world.clock.advance(1);
  expect(await life.outcome(lead)).toBe("done");
  expect((await life.all(lead, "turn.started")).map(({ attempt }) => attempt)).toEqual([1, 2]);
  expect(world.clock.pending).toBe(0);
});

test("being put off does not count as an attempt, and outlives the process", async () => {
  const { world, life, lead } = await calling(...Array(20).fill(refusal(529, { "retry-after": "1" })));
  for (let time = 0; time < 19; time++) {
    world.clock.advance(LIMITS.retryMsMax);
    await quiet(world);
  }
  expect([life.head(lead).status, (await life.all(lead, "turn.failed")).length]).toEqual(["waiting", 20]);
  const model = cast({ lead: ["done"] });
  const later = await world.open({ models: [model] });
  await quiet(world);
  expect(model.asked).toEqual([]);
  world.clock.advance(1_000);
  expect(await later.outcome(lead)).toBe("done");
});

test("a call that breaks off is tried again, later each time, and gives up after six attempts", async () => {
  const { world, life, lead } = await calling(...Array(6).fill(new Error("connection reset")));
  const waits: number[] = [];
  for (let waitMs = world.clock.untilNext(); waitMs !== undefined; waitMs = world.clock.untilNext()) {
    waits.push(waitMs);
    world.clock.advance(waitMs);
    await quiet(world);
  }
  expect(await life.outcome(lead)).toMatch(/^failed MODEL_GARBLED: .*connection reset/);
  expect(waits.length).toBe(LIMITS.turnAttemptsMax - 1);
  waits.forEach((waitMs, index) => {
    expect(waitMs).toBeGreaterThanOrEqual(LIMITS.retryMsMin);
    expect(waitMs).toBeLessThanOrEqual(LIMITS.retryMsMin * 2 ** (index + 1));
  });
});

test("what the provider refuses for good fails the agent at once", async () => {
  const { life, lead, world } = await calling(refusal(401));
  expect(await life.outcome(lead)).toMatch(/^failed MODEL_FAILED: 401/);
  expect(world.clock.pending).toBe(0);
});

test("an agent that is cancelled or held while it waits for a retry keeps no timer that wakes it", async () => {
  const { world, life, lead } = await calling(refusal(429, { "retry-after": "60" }), "done");
  await life.control.pause(lead);
  world.clock.advance(60_000);
  await quiet(world);
  expect([life.status(lead), life.head(lead).turns, world.clock.pending]).toEqual(["held", 0, 0]);
  await life.control.resume(lead);
  expect(await life.outcome(lead)).toBe("done");
  const other = await calling(refusal(429, { "retry-after": "60" }));
  await other.life.control.cancel(other.lead);
  expect(other.world.clock.pending).toBe(0);
});

test("a message does not cut a wait for the provider short", async () => {
  const { world, life, lead, left } = await calling(refusal(429, { "retry-after": "60" }), "done");
  await life.control.send(lead, "hurry");
  await quiet(world);
  expect(left.length).toBe(1);
  world.clock.advance(60_000);
  expect(await life.outcome(lead)).toBe("done");
});

test("an answer over the limit of one text, or with two calls of one id, is none", async () => {
  const delta = "x".repeat(LIMITS.contentBytesMax / 8);
  const parts = Array.from({ length: 9 }, () => ({ type: "text-delta" as const, id: "1", delta }));
  const huge = await calling([{ type: "text-start", id: "1" }, ...parts]);
  expect((await huge.life.all(huge.lead, "turn.failed"))[0]?.error.message).toContain("over the limit");
  const call = { id: "same", name: "wait_for_agents", input: {} };
  const twice = await calling({ calls: [call, call] });
  expect((await twice.life.all(twice.lead, "turn.failed"))[0]?.error).toMatchObject({ code: "MODEL_GARBLED" });
});

test("an answer that the provider's filter stopped ends the agent; one cut at its limit of tokens stands", async () => {
  const filtered = await calling({ text: "I ca", finish: { unified: "content-filter", raw: undefined } });
  expect(await filtered.life.outcome(filtered.lead)).toMatch(/^failed MODEL_FAILED: the provider's filter/);
  const cut = await calling({ text: "and so", finish: { unified: "length", raw: undefined } });
  expect(await cut.life.outcome(cut.lead)).toBe("and so");
});

test("a long answer goes to the blobs, is the output, and is read back whole by the next turn", async () => {
  const world = new World();
  const text = "word ".repeat(5_000).trim();
  const model = cast({ lead: [text, ({ asked }) => `${JSON.stringify(asked.prompt).includes(text)}`] });
  const life = await world.open({ models: [model] });
  const lead = await life.spawn("lead");
  expect(await life.outcome(lead)).toBe(text);
  expect(life.head(lead).output).toMatchObject({ bytes: text.length });
  await life.control.send(lead, "did you?");
  expect(await life.outcome(lead)).toBe("true");
});

test("a model that pauses is called again until it is done", async () => {
  const pause = { unified: "stop", raw: "pause_turn" } as const;
  const { life, lead } = await calling({ text: "first", finish: pause }, { text: "then", finish: pause }, "last");
  expect([await life.outcome(lead), life.head(lead).turns]).toEqual(["last", 3]);
});

test("text is told of as it streams", async () => {
  const world = new World();
  const life = await world.open({ models: [cast({ lead: ["a b c"] })] });
  const told: string[] = [];
  const stop = life.coordinator.watchDeltas((_, text) => told.push(text));
  await life.outcome(await life.spawn("lead"));
  stop();
  await life.outcome(await life.spawn("lead"));
  expect(told).toEqual(["a ", "b ", "c"]);
});

test("every turn of an agent is journaled: asked, answered, its calls, its end", async () => {
  const world = new World();
  const life = await world.open({ models: [cast({ lead: [asks(["list_agents"]), "done"] })] });
  const lead = await life.spawn("lead");
  await life.outcome(lead);
  expect(await life.types(lead)).toEqual([
    "agent.created",
    "message.received",
    "turn.started",
    "turn.ended",
    "tool.started",
    "tool.ended",
    "turn.started",
    "turn.ended",
    "agent.completed",
  ]);
});
