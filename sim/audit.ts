/**
 * The auditor: it folds what became durable, in the order in which it did, with nothing of the coordinator in between. What
 * the checkers compare the coordinator with.
 */
import { checkEvent, decodeEvent } from "../src/agent/codec.ts";
import type { Recorded } from "../src/agent/events.ts";
import { evolve } from "../src/agent/evolve.ts";
import type { Head, State } from "../src/agent/state.ts";
import { hasEnded } from "../src/agent/status.ts";
import type { AgentId } from "../src/base/ids.ts";
import type { StoredRecord } from "../src/journal/journal.ts";
import type { MemoryStore } from "../src/journal/memory/memory-journal.ts";
import type { World } from "./world.ts";

/** One event as it became durable. `before` is undefined for an agent's first. */
export interface Step {
  readonly agent: AgentId;
  readonly position: number;
  readonly before: State | undefined;
  readonly recorded: Recorded;
  readonly after: State;
}

export type StepListener = (step: Step) => void;

export class Audit {
  readonly states = new Map<AgentId, State>();
  readonly #world: World;
  readonly #store: MemoryStore;
  readonly #listeners: StepListener[] = [];
  #read = 0;

  constructor(world: World, store: MemoryStore) {
    this.#world = world;
    this.#store = store;
  }

  /** Adds a listener that is told of every event, in order. */
  onStep(listener: StepListener): void {
    this.#listeners.push(listener);
  }

  /** Events that became durable so far. */
  get position(): number {
    return this.#store.order.length;
  }

  /** Takes in what became durable since. */
  sync(): void {
    for (; this.#read < this.#store.order.length; this.#read++) {
      const record = this.#store.order[this.#read] as StoredRecord;
      try {
        this.#take(record);
      } catch (error) {
        this.#world.fail("fold", `${record.agent} event ${record.seq} (${record.type}): ${String(error)}`);
        return;
      }
    }
  }

  head(agent: AgentId): Head | undefined {
    return this.states.get(agent)?.head;
  }

  /** The agent, then its ancestors. */
  *path(agent: AgentId): Generator<Head> {
    for (let head = this.head(agent); head; head = head.parent === null ? undefined : this.head(head.parent))
      yield head;
  }

  /** True when an ancestor has ended. */
  isOrphan(agent: AgentId): boolean {
    return [...this.path(agent)].slice(1).some(({ status }) => hasEnded(status));
  }

  /** True when a hold covers the agent. */
  isHeld(agent: AgentId): boolean {
    return [...this.path(agent)].some(({ held }) => held);
  }

  /** Heads of the agent and all below it. */
  subtree(agent: AgentId): Head[] {
    return [...this.states.values()].flatMap(({ head }) => {
      return [...this.path(head.agent)].some((each) => each.agent === agent) ? [head] : [];
    });
  }

  /** The state after event `seq`, folded from the first record on. */
  stateAt(agent: AgentId, seq: number): State | undefined {
    const log = this.#store.logs.get(agent);
    if (!log) return undefined;
    let state = log.origin && this.stateAt(log.origin.agent, Math.min(seq, log.origin.seq));
    for (const { seq: at, time, type, body } of log.records) {
      if (at > seq) break;
      state = evolve(agent, state, { seq: at, time, event: decodeEvent(type, body) });
    }
    return state;
  }

  #take({ agent, seq, time, type, body, position }: StoredRecord): void {
    const wrong = checkEvent(type, body);
    if (wrong !== undefined) this.#world.fail("event", `${agent} event ${seq} (${type}) is none: ${wrong}`);
    const event = decodeEvent(type, body);
    const before = this.states.get(agent);
    const past = event.type === "agent.forked" ? this.stateAt(event.origin.agent, event.origin.seq) : before;
    const recorded = { seq, time, event };
    const after = evolve(agent, past, recorded);
    this.states.set(agent, after);
    this.#world.count(`event ${type}`);
    for (const listener of this.#listeners) listener({ agent, position, before, recorded, after });
  }
}

/** The state as plain data: two states are the same when their texts are. */
export function textOf(state: State): string {
  const { entries, children, receivedIds, ...rest } = state;
  const parts = { entries: [...entries], children: [...children.values()], receivedIds: [...receivedIds] };
  return JSON.stringify({ ...rest, ...parts, head: inOrder(state.head) });
}

/** The head with its fields in one order: a summary tells some of them later than a fold does. */
export function inOrder(head: Head): Head {
  return Object.fromEntries(Object.entries(head).sort(([a], [b]) => (a < b ? -1 : 1))) as unknown as Head;
}
