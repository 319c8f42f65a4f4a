/** The pool under agents that work: nothing of what they do may depend on whether their session is the one they had. */
import { expect, test } from "vitest";
import { LIMITS } from "../../../src/base/limits.ts";
import { asks, cast } from "../../support/cast.ts";
import { CostlyDriver } from "../../support/sessions.ts";
import { quiet, World } from "../../support/world.ts";

/** Lets time pass until the promise is settled. */
async function inTime<T>(world: World, promise: Promise<T>): Promise<T> {
  let isSettled = false;
  const settle = () => {
    isSettled = true;
  };
  promise.then(settle, settle);
  for (await quiet(world); !isSettled; await quiet(world)) {
    const waitMs = world.clock.untilNext();
    if (waitMs === undefined) throw new Error("nothing is left to wait for");
    world.clock.advance(waitMs);
  }
  return promise;
}

async function open(more: { runningMax?: number; startsMax?: number; sessions?: number; waitMsMax?: number }) {
  const world = new World();
  const names = Array.from({ length: 40 }, (_, index) => `w${index}`);
  const model = cast({
    lead: ({ said }) => {
      if (said === 0)
        return asks(...names.map((name) => ["spawn_agent", { name, task: "go", instructions: "worker" }] as const));
      return said === 1 ? asks(["wait_for_agents"]) : "all done";
    },
    worker: ({ said }) => (said < 2 ? asks(["wait_for_agents"]) : "done"),
    chat: ({ said }) => `answer ${said}`,
  });
  let driver: CostlyDriver | undefined;
  const { runningMax, sessions = 3, ...pool } = more;
  const life = await world.open({
    models: [model],
    runningMax,
    pool: { memoryBytesMax: sessions * 100, ...pool },
    aroundDriver: (inner) => {
      driver = new CostlyDriver({ clock: world.clock, inner });
      return driver;
    },
  });
  return { world, life, driver: driver as CostlyDriver };
}

for (const [runningMax, startsMax] of [
  [1, 1],
  [2, 1],
  [8, 2],
  [256, 2],
] as const) {
  test(`a tree of 41 completes through 3 sessions, with ${runningMax} slots and ${startsMax} starts at once`, async () => {
    const { world, life, driver } = await open({ runningMax, startsMax });
    const lead = await life.spawn("lead");
    expect(await inTime(world, life.outcome(lead))).toBe("all done");
    expect(life.coordinator.forest.size).toBe(41);
    expect(driver.runningMost).toBeLessThanOrEqual(3);
    expect(driver.startingMost).toBeLessThanOrEqual(startsMax);
    await inTime(world, life.stop());
    expect([driver.running, life.faults]).toEqual([[], []]);
  });
}

test("the next turn of an agent that rested needs no start, and its end closes its session", async () => {
  const { world, life, driver } = await open({});
  const chat = await life.spawn("chat", { mode: "chat" });
  await inTime(world, life.became(chat, "waiting"));
  await quiet(world);
  expect(life.coordinator.pool).toMatchObject({ parked: 1, claimed: 0 });
  await life.control.send(chat, "and?");
  await inTime(
    world,
    life.until(() => life.head(chat).turns === 2),
  );
  await quiet(world);
  expect([driver.all.length, life.coordinator.pool.claims]).toEqual([1, { cold: 1, parked: 1, ready: 0, waited: 0 }]);
  await life.control.cancel(chat);
  await quiet(world);
  expect(driver.running).toEqual([]);
  await life.stop();
});

test("an agent whose session was closed while it rested goes on with another one", async () => {
  const { world, life, driver } = await open({});
  const chat = await life.spawn("chat", { mode: "chat" });
  await inTime(world, life.became(chat, "waiting"));
  await quiet(world);
  for (let passed = 0; passed <= LIMITS.poolIdleMsMax; passed += LIMITS.poolTickMs)
    world.clock.advance(LIMITS.poolTickMs);
  await quiet(world);
  expect(driver.running).toEqual([]);
  await life.control.send(chat, "and?");
  await inTime(
    world,
    life.until(() => life.head(chat).turns === 2),
  );
  expect(driver.all.length).toBe(2);
  await life.stop();
});

test("an agent that waits for a session holds no slot, has nothing durable, and fails when that takes too long", async () => {
  const { world, life } = await open({ sessions: 1, runningMax: 2, waitMsMax: 60_000 });
  const first = await life.spawn("chat", { mode: "chat", name: "first" });
  await inTime(world, life.became(first, "waiting"));
  // It does not come to an answer, so that its session is busy.
  life.driver.register(cast({ chat: () => new Promise(() => undefined) }));
  await life.control.cancel(first);
  const busy = await life.spawn("chat");
  const second = await life.spawn("chat");
  await quiet(world);
  expect(life.coordinator.pool.waiting).toBe(1);
  expect(life.coordinator.load).toEqual({ working: 1, waiting: 0 });
  expect(await life.types(second)).toEqual(["agent.created", "message.received"]);
  expect(await inTime(world, life.outcome(second))).toMatch(/^failed POOL_EXHAUSTED/);
  expect(life.status(busy)).toBe("running");
  await inTime(world, life.stop());
});
