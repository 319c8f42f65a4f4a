/** From the forest to rows that can be shown and sent. */
import type { Forest } from "../agent/forest.ts";
import type { Node } from "../agent/forest-node.ts";
import { shownStatus } from "../agent/status.ts";
import { copyOf } from "../agent/sums.ts";
import type { AgentId } from "../base/ids.ts";
import type { TreeRow } from "./contract/tree.ts";

/** Rows of a subtree, or of all trees: parents before their children, siblings in the order of spawning. */
export function* treeRows(forest: Forest, agent?: AgentId): Generator<TreeRow> {
  const tops = agent === undefined ? forest.roots().map(({ head }) => head.agent) : [agent];
  for (const top of tops) {
    const covered = new Set<AgentId>();
    const above = forest.get(top)?.head.parent;
    if (above != null && forest.holder(above)) covered.add(above);
    for (const node of forest.subtree(top)) {
      const { agent: id, parent, held } = node.head;
      if (held || (parent !== null && covered.has(parent))) covered.add(id);
      yield rowOf(node, covered.has(id));
    }
  }
}

/** `covered`: a hold is set on the agent or above it. */
export function rowOf({ head, subtree }: Node, covered: boolean): TreeRow {
  return {
    id: head.agent,
    parentId: head.parent,
    level: head.level,
    name: head.name,
    status: shownStatus(head.status, covered),
    waitingFor: head.waitingFor,
    holds: head.held,
    model: head.execution.model,
    ...(head.execution.subagent !== undefined && { subagent: head.execution.subagent }),
    turns: head.turns,
    usage: head.usage,
    costUsd: head.costUsd,
    estimatedUsd: head.estimatedUsd,
    subtree: copyOf(subtree),
    activity: head.activity,
    error: head.error,
    artifacts: head.artifacts.length,
    seq: head.seq,
    createdTime: head.createdTime,
    time: head.time,
  };
}
