/** How the agents of a process do, and what they lack. */
import { hasEnded, shownStatus } from "../agent/status.ts";
import type { Runtime } from "../runtime/open.ts";
import type { Stats } from "./contract/fleet.ts";
import type { RecentAnswers } from "./recent.ts";
import { seeAll } from "./see-all.ts";

/** `live`: this process has the data open for work. */
export async function statsOf(runtime: Runtime, live: boolean, recent: RecentAnswers): Promise<Stats> {
  const { coordinator, services, recovery } = runtime;
  const { forest, load } = coordinator;
  const { byStatus, living, missing } = await countsOf(runtime, recent);
  return {
    pid: live ? process.pid : null,
    position: await services.journal.position(),
    trees: forest.roots().length,
    agents: forest.size,
    live: living,
    byStatus,
    working: load.working,
    waitingForSlot: load.waiting,
    missingModels: [...missing].map(([model, agents]) => ({ model, agents })),
    providers: coordinator.providers,
    pool: coordinator.pool,
    throttled: coordinator.throttled,
    damaged: recovery.damaged.map(({ agent, error }) => ({
      agent,
      error: { code: error.code, message: error.message },
    })),
    memoryBytes: process.memoryUsage.rss(),
  };
}

/** What takes a look at every agent. */
export interface Counts {
  /** As they are shown: one that a hold covers is held. */
  readonly byStatus: Readonly<Record<string, number>>;
  readonly living: number;
  /** Living agents by the model that they need and nobody registered. */
  readonly missing: ReadonlyMap<string, number>;
  /** Background processes that run, or wait to be started again. */
  readonly processes: number;
  /** Names of artifacts, and the bytes that they stand for; a content that two names stand for counts twice. */
  readonly artifacts: number;
  readonly artifactBytes: number;
}

export function countsOf(runtime: Runtime, recent: RecentAnswers): Promise<Counts> {
  return recent.get("stats", runtime.coordinator.forest.size, () => lookAt(runtime));
}

async function lookAt({ coordinator: { forest }, services: { driver } }: Runtime): Promise<Counts> {
  const byStatus: Record<string, number> = {};
  const missing = new Map<string, number>();
  let [living, processes, artifacts, artifactBytes] = [0, 0, 0, 0];
  await seeAll(forest, forest.roots(), ({ head }, covered) => {
    const status = shownStatus(head.status, covered);
    byStatus[status] = (byStatus[status] ?? 0) + 1;
    processes += head.processes ?? 0;
    artifacts += head.artifacts.length;
    for (const { bytes } of head.artifacts) artifactBytes += bytes;
    if (hasEnded(head.status)) return;
    living += 1;
    if (driver.missing(head.execution) === undefined) return;
    const { provider, model } = head.execution;
    const name = `${provider}/${model}`;
    missing.set(name, (missing.get(name) ?? 0) + 1);
  });
  return { byStatus, living, missing, processes, artifacts, artifactBytes };
}
