/** A restore point in detail, as the contract shows it. */
import type { AgentId } from "../base/ids.ts";
import type { RestorePoint } from "../coordinator/checkpoints.ts";
import type { Runtime } from "../runtime/open.ts";
import type { CheckpointDetail } from "./contract/checkpoint.ts";
import { transcript } from "./transcript.ts";

/** @throws CHECKPOINT_NOT_FOUND */
export async function checkpointDetailOf(
  { coordinator }: Runtime,
  agent: AgentId,
  point: RestorePoint,
): Promise<CheckpointDetail> {
  const { checkpoints } = await coordinator.state(agent);
  const { head, entries, inbox, children } = await coordinator.checkpoints.state(agent, point);
  const named = checkpoints.filter(({ at }) => at === head.seq);
  const newest = entries.at(-1);
  const [last = null] = newest ? transcript([newest]) : [];
  return {
    seq: head.seq,
    time: head.time,
    names: named.map(({ name }) => name),
    pinned: named.some(({ pinned }) => pinned),
    status: head.held ? "held" : head.status,
    waitingFor: head.waitingFor,
    turns: head.turns,
    usage: head.usage,
    costUsd: head.costUsd,
    entries: entries.length,
    last,
    unread: inbox.length,
    children: [...children.values()]
      .filter(({ cut }) => !cut)
      .map(({ agent: child, name, ended }) => ({ agent: child, name, ended: ended !== undefined })),
    made: [...head.artifacts],
    tree: (await coordinator.checkpoints.tree(agent, head.seq)) ?? null,
  };
}
