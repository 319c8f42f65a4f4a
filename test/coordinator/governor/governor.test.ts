/** Agents and a provider's limits: who waits, for how long, and that nobody fails of it. */
import { APICallError, type LanguageModelV4 } from "@ai-sdk/provider";
import { expect, test } from "vitest";
import type { AgentId } from "../../../src/base/ids.ts";
import { LIMITS } from "../../../src/base/limits.ts";
import { cast, type Line } from "../../support/cast.ts";
import { quiet, World } from "../../support/world.ts";

function refusal(statusCode: number, responseHeaders: Record<string, string> = {}) {
  return new APICallError({
    message: "no",
    url: "http://test.invalid",
    requestBodyValues: {},
    statusCode,
    responseHeaders,
  });
}

/** A model whose every answer comes with headers. */
function telling(model: LanguageModelV4, headers: () => Record<string, string>): LanguageModelV4 {
  const doStream: LanguageModelV4["doStream"] = async (options) => ({
    ...(await model.doStream(options)),
    response: { headers: headers() },
  });
  return { ...model, doStream: doStream.bind(model) };
}

const rates = (kind: string, limit: number, remaining: number) => ({
  [`anthropic-ratelimit-${kind}-limit`]: `${limit}`,
  [`anthropic-ratelimit-${kind}-remaining`]: `${remaining}`,
});

test("G5: while nothing is known every call starts at once", async () => {
  const world = new World();
  const life = await world.open({ models: [cast({ agent: () => "done" })] });
  const agents = await Promise.all(Array.from({ length: 20 }, () => life.spawn("agent")));
  for (const agent of agents) expect(await life.outcome(agent)).toBe("done");
  expect([world.clock.pending, life.coordinator.providers]).toEqual([
    0,
    [{ family: "test/cast", limits: [], inFlight: 0, waiting: 0, callsMax: null, breaker: "closed", retriesLeft: 100 }],
  ]);
});

test("G1: calls over the rate that the provider told wait, without a durable start, and go when there is room", async () => {
  const world = new World();
  const model = cast({ agent: () => "done" });
  const life = await world.open({ models: [telling(model, () => rates("requests", 60, 2))] });
  expect(await life.outcome(await life.spawn("agent"))).toBe("done");
  const agents = await Promise.all(Array.from({ length: 5 }, () => life.spawn("agent")));
  await quiet(world);
  expect(model.asked.length).toBe(3);
  expect(life.coordinator.providers).toMatchObject([
    { inFlight: 0, waiting: 3, limits: [{ rate: "requests", limit: 60 }] },
  ]);
  const waiting = agents.filter((agent) => life.head(agent).turns === 0);
  for (const agent of waiting) expect(await life.types(agent)).toEqual(["agent.created", "message.received"]);
  expect(life.coordinator.load.working).toBe(0);
  for (let call = 4; call <= 6; call++) {
    world.clock.advance(1_000);
    await quiet(world);
    expect(model.asked.length).toBe(call);
  }
  for (const agent of agents) expect(await life.outcome(agent)).toBe("done");
  expect(world.clock.pending).toBe(0);
});

test("G4: after a 429 nobody calls before the time that the provider named", async () => {
  const world = new World();
  const lines: Line[] = [refusal(429, { "retry-after": "7" })];
  const model = cast({ agent: () => (lines.shift() as string | undefined) ?? "done" });
  const life = await world.open({ models: [model] });
  const first = await life.spawn("agent");
  await quiet(world);
  const second = await life.spawn("agent");
  world.clock.advance(6_999);
  await quiet(world);
  expect(model.asked.length).toBe(1);
  world.clock.advance(1);
  for (const agent of [first, second]) expect(await life.outcome(agent)).toBe("done");
  expect((await life.all(second, "turn.started")).length).toBe(1);
});

test("W2: an overloaded provider holds its agents, and one call at a time finds out when it is back", async () => {
  const world = new World();
  let isDown = true;
  const model = cast({ agent: () => (isDown ? refusal(529) : "done") });
  const life = await world.open({ models: [model] });
  const agents = await Promise.all(Array.from({ length: 30 }, () => life.spawn("agent")));
  await quiet(world);
  const before = model.asked.length;
  for (let minute = 0; minute < 10; minute++) {
    world.clock.advance(LIMITS.retryMsMax);
    await quiet(world);
  }
  expect(model.asked.length - before).toBeLessThanOrEqual(12);
  isDown = false;
  for (let minute = 0; minute < 10; minute++) {
    world.clock.advance(LIMITS.retryMsMax);
    await quiet(world);
  }
  for (const agent of agents) expect(await life.outcome(agent)).toBe("done");
  expect(life.coordinator.providers).toMatchObject([{ inFlight: 0, waiting: 0, breaker: "closed" }]);
});

test("P1: agents that are held or cancelled while they wait for room do not keep it from others", async () => {
  const world = new World();
  const model = cast({ agent: () => "done" });
  const life = await world.open({ models: [telling(model, () => rates("requests", 60, 0))] });
  expect(await life.outcome(await life.spawn("agent"))).toBe("done");
  const [held, cancelled, last] = [await life.spawn("agent"), await life.spawn("agent"), await life.spawn("agent")];
  await quiet(world);
  await life.control.pause(held);
  await life.control.cancel(cancelled);
  for (let second = 0; second < 4; second++) {
    world.clock.advance(1_000);
    await quiet(world);
  }
  expect(await life.outcome(last)).toBe("done");
  expect(model.asked.length).toBe(2);
  await life.control.resume(held);
  world.clock.advance(2_000);
  expect(await life.outcome(held)).toBe("done");
});

test("G3: refusals halve the calls in flight once for all that were under way, and answers let them grow again", async () => {
  const world = new World();
  const gates: PromiseWithResolvers<void>[] = [];
  let refuses = true;
  const model = cast({
    agent: async () => {
      const gate = Promise.withResolvers<void>();
      gates.push(gate);
      const refused = refuses;
      await gate.promise;
      return refused ? refusal(429) : "done";
    },
  });
  const life = await world.open({ models: [model] });
  const agents = await Promise.all(Array.from({ length: 16 }, () => life.spawn("agent")));
  await quiet(world);
  const open = async () => {
    for (const gate of gates.splice(0)) gate.resolve();
    await quiet(world);
  };
  await open();
  expect(life.coordinator.providers).toMatchObject([{ callsMax: 8 }]);
  refuses = false;
  const rounds: number[] = [];
  for (let round = 0; round < 4 && agents.some((agent) => life.status(agent) !== "completed"); round++) {
    world.clock.advance(LIMITS.retryMsMax);
    await quiet(world);
    rounds.push(gates.length);
    await open();
  }
  // The whole round goes out anew as its calls are answered: at first as many as may be in flight.
  expect(rounds[0]).toBe(8);
  for (const agent of agents) expect(life.status(agent)).toBe("completed");
});

test("G2: what a call reserved and did not use comes back when it is settled", async () => {
  const world = new World();
  const headers = () => ({ ...rates("output-tokens", 1_000, 1_000), ...rates("input-tokens", 100_000, 90_000) });
  const life = await world.open({ models: [telling(cast({ agent: () => "done" }), headers)] });
  for (let call = 0; call < 3; call++) expect(await life.outcome(await life.spawn("agent"))).toBe("done");
  // The first call taught the limits; each of the others used 5 output tokens of the 100 that it may.
  expect(life.coordinator.providers[0]?.limits).toContainEqual({
    rate: "outputTokens",
    limit: 1_000,
    left: 990,
    perMs: 60_000,
  });
});

test("P2: an agent that waits for room shows as waiting for a rate limit, and its wait is over when its call starts", async () => {
  const world = new World();
  const model = cast({ agent: () => "done" });
  const life = await world.open({ models: [telling(model, () => rates("requests", 6, 0))] });
  expect(await life.outcome(await life.spawn("agent"))).toBe("done");
  const [agent, held] = [await life.spawn("agent"), await life.spawn("agent")];
  await quiet(world);
  await life.control.pause(held);
  world.clock.advance(LIMITS.governorShownMs - 1);
  await quiet(world);
  expect(life.status(agent)).not.toBe("waiting");
  world.clock.advance(1);
  await quiet(world);
  expect(life.head(agent)).toMatchObject({ status: "waiting", waitingFor: "rateLimit" });
  // One under a hold is journaled as held, and nothing else.
  expect(await life.types(held)).toEqual(["agent.created", "message.received", "hold.set"]);
  world.clock.advance(10_000);
  expect(await life.outcome(agent)).toBe("done");
  expect(await life.types(agent)).toEqual([
    "agent.created",
    "message.received",
    "turn.postponed",
    "turn.started",
    "turn.ended",
    "agent.completed",
  ]);
});

test("P2: after a restart an agent that waited for room asks for it again", async () => {
  const world = new World();
  const models = [telling(cast({ agent: () => "done" }), () => rates("requests", 6, 0))];
  const life = await world.open({ models });
  expect(await life.outcome(await life.spawn("agent"))).toBe("done");
  const agent = await life.spawn("agent");
  await quiet(world);
  world.clock.advance(LIMITS.governorShownMs);
  await quiet(world);
  expect(life.head(agent).waitingFor).toBe("rateLimit");
  await life.coordinator.stop();
  const next = await world.open({ models });
  expect(await next.outcome(agent)).toBe("done");
});

test("G6: tenants share a provider by turns, however many agents and trees one of them has", async () => {
  const world = new World();
  const model = cast({ agent: () => "done" });
  const life = await world.open({ models: [telling(model, () => rates("requests", 60, 0))] });
  expect(await life.outcome(await life.spawn("agent"))).toBe("done");
  const busy: AgentId[] = [];
  for (let tree = 0; tree < 20; tree++) busy.push(await life.spawn("agent", { tenant: "busy" }));
  await quiet(world);
  const other: AgentId[] = [];
  for (let tree = 0; tree < 3; tree++) other.push(await life.spawn("agent", { tenant: "other" }));
  await quiet(world);
  for (let second = 0; second < 7; second++) {
    world.clock.advance(1_000);
    await quiet(world);
  }
  const done = (agents: typeof busy) => agents.filter((agent) => life.status(agent) === "completed").length;
  expect(done(other)).toBe(3);
  expect(done(busy)).toBe(4);
});

test("G7: calls that fail are made again as the budget allows, and keep none back that has not failed", async () => {
  const world = new World();
  let isDown = true;
  // Not for want of a provider: no breaker opens, and nothing halves the calls in flight.
  const model = cast({ agent: () => (isDown ? refusal(500) : "done") });
  const life = await world.open({ models: [model] });
  const many = LIMITS.retriesSavedMax + 50;
  const agents = await Promise.all(Array.from({ length: many }, () => life.spawn("agent")));
  await quiet(world);
  expect(model.asked.length).toBe(many);
  // Longer than the first wait of any of them.
  const seconds = Math.ceil(LIMITS.retryMsMin / 500);
  for (let step = 0; step < 20 * seconds; step++) {
    world.clock.advance(50);
    await quiet(world);
  }
  const again = model.asked.length - many;
  expect(again).toBeGreaterThanOrEqual(LIMITS.retriesSavedMax);
  expect(again).toBeLessThanOrEqual(LIMITS.retriesSavedMax + LIMITS.retriesPerSecondMax * seconds);
  expect(life.coordinator.providers[0]?.waiting).toBeGreaterThan(0);
  isDown = false;
  expect(await life.outcome(await life.spawn("agent"))).toBe("done");
  for (let second = 0; second < 60; second++) {
    world.clock.advance(1_000);
    await quiet(world);
  }
  for (const agent of agents) expect(life.status(agent)).toBe("completed");
  expect(life.coordinator.providers).toMatchObject([{ waiting: 0, inFlight: 0 }]);
});
