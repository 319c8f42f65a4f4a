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
  const { byStatus, living, missing } = await recent.get("stats", forest.size, () => countsOf(runtime));
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

async function countsOf({ coordinator: { forest }, services: { driver } }: Runtime) {
  const byStatus: Record<string, number> = {};
  const missing = new Map<string, number>();
  let living = 0;
  await seeAll(forest, forest.roots(), ({ head }, covered) => {
    const status = shownStatus(head.status, covered);
    byStatus[status] = (byStatus[status] ?? 0) + 1;
    if (hasEnded(head.status)) return;
    living += 1;
    if (driver.missing(head.execution) === undefined) return;
    const { provider, model } = head.execution;
    const name = `${provider}/${model}`;
    missing.set(name, (missing.get(name) ?? 0) + 1);
  });
  return { byStatus, missing, living };
}
