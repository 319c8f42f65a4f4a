/** Answers about how the fleet stood, from the changes of its agents. */
import { STATUSES, WAITS } from "../agent/status.ts";
import type { AgentId } from "../base/ids.ts";
import type { StatusHistory } from "../runtime/history.ts";
import type { Change } from "../telemetry/changes.ts";
import type { ChangesPiece, Moment } from "./contract/history.ts";

const WORDS = { statuses: [...STATUSES], waits: [...WAITS] };

export async function momentAt(history: StatusHistory, time: number): Promise<Moment> {
  const stood = new Map<AgentId, Change>();
  for await (const changes of history.read()) {
    for (const change of changes) {
      const known = stood.get(change.agent);
      if (change.time <= time && (known === undefined || known.seq <= change.seq)) stood.set(change.agent, change);
    }
  }
  const changes = [...stood.values()];
  return { time, ...WORDS, agents: changes.map(({ agent }) => agent), ...looksOf(changes) };
}

/** Of all agents, or of some. */
export async function* changesIn(history: StatusHistory, of?: readonly AgentId[]): AsyncGenerator<ChangesPiece[]> {
  const numbers = new Map<AgentId, number>();
  const wanted = of && new Set(of);
  for await (const all of history.read()) {
    const changes = wanted ? all.filter(({ agent }) => wanted.has(agent)) : all;
    if (changes.length === 0) continue;
    const agents: AgentId[] = [];
    const agent = changes.map((change) => {
      const known = numbers.get(change.agent);
      if (known !== undefined) return known;
      agents.push(change.agent);
      numbers.set(change.agent, numbers.size);
      return numbers.size - 1;
    });
    const [seq, time] = [changes.map((change) => change.seq), changes.map((change) => change.time)];
    const rewinds = changes.flatMap(({ rewoundTo }, change) => (rewoundTo === null ? [] : { change, to: rewoundTo }));
    yield [{ ...WORDS, agents, agent, seq, time, ...looksOf(changes), rewinds }];
  }
}

function looksOf(changes: readonly Change[]): Pick<Moment, "status" | "waiting" | "held" | "costUsd"> {
  return {
    status: changes.map(({ status }) => STATUSES.indexOf(status)),
    waiting: changes.map(({ waitingFor }) => (waitingFor === null ? -1 : WAITS.indexOf(waitingFor))),
    held: changes.map(({ held }) => (held ? 1 : 0)),
    costUsd: changes.map(({ costUsd }) => Math.round(costUsd * 1e6) / 1e6),
  };
}
