/** What an action on an agent would touch: said before it is done. */
import { at } from "./columns.ts";
import type { Fleet } from "./fleet.ts";

export interface Touched {
  readonly agents: number;
  readonly live: number;
  readonly running: number;
  readonly costUsd: number;
}

/** The agent alone, or with all below it. */
export function touched(fleet: Fleet, agent: number, below: boolean): Touched {
  const statusIs = (word: string) => {
    const index = fleet.statuses.indexOf(word);
    if (index < 0) return 0;
    return below ? fleet.sums.inStatus(agent, index) : Number(at(fleet.status, agent) === index);
  };
  const agents = below ? at(fleet.sums.agents, agent) : 1;
  const ended = statusIs("completed") + statusIs("failed") + statusIs("cancelled");
  return {
    agents,
    live: agents - ended,
    running: statusIs("running"),
    costUsd: below ? fleet.subtreeUsd(agent) : fleet.costUsd(agent),
  };
}
