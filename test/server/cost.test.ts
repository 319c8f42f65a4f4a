import { expect, test } from "vitest";
import { Forest } from "../../src/agent/forest.ts";
import type { Head } from "../../src/agent/state.ts";
import { COST_GROUPS } from "../../src/server/contract/fleet.ts";
import { costReport } from "../../src/server/cost.ts";
import { idOf } from "../support/commands.ts";
import { headOf } from "../support/forests.ts";

const spent = (costUsd: number, estimatedUsd = 0): Partial<Head> => ({
  costUsd,
  estimatedUsd,
  turns: 2,
  usage: { input: 1, output: 2, cacheRead: 3, cacheWrite: 4 },
});

/** A lead that spent 1, a worker that failed after 2, a helper of it that was cut at 4 and is partly estimated; another tree with 8. */
function forestOf(): Forest {
  const forest = new Forest();
  const lead = headOf(1, undefined, { name: "lead", ...spent(1), reservedUsd: 0.5 });
  const worker = headOf(2, lead, { name: "worker", status: "failed", ...spent(2) });
  const helper = headOf(3, worker, { name: "helper", status: "cancelled", ...spent(4, 3) });
  const other = headOf(4, undefined, { name: "other", ...spent(8) });
  for (const head of [lead, worker, helper, other]) forest.put(head);
  return forest;
}

test.each(COST_GROUPS)("by %s, groups add up to the total, and no agent counts twice", async (by) => {
  for (const agent of [undefined, idOf(1), idOf(3)]) {
    const { groups, total } = await costReport(forestOf(), agent, by);
    const sum = (of: (group: (typeof groups)[number]) => number) => groups.reduce((all, group) => all + of(group), 0);
    expect(sum(({ costUsd }) => costUsd)).toBeCloseTo(total.costUsd);
    expect(sum(({ estimatedUsd }) => estimatedUsd)).toBeCloseTo(total.estimatedUsd);
    expect(sum(({ agents }) => agents)).toBe(total.agents);
    expect(sum(({ usage }) => usage.cacheWrite)).toBe(total.usage.cacheWrite);
  }
});

test("what failed and was cancelled counts, and the estimated part is told", async () => {
  const { groups, total } = await costReport(forestOf(), undefined, "status");
  expect(total).toMatchObject({ agents: 4, costUsd: 15, estimatedUsd: 3, reservedUsd: 0.5, turns: 8 });
  expect(groups.map(({ key, costUsd }) => [key, costUsd])).toEqual([
    ["queued", 9],
    ["cancelled", 4],
    ["failed", 2],
  ]);
});

test("by agent each row has its subtree, dearest first", async () => {
  const { groups } = await costReport(forestOf(), idOf(1), "agent");
  expect(groups.map(({ key, costUsd, subtreeCostUsd }) => [key, costUsd, subtreeCostUsd])).toEqual([
    ["/lead/worker/helper", 4, 4],
    ["/lead/worker", 2, 6],
    ["/lead", 1, 7],
  ]);
});
