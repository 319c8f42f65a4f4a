/** What was spent, grouped. Sums over agents, so that no dollar is counted twice; those that failed or were cancelled count. */
import type { Forest } from "../agent/forest.ts";
import type { Node } from "../agent/forest-node.ts";
import { shownStatus } from "../agent/status.ts";
import { addUsage, NO_USAGE } from "../agent/usage.ts";
import type { AgentId } from "../base/ids.ts";
import type { CostGroup, CostReport } from "./contract/fleet.ts";
import { seeAll } from "./see-all.ts";
import { pathOf } from "./select.ts";

type Group = CostReport["groups"][number];

export async function costReport(forest: Forest, agent: AgentId | undefined, by: CostGroup): Promise<CostReport> {
  const top = agent === undefined ? undefined : forest.get(agent);
  const tops = top ? [top] : forest.roots();
  const groups = new Map<string, Group>();
  const total = begin("", undefined);
  await seeAll(forest, tops, (node, covered) => {
    const { key, label } = GROUPS[by](forest, node, covered);
    const group = groups.get(key) ?? begin(label, by === "agent" ? node : undefined);
    groups.set(key, group);
    add(group, node);
    add(total, node);
  });
  const { agents, turns, usage, costUsd, estimatedUsd } = total;
  const reservedUsd = tops.reduce((sum, { subtree }) => sum + subtree.reservedUsd, 0);
  return {
    groups: [...groups.values()].sort((a, b) => b.costUsd - a.costUsd),
    total: { agents, turns, usage, costUsd, estimatedUsd, reservedUsd },
  };
}

/** Agents are told apart by id: two trees may have the same paths. */
const GROUPS: Readonly<
  Record<CostGroup, (forest: Forest, node: Node, covered: boolean) => { key: string; label: string }>
> = {
  agent: (forest, { head }) => ({ key: head.agent, label: pathOf(forest, head.agent) }),
  level: (_forest, { head }) => same(String(head.level)),
  model: (_forest, { head }) => same(head.execution.model),
  status: (_forest, { head }, covered) => same(shownStatus(head.status, covered)),
};

const same = (key: string) => ({ key, label: key });

function begin(key: string, node: Node | undefined): Group {
  const subtreeCostUsd = node?.subtree.costUsd ?? null;
  return {
    key,
    agent: node?.head.agent ?? null,
    agents: 0,
    turns: 0,
    usage: NO_USAGE,
    costUsd: 0,
    estimatedUsd: 0,
    subtreeCostUsd,
  };
}

function add(group: Group, { head }: Node): void {
  group.agents += 1;
  group.turns += head.turns;
  group.usage = addUsage(group.usage, head.usage);
  group.costUsd += head.costUsd;
  group.estimatedUsd += head.estimatedUsd;
}
