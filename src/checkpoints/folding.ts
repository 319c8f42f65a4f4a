/**
 * Folds all agents of a journal, each record once: a fork goes on from the state that its origin had there, which is kept from
 * when the origin was folded. Origins begin before their forks, so one pass in the order of first records is enough.
 */
import { isDeepStrictEqual } from "node:util";
import { decodeEvent } from "../agent/codec.ts";
import { evolve } from "../agent/evolve.ts";
import type { State } from "../agent/state.ts";
import { summaryOf } from "../agent/summary.ts";
import type { AgentId } from "../base/ids.ts";
import type { JournalHead, StoredRecord } from "../journal/journal.ts";

export interface Fold {
  /** Folds the agent's next record. Returns what is wrong: once, for nothing can be folded behind it. */
  next(record: StoredRecord): string | undefined;
  /** Something is wrong with a record that was not folded: nothing can be folded behind it either. */
  stop(): void;
}

export class Folding {
  /** The states at which forks begin, by agent and sequence. */
  readonly #states = new Map<string, State>();
  readonly #forkPoints = new Set<string>();

  constructor(heads: Iterable<JournalHead>) {
    for (const { origin } of heads) if (origin) this.#forkPoints.add(placeOf(origin.agent, origin.seq));
  }

  /** The fold of one agent, for all its records in order. */
  begin({ agent, origin, summary }: JournalHead): Fold {
    let state = origin && this.#states.get(placeOf(origin.agent, origin.seq));
    let broken = false;
    const next = (record: StoredRecord) => {
      if (broken) return undefined;
      broken = true;
      if (origin && !state) return `its past, ${origin.agent} up to ${origin.seq}, cannot be folded`;
      try {
        const { seq, time, type, body } = record;
        state = evolve(agent, state, { seq, time, event: decodeEvent(type, body) });
      } catch (error) {
        return `the event cannot follow: ${error instanceof Error ? error.message : String(error)}`;
      }
      broken = false;
      const place = placeOf(agent, record.seq);
      if (this.#forkPoints.has(place)) this.#states.set(place, state);
      if (summary?.seq !== record.seq || stands(summary.text, state)) return undefined;
      return "the summary is not what the journal folds to";
    };
    const stop = () => {
      broken = true;
    };
    return { next, stop };
  }
}

function placeOf(agent: AgentId, seq: number): string {
  return `${agent} ${seq}`;
}

/** True when the summary stands for the state. The first ones that were written were the head as JSON. */
function stands(text: string, { head }: State): boolean {
  if (text === summaryOf(head)) return true;
  try {
    return isDeepStrictEqual(JSON.parse(text), JSON.parse(JSON.stringify(head)));
  } catch {
    return false;
  }
}
