/** Money: reserved before a call, settled after it, never more than a subtree may spend. */
import { expect, test } from "vitest";
import { hasEnded } from "../../src/agent/status.ts";
import { asks, cast } from "../support/cast.ts";
import { handFed, partsOf, usageOf } from "../support/models.ts";
import { type Life, quiet, World } from "../support/world.ts";

const spawn = (name: string, more = {}) =>
  ["spawn_agent", { name, task: "go", instructions: "child", ...more }] as const;

/** A dollar a token of output, nothing for the prompt: at most 100 dollars a call. */
const price = { input: 0, output: 1_000_000, cacheRead: 0, cacheWrite: 0 };
const execution = { driver: "model", provider: "test", model: "cast", outputTokensMax: 100, price } as const;

/** After every commit: no subtree has spent and reserved more than its budget. */
function watchBudgets(life: Life): { broken: string[] } {
  const broken: string[] = [];
  life.coordinator.watch(() => {
    for (const { head, subtree } of life.coordinator.forest.nodes()) {
      const limitUsd = head.budget?.costUsd;
      if (limitUsd !== undefined && subtree.costUsd + subtree.reservedUsd > limitUsd + 1e-9) {
        broken.push(`${head.name}: ${subtree.costUsd} + ${subtree.reservedUsd} > ${limitUsd}`);
      }
    }
  });
  return { broken };
}

test("fifty children at once never spend more than the tree may, and those that find nothing left say so", async () => {
  const world = new World();
  const usage = usageOf(10, 50);
  const crowd = asks(...Array.from({ length: 50 }, (_, index) => spawn(`c${index}`)));
  const model = cast({
    lead: ({ said }) => (said === 0 ? { ...crowd, usage } : { text: "heard", usage }),
    child: () => ({ text: "worked", usage }),
  });
  const life = await world.open({ models: [model] });
  const { broken } = watchBudgets(life);
  const lead = await life.spawn("lead", { execution, budget: { costUsd: 1_000 } });
  await quiet(world);
  const statuses = [...life.coordinator.forest.nodes()].map(({ head }) => head.status);
  const spentUsd = life.coordinator.forest.get(lead)?.subtree.costUsd ?? 0;
  expect(broken).toEqual([]);
  expect(statuses.filter((status) => !hasEnded(status))).toEqual([]);
  // Fifty dollars a call: as many as fit with the last one's worst case of a hundred.
  expect(spentUsd).toBe(950);
  expect(life.head(lead).error?.code).toBe("BUDGET_EXHAUSTED");
  expect([life.coordinator.load.working, life.coordinator.load.waiting]).toEqual([0, 0]);
});

test("a call that does not fit beside one in flight waits until that is settled", async () => {
  const world = new World();
  const feed = handFed();
  const model = cast({ lead: () => "ready", slow: () => feed.stream, quick: ["quick"] });
  const life = await world.open({ models: [model] });
  const lead = await life.spawn("lead", { execution, mode: "chat", messages: [], budget: { costUsd: 120 } });
  const slow = await life.spawnChild(lead, "slow", { execution });
  await life.became(slow, "running");
  const quick = await life.spawnChild(lead, "quick", { execution });
  await quiet(world);
  expect([life.head(quick).status, model.asked.length, life.coordinator.load.working]).toEqual(["queued", 1, 1]);
  feed.feed(...partsOf({ text: "slow", usage: usageOf(10, 5) }));
  feed.close();
  expect([await life.outcome(slow), await life.outcome(quick)]).toEqual(["slow", "quick"]);
});

test("a call that waits for money is told when what was reserved is given back, at every interleaving with a hold", async () => {
  for (let delay = 0; delay < 60; delay++) {
    const world = new World();
    const model = cast({ lead: [], slow: ["slow"], quick: ["quick"] });
    const life = await world.open({ models: [model] });
    const lead = await life.spawn("lead", { execution, mode: "chat", messages: [], budget: { costUsd: 120 } });
    await life.control.pause(lead);
    const slow = await life.spawnChild(lead, "slow", { execution });
    const quick = await life.spawnChild(lead, "quick", { execution });
    await life.control.resume(lead);
    for (let turn = 0; turn < delay; turn++) await Promise.resolve();
    const held = await life.control.pause(slow).then(
      () => true,
      () => false,
    );
    expect([delay, await life.outcome(quick)]).toEqual([delay, "quick"]);
    await quiet(world);
    if (held) expect(life.coordinator.forest.get(slow)?.subtree.reservedUsd).toBe(0);
  }
});

test("an agent whose budget is exhausted fails, and goes on when it has more and is sent a message", async () => {
  const world = new World();
  const model = cast({ lead: [{ ...asks(["list_agents"]), usage: usageOf(10, 60) }, "done", "done"] });
  const life = await world.open({ models: [model] });
  const lead = await life.spawn("lead", { execution, budget: { costUsd: 150 } });
  expect(await life.outcome(lead)).toMatch(
    /^failed BUDGET_EXHAUSTED: the next call may cost \$100\.000000, and \$90\.000000 of the \$150 of lead are left/,
  );
  await life.control.setBudget(lead, { costUsd: 300 });
  await quiet(world);
  expect(life.status(lead)).toBe("failed");
  await life.control.send(lead, "go on");
  expect(await life.outcome(lead)).toBe("done");
});

test("a budget that is raised wakes the calls that wait for it", async () => {
  const world = new World();
  const feed = handFed();
  const life = await world.open({ models: [cast({ lead: () => "ready", slow: () => feed.stream, quick: ["quick"] })] });
  const lead = await life.spawn("lead", { execution, mode: "chat", messages: [], budget: { costUsd: 120 } });
  const slow = await life.spawnChild(lead, "slow", { execution });
  await life.became(slow, "running");
  const quick = await life.spawnChild(lead, "quick", { execution });
  await quiet(world);
  await life.control.setBudget(lead, { costUsd: 1_000 });
  expect(await life.outcome(quick)).toBe("quick");
});

test("every bound above an agent binds it: the smallest that is left decides", async () => {
  const world = new World();
  const model = cast({
    lead: [
      asks(spawn("poor", { budgetUsd: 50 }), spawn("rich", { budgetUsd: 5_000 })),
      asks(["wait_for_agents", { names: ["poor", "rich"] }]),
      ({ news }) => news.join(" "),
    ],
    child: ["worked"],
  });
  const life = await world.open({ models: [model] });
  const { broken } = watchBudgets(life);
  const lead = await life.spawn("lead", { execution, budget: { costUsd: 2_000 } });
  expect(JSON.parse(await life.outcome(lead))).toMatchObject([
    { name: "poor", status: "failed", error: expect.stringMatching(/^BUDGET_EXHAUSTED: .*\$50 of poor/) },
    { name: "rich", status: "completed" },
  ]);
  expect(broken).toEqual([]);
});

test("a model without a known price is not called under a budget, and is without one", async () => {
  const world = new World();
  const life = await world.open({ models: [cast({ lead: ["done"] })] });
  expect(await life.outcome(await life.spawn("lead", { budget: { costUsd: 1 } }))).toMatch(
    /^failed PRICE_UNKNOWN: lead has a budget/,
  );
  expect(await life.outcome(await life.spawn("lead", { budget: { agents: 5 } }))).toBe("done");
});

test("what a crash took with it counts with all that was reserved, and no more", async () => {
  const world = new World();
  const first = await world.open({ models: [cast({ lead: () => handFed().stream })] });
  const lead = await first.spawn("lead", { execution, budget: { costUsd: 250 } });
  await first.became(lead, "running");
  const life = await world.open({ models: [cast({ lead: [{ text: "done", usage: usageOf(10, 20) }] })] });
  expect(await life.outcome(lead)).toBe("done");
  expect(life.head(lead)).toMatchObject({ costUsd: 120, estimatedUsd: 100, reservedUsd: 0 });
});

test("what is spent is never given back, by a rewind or a fork", async () => {
  const world = new World();
  const life = await world.open({ models: [cast({ lead: () => ({ text: "done", usage: usageOf(10, 20) }) })] });
  const lead = await life.spawn("lead", { execution, budget: { costUsd: 130 } });
  await life.outcome(lead);
  const [task] = (await life.state(lead)).entries;
  await life.control.rewind(lead, task?.seq ?? 0);
  await life.coordinator.ended(lead);
  expect(life.head(lead).costUsd).toBe(40);
  const fork = await life.coordinator.fork(lead, { at: task?.seq });
  await life.coordinator.ended(fork);
  expect(life.head(fork)).toMatchObject({ costUsd: 20, status: "completed" });
});
