/** Background processes of agents, as rows. */
import type { AgentId } from "../base/ids.ts";
import type { Runtime } from "../runtime/open.ts";
import type { ProcessRow } from "./contract/agent.ts";
import { pathOf } from "./select.ts";

/** Of one agent, ended ones too. */
export async function processesOf({ coordinator }: Runtime, agent: AgentId): Promise<ProcessRow[]> {
  const path = pathOf(coordinator.forest, agent);
  const all = await coordinator.processes(agent);
  return all.map(({ pid, end, digest, argv, ...info }) => ({
    ...info,
    agent,
    path,
    argv: [...argv],
    pid: pid ?? null,
    end: end ?? null,
    digest: digest ?? null,
  }));
}

/** A batch an agent. Reads only agents that have, or had, a process: the heads say which. */
export async function* processRows(
  runtime: Runtime,
  agent: AgentId | undefined,
  { subtree, ended }: { subtree: boolean; ended: boolean },
): AsyncGenerator<ProcessRow[]> {
  const { forest } = runtime.coordinator;
  const below = agent === undefined ? forest.nodes() : forest.subtree(agent);
  const nodes = agent === undefined || subtree ? [...below] : [...below].slice(0, 1);
  for (const { head } of nodes) {
    if (head.processes === undefined || (head.processes === 0 && !ended)) continue;
    const rows = (await processesOf(runtime, head.agent)).filter(({ phase }) => ended || phase !== "ended");
    if (rows.length > 0) yield rows;
  }
}
