/** What a turn needs before its call, when it starts in one append with the result that it waited for. */
import { expect, test } from "vitest";
import { BanyanError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import type { Append } from "../../src/journal/journal.ts";
import { asks, cast } from "../support/cast.ts";
import { probe } from "../support/probe.ts";
import { quiet, World } from "../support/world.ts";

const price = { input: 0, output: 1_000_000, cacheRead: 0, cacheWrite: 0 };
const execution = { driver: "model", provider: "test", model: "cast", outputTokensMax: 100, price } as const;
const types = ([append]: readonly Append[]) => append?.records.map(({ type }) => type).join(" ") ?? "";

test("the last result and the next turn's start are one append, and only the last", async () => {
  const world = new World();
  const appends: string[] = [];
  const model = cast({ lead: [asks(["first"], ["second"]), "done"] });
  const gate = Promise.withResolvers<string>();
  const [first, second] = [probe("first"), probe("second", { run: () => gate.promise })];
  const commit = async (group: readonly Append[]) => void appends.push(types(group));
  const life = await world.open({ models: [model], tools: [first, second], commit });
  const lead = await life.spawn("lead", { tools: ["first", "second"] });
  await quiet(world);
  gate.resolve("late");
  expect(await life.outcome(lead)).toBe("done");
  expect(appends).toEqual([
    "agent.created message.received",
    "turn.started",
    "turn.ended tool.started tool.started",
    "tool.ended",
    "tool.ended turn.started",
    "turn.ended",
    "agent.completed",
  ]);
});

test("M2: an append that fails gives its reservation back, and the agent goes on when the store does", async () => {
  const world = new World();
  const model = cast({ lead: [asks(["work"]), "done"] });
  let failures = 0;
  const commit = async (group: readonly Append[]) => {
    if (types(group) !== "tool.ended turn.started" || failures > 0) return;
    failures += 1;
    throw new BanyanError("DISK_FAILED", "no");
  };
  const life = await world.open({ models: [model], tools: [probe("work")], commit });
  const lead = await life.spawn("lead", { execution, tools: ["work"], budget: { costUsd: 1_000 } });
  await quiet(world);
  expect(life.coordinator.forest.get(lead)?.subtree.reservedUsd).toBe(0);
  world.clock.advance(LIMITS.diskRetryMs);
  expect(await life.outcome(lead)).toBe("done");
  expect(failures).toBe(1);
});

test("N1: a hold that is set while the last tool runs keeps the next turn from starting", async () => {
  const world = new World();
  const model = cast({ lead: [asks(["work"]), "done"] });
  const gate = Promise.withResolvers<string>();
  const work = probe("work", { run: () => gate.promise });
  const life = await world.open({ models: [model], tools: [work] });
  const lead = await life.spawn("lead", { tools: ["work"] });
  await quiet(world);
  await life.control.pause(lead);
  gate.resolve("late");
  await quiet(world);
  expect((await life.types(lead)).slice(-2)).toEqual(["hold.set", "tool.ended"]);
  await life.control.resume(lead);
  expect(await life.outcome(lead)).toBe("done");
});

test("a call that the budget has no room for is not started, and what it waits for is said by the long way", async () => {
  const world = new World();
  const model = cast({ lead: [asks(["work"]), "done"] });
  const life = await world.open({ models: [model], tools: [probe("work")] });
  const lead = await life.spawn("lead", { execution, tools: ["work"], budget: { costUsd: 100 } });
  await quiet(world);
  expect(life.head(lead).error?.code).toBe("BUDGET_EXHAUSTED");
  expect(life.coordinator.forest.get(lead)?.subtree.reservedUsd).toBe(0);
});
