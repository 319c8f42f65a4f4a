/** Agents that are counted instead of shown. */
import type { Status } from "../agent/status.ts";
import type { Rest } from "./contract/overview.ts";

/** Of siblings, each with its status and the agents of its subtree. */
export function restOf(siblings: Iterable<readonly [status: Status, agents: number]>): Rest {
  const byStatus: Rest["byStatus"] = {};
  let count = 0;
  let agents = 0;
  for (const [status, below] of siblings) {
    byStatus[status] = (byStatus[status] ?? 0) + 1;
    count += 1;
    agents += below;
  }
  return { count, agents, byStatus };
}
