/** What the simulation of faults found: a clock that is set back, a disk that fails between two steps, money that a crash left reserved. */
import { APICallError } from "@ai-sdk/provider";
import { expect, test } from "vitest";
import { BanyanError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { asks, cast } from "../support/cast.ts";
import { quiet, World } from "../support/world.ts";

test("L6: a wait for a retry does not grow when the wall clock is set back", async () => {
  const world = new World();
  let asked = 0;
  const model = cast({ lead: () => (asked++ === 0 ? tooMany() : "done") });
  const life = await world.open({ models: [model] });
  const lead = await life.spawn("lead");
  await quiet(world);
  expect([life.status(lead), asked]).toEqual(["waiting", 1]);
  world.clock.jumpTo(world.clock.now() - 3 * 86_400_000);
  world.clock.advance(5_000);
  expect(await life.outcome(lead)).toBe("done");
});

test("L6: nor when the clock is set back before the next process begins", async () => {
  const world = new World();
  const before = await world.open({ models: [cast({ lead: () => tooMany() })] });
  const lead = await before.spawn("lead");
  await quiet(world);
  world.clock.jumpTo(world.clock.now() - 3 * 86_400_000);
  const life = await world.open({ models: [cast({ lead: ["done"] })] });
  await quiet(world);
  expect(life.status(lead)).toBe("waiting");
  world.clock.advance(5_000);
  expect(await life.outcome(lead)).toBe("done");
});

test("X2: a parent is told of an end that the disk refused at first", async () => {
  const world = new World();
  let failures = 2;
  const model = cast({
    lead: [
      asks(["spawn_agent", { name: "child", task: "go", instructions: "child" }]),
      asks(["wait_for_agents"]),
      "done",
    ],
    child: ["worked"],
  });
  const life = await world.open({
    models: [model],
    commit: async (appends) => {
      const isTold = appends.some(({ records }) => records.some(({ type }) => type === "child.ended"));
      if (isTold && failures-- > 0) throw new BanyanError("DISK_FAILED", "no space");
    },
  });
  const lead = await life.spawn("lead");
  await quiet(world);
  expect(life.status(life.at("lead/child"))).toBe("completed");
  expect(await life.all(lead, "child.ended")).toEqual([]);
  for (let tries = 0; tries < 4; tries++) {
    world.clock.advance(LIMITS.diskRetryMs);
    await quiet(world);
  }
  expect(await life.outcome(lead)).toBe("done");
  expect(await life.all(lead, "child.ended")).toHaveLength(1);
});

test("O2: a call that a crash took gives its money back under a hold too", async () => {
  const world = new World();
  const endless = cast({ lead: () => new Promise(() => undefined) });
  const first = await world.open({ models: [endless] });
  const price = { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 };
  const execution = { driver: "model" as const, provider: "test", model: "cast", outputTokensMax: 100, price };
  const lead = await first.spawn("lead", { execution, budget: { costUsd: 1 } });
  await quiet(world);
  await first.control.pause(lead);
  expect(first.head(lead).reservedUsd).toBeGreaterThan(0);
  const second = await world.open({ models: [endless] });
  await quiet(world);
  expect([second.status(lead), second.head(lead).reservedUsd]).toEqual(["held", 0]);
  expect((await second.types(lead)).slice(-2)).toEqual(["hold.set", "turn.lost"]);
});

function tooMany(): Error {
  return new APICallError({
    message: "too many",
    url: "https://test.invalid",
    requestBodyValues: {},
    statusCode: 429,
    responseHeaders: { "retry-after": "5" },
  });
}
