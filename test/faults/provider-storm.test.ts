/**
 * Storms of refusals and outages over a tree of 100 agents, over real HTTP. What is attacked: that no agent fails for what mends
 * itself, and invariant 5 of docs/architecture.md, section 6: a call that was refused costs nothing, one that may have arrived is
 * booked.
 */
import { createServer } from "node:net";
import { createAnthropic } from "@ai-sdk/anthropic";
import { expect, test } from "vitest";
import { randomInt, seededRandom } from "../../src/base/random.ts";
import { spawning } from "../../src/index.ts";
import type { Fault } from "../../src/simulator/faults.ts";
import { scriptedMind } from "../../src/simulator/scripted.ts";
import { startSimulator } from "../../src/simulator/simulator.ts";
import { eventsOf, openProviderWorld, saidBefore, taskOf } from "./provider-world.ts";

const TIMEOUT_MS = 120_000;
/** Timers and wall time are whole milliseconds. */
const ROUNDING_MS = 5;

/** `grow 9 10 (r)` has nine children, each of which has ten. */
const growing = scriptedMind((request) => {
  const [, widths = "", path = ""] = /grow ([\d ]*)\((.*)\)/.exec(taskOf(request)) ?? [];
  const [width = 0, ...below] = widths.trim().split(" ").filter(Boolean).map(Number);
  if (width === 0 || saidBefore(request) > 0) return "done";
  const content = Array.from({ length: width }, (_, at) => ({
    type: "tool_use" as const,
    name: "spawn_agent",
    input: { name: `child-${at}`, task: `grow ${below.join(" ")} (${path}.${at})` },
  }));
  return { content };
});

test("5: a storm of 429 and 529 fails no agent of 100; each waits as long as it was told, and pays for nothing", {
  timeout: TIMEOUT_MS,
}, async () => {
  const random = seededRandom(1);
  const wrong: string[] = [];
  /** For each agent, by its place in the tree: the earliest time of its next call, in simulated milliseconds. */
  const notBefore = new Map<string, number>();
  let [limited, overloaded] = [0, 0];
  await using world = await openProviderWorld({
    mind: growing,
    times: 100,
    faults: (request, nth): Fault | undefined => {
      const place = taskOf(request);
      const nowMs = world.clock.monotonic();
      const earlyMs = (notBefore.get(place) ?? 0) - nowMs;
      if (earlyMs > ROUNDING_MS) wrong.push(`${place} calls ${earlyMs} ms too early`);
      notBefore.delete(place);
      // At first everything is refused, then most.
      const refused = nth <= 8 || (nth <= 800 && random.next() < 0.7);
      if (!refused) return undefined;
      if (random.next() < 0.5) {
        overloaded += 1;
        notBefore.set(place, nowMs + 500);
        return { kind: "overloaded" };
      }
      limited += 1;
      const seconds = 1 + randomInt(random, 20);
      notBefore.set(place, nowMs + seconds * 1_000);
      return { kind: "rateLimit", retryAfterMs: seconds * 1_000 };
    },
  });
  const root = await world.spawn({ name: "root", task: "grow 9 10 (r)", tools: [spawning()] });
  const { status, agents } = await root.result();
  expect([status, agents]).toEqual(["completed", 100]);
  const heads = [...world.runtime.coordinator.forest.subtree(root.id)].map(({ head }) => head);
  expect(heads.filter((head) => head.status !== "completed")).toEqual([]);
  expect(wrong).toEqual([]);
  expect(Math.min(limited, overloaded)).toBeGreaterThan(100);
  expect(world.simulator.requests.refused).toEqual({ 429: limited, 529: overloaded });
  let refusals = 0;
  for await (const { event } of root.events({ subtree: true })) {
    if (event.type !== "turn.failed" || !/^(429|529): /.test(event.error.message)) continue;
    refusals += 1;
    expect(event).toMatchObject({ putOff: true, costUsd: 0, usage: { input: 0, output: 0 } });
  }
  expect(refusals).toBe(limited + overloaded);
});

test("5: connections that are reset before the answer are waited out, more often than a turn has attempts", {
  timeout: TIMEOUT_MS,
}, async () => {
  let resets = 0;
  await using world = await openProviderWorld({
    mind: scriptedMind(() => "done"),
    faults: () => (resets++ < 9 ? { kind: "cut", afterBytes: 0 } : undefined),
    times: 400,
  });
  const agent = await world.spawn({ name: "lone", task: "go" });
  expect(await agent.result()).toMatchObject({ status: "completed", output: "done" });
  const failed = await eventsOf(agent, "turn.failed");
  expect(failed).toHaveLength(9);
  for (const each of failed) {
    expect(each).toMatchObject({ putOff: true, estimated: true, error: { code: "MODEL_OVERLOADED" } });
    // The provider may have made the whole answer before the connection was lost.
    expect(each.usage.output).toBe(1_000);
  }
});

test("a provider that is not there for minutes: the agent waits, pays nothing, and goes on when it is back", {
  timeout: TIMEOUT_MS,
}, async () => {
  const port = await freePort();
  await using world = await openProviderWorld({ mind: scriptedMind(() => "unused"), times: 400 });
  const model = createAnthropic({ apiKey: "k", baseURL: `http://127.0.0.1:${port}/v1` })("claude-haiku-4-5");
  const agent = await world.spawn({ name: "lone", task: "go", model });
  const { promise: isLong, resolve } = Promise.withResolvers<void>();
  let failures = 0;
  world.runtime.coordinator.watch((_agent, recorded) => {
    failures += recorded.filter(({ event }) => event.type === "turn.failed").length;
    if (failures >= 8) resolve();
  });
  await isLong;
  expect([agent.head.status, agent.head.waitingFor]).toEqual(["waiting", "rateLimit"]);
  await using _back = await startSimulator({ mind: scriptedMind(() => "there again"), port });
  expect(await agent.result()).toMatchObject({ status: "completed", output: "there again" });
  for (const { usage, putOff, error } of await eventsOf(agent, "turn.failed")) {
    expect([usage.input, usage.output, putOff, error.code]).toEqual([0, 0, true, "MODEL_OVERLOADED"]);
  }
});

/** A port on which nobody listens. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
