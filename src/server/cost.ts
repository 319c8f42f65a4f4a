/** What was spent, grouped. Sums over agents, so that no dollar is counted twice; those that failed or were cancelled count. */
import type { Forest, Node } from "../agent/forest.ts";
import { shownStatus } from "../agent/status.ts";
import { addUsage, NO_USAGE } from "../agent/usage.ts";
import type { AgentId } from "../base/ids.ts";
import type { CostGroup, CostReport } from "./contract/fleet.ts";
import { pathOf } from "./select.ts";

type Group = CostReport["groups"][number];

export function costReport(forest: Forest, agent: AgentId | undefined, by: CostGroup): CostReport {
  const nodes = [...(agent === undefined ? forest.nodes() : forest.subtree(agent))];
  const groups = new Map<string, Group>();
  for (const node of nodes) {
    const { key, label } = GROUPS[by](forest, node);
    groups.set(key, plus(groups.get(key) ?? begin(label, by === "agent" ? node : undefined), node));
  }
  const tops = agent === undefined ? forest.roots() : nodes.slice(0, 1);
  const { agents, turns, usage, costUsd, estimatedUsd } = nodes.reduce(plus, begin("", undefined));
  const reservedUsd = tops.reduce((sum, { subtree }) => sum + subtree.reservedUsd, 0);
  return {
    groups: [...groups.values()].sort((a, b) => b.costUsd - a.costUsd),
    total: { agents, turns, usage, costUsd, estimatedUsd, reservedUsd },
  };
}

/** Agents are told apart by id: two trees may have the same paths. */
const GROUPS: Readonly<Record<CostGroup, (forest: Forest, node: Node) => { key: string; label: string }>> = {
  agent: (forest, { head }) => ({ key: head.agent, label: pathOf(forest, head.agent) }),
  level: (_forest, { head }) => same(String(head.level)),
  model: (_forest, { head }) => same(head.execution.model),
  status: (forest, { head }) => same(shownStatus(head.status, forest.holder(head.agent) !== undefined)),
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

function plus(group: Group, { head }: Node): Group {
  return {
    ...group,
    agents: group.agents + 1,
    turns: group.turns + head.turns,
    usage: addUsage(group.usage, head.usage),
    costUsd: group.costUsd + head.costUsd,
    estimatedUsd: group.estimatedUsd + head.estimatedUsd,
  };
}
