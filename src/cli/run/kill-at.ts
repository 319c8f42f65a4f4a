/**
 * A drill that anyone can run: the process kills itself, with the signal that no process survives, after so many events were
 * acknowledged. What was acknowledged until then can be written down first, as a witness for whoever looks afterwards.
 */
import { writeFileSync } from "node:fs";
import type { AgentId } from "../../base/ids.ts";
import type { Coordinator } from "../../coordinator/coordinator.ts";

export interface Drill {
  /** Durable events of this process after which it dies. */
  readonly killAt: number;
  /** File that gets `{agent: seq}` of every agent, as acknowledged. */
  readonly logFile?: string | undefined;
}

export function killAt(coordinator: Coordinator, { killAt: last, logFile }: Drill): void {
  let events = 0;
  coordinator.watch((_agent, recorded) => {
    events += recorded.length;
    if (events < last) return;
    if (logFile !== undefined) writeFileSync(logFile, JSON.stringify(acknowledged(coordinator)));
    dieNow();
  });
}

/** Nothing is flushed, closed or said. */
export function dieNow(): void {
  process.kill(process.pid, "SIGKILL");
}

/** The sequence of every agent's newest acknowledged event. */
function acknowledged({ forest }: Coordinator): Record<AgentId, number> {
  return Object.fromEntries([...forest.nodes()].map(({ head }) => [head.agent, head.seq]));
}
