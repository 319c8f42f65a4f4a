/** A handle on one agent: every verb that a person has, as a method of the same name. Holds nothing but the id. */
import { decodeEvent } from "../agent/codec.ts";
import type { AgentEvent, ArtifactReference, Budget, EventOf, Failure } from "../agent/events.ts";
import type { Node } from "../agent/forest.ts";
import type { Entry, Head } from "../agent/state.ts";
import type { Status } from "../agent/status.ts";
import type { Usage } from "../agent/usage.ts";
import { BanyanError } from "../base/errors.ts";
import type { AgentId } from "../base/ids.ts";
import type { ForkOptions } from "../coordinator/fork.ts";
import type { Runtime } from "./open.ts";
import { executionOf, registerModel, type SpawnOptions, specOf } from "./spawn-options.ts";

/** A place in an agent's past to which it can be rewound, and from which it can be forked. */
export interface Checkpoint {
  readonly agent: AgentId;
  readonly seq: number;
  readonly name?: string;
}

/** An event of any agent, where it stands. */
export interface FollowedEvent {
  readonly agent: AgentId;
  readonly seq: number;
  /** Its place in the order of all events of the data; follow from here to go on later. */
  readonly position: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly event: AgentEvent;
}

export interface Result {
  readonly status: Extract<Status, "completed" | "failed" | "cancelled">;
  readonly output: string;
  readonly error: Failure | undefined;
  readonly artifacts: readonly ArtifactReference[];
  /** Over the agent and all below it, as are the next three. */
  readonly usage: Usage;
  readonly costUsd: number;
  readonly agents: number;
  readonly turns: number;
}

export class Agent {
  readonly id: AgentId;
  readonly #runtime: Runtime;

  /** @internal Handles come from `Banyan`. */
  constructor(runtime: Runtime, id: AgentId) {
    this.#runtime = runtime;
    this.id = id;
  }

  /** How it stands now. */
  get head(): Head {
    return this.#node.head;
  }

  /** The status to show: a hold above it counts. */
  get status(): Status {
    return this.#coordinator.forest.status(this.id);
  }

  get parent(): Agent | undefined {
    const { parent } = this.head;
    return parent === null ? undefined : new Agent(this.#runtime, parent);
  }

  get children(): Agent[] {
    return this.#node.children.map(({ head }) => new Agent(this.#runtime, head.agent));
  }

  /** The conversation, oldest first; after event `at` when it is given. */
  async messages({ at }: { at?: number } = {}): Promise<Entry[]> {
    return [...(await this.#coordinator.state(this.id, at)).entries];
  }

  /**
   * Its events from the first on (or after `after`, a position), then new ones as they become durable; with `subtree` those of
   * all below it too. Ends when the agent has ended.
   */
  async *events({ subtree = false, after, signal }: FollowOptions = {}): AsyncGenerator<FollowedEvent> {
    const { journal } = this.#runtime.services;
    const own = new AbortController();
    const stop = signal ? AbortSignal.any([signal, own.signal]) : own.signal;
    const from = after ?? (await this.#firstPosition()) - 1;
    const members = new Set([this.id]);
    if (subtree) for (const { head } of this.#coordinator.forest.subtree(this.id)) members.add(head.agent);
    try {
      for await (const records of journal.follow(from, stop)) {
        for (const { agent, seq, position, time, type, body } of records) {
          const event = decodeEvent(type, body);
          if (subtree && isBirth(event) && event.parent !== null && members.has(event.parent)) members.add(agent);
          if (!members.has(agent)) continue;
          yield { agent, seq, position, time, event };
          if (agent === this.id && isEnd(event) && (await this.#coordinator.ended(this.id)).seq === seq) return;
        }
      }
    } finally {
      own.abort();
    }
  }

  /** Spawns a child with this agent's model, tools and rights, or with fewer. @throws AGENT_ENDED, LEVELS_EXCEEDED */
  async spawn(options: SpawnOptions): Promise<Agent> {
    if (options.model) registerModel(this.#runtime, options.model);
    const state = await this.#coordinator.state(this.id);
    const { rights, execution } = state.head;
    const own = options.model ? executionOf(options.model, options) : execution;
    const spec = specOf(this.#runtime, options, own, { tools: state.tools, rights });
    return new Agent(this.#runtime, await this.#coordinator.spawnChild(this.id, spec));
  }

  /** Holds the subtree: once this resolves no model call starts in it. With `interrupt`, calls in flight stop too. */
  pause(options: { reason?: string; interrupt?: boolean } = {}): Promise<void> {
    return this.#coordinator.control.pause(this.id, options);
  }

  /** Releases the hold. @throws NOT_HELD */
  resume(): Promise<void> {
    return this.#coordinator.control.resume(this.id);
  }

  /** Stops what is in flight and keeps what was said; the agent then waits for a message or `resume`. */
  interrupt(options: { subtree?: boolean } = {}): Promise<number> {
    return this.#coordinator.control.interrupt(this.id, options);
  }

  /** Puts a message into its inbox; it reads it before its next turn. A repeated `id` is delivered once. */
  send(text: string, options: { id?: string } = {}): Promise<void> {
    return this.#coordinator.control.send(this.id, text, options);
  }

  cancel(options: { reason?: string } = {}): Promise<void> {
    return this.#coordinator.control.cancel(this.id, options);
  }

  /** Goes on from an earlier point of its conversation. @throws CHECKPOINT_NOT_FOUND */
  rewind(to: Checkpoint | number): Promise<void> {
    return this.#coordinator.control.rewind(this.id, typeof to === "number" ? to : to.seq);
  }

  /** A new agent with this one's past; this one runs on. @throws CHECKPOINT_NOT_FOUND */
  async fork({ at, ...options }: Omit<ForkOptions, "at"> & { at?: Checkpoint | number } = {}): Promise<Agent> {
    const seq = typeof at === "object" ? at.seq : at;
    return new Agent(this.#runtime, await this.#coordinator.fork(this.id, { ...options, at: seq }));
  }

  /** Names the present as a restore point. */
  async checkpoint(name: string): Promise<Checkpoint> {
    return { agent: this.id, seq: await this.#coordinator.control.checkpoint(this.id, name), name };
  }

  /** Says what to do with a call whose outcome is unknown, when its tool asks. @throws CALL_NOT_FOUND */
  answer(callId: string, decision: "rerun" | "report"): Promise<void> {
    return this.#coordinator.control.answer(this.id, callId, decision);
  }

  setBudget(budget: Budget): Promise<void> {
    return this.#coordinator.control.setBudget(this.id, budget);
  }

  /** Waits for its end. Never rejects because the agent failed: `status` and `error` say so. */
  async result(): Promise<Result> {
    const head = await this.#coordinator.ended(this.id);
    const { contents } = this.#runtime.services;
    const { usage, costUsd, agents, turns } = this.#node.subtree;
    return {
      status: head.status as Result["status"],
      output: head.output === null ? "" : await contents.fetch(head.output),
      error: head.error ?? undefined,
      artifacts: head.artifacts,
      usage,
      costUsd,
      agents,
      turns,
    };
  }

  get #coordinator() {
    return this.#runtime.coordinator;
  }

  get #node(): Node {
    const node = this.#coordinator.forest.get(this.id);
    if (!node) throw new BanyanError("AGENT_NOT_FOUND", `no agent ${this.id}`, { agent: this.id });
    return node;
  }

  async #firstPosition(): Promise<number> {
    const { journal } = this.#runtime.services;
    const first = (this.head.origin?.seq ?? 0) + 1;
    const position = await journal.positionOf(this.id, first);
    if (position === undefined)
      throw new BanyanError("AGENT_NOT_FOUND", `${this.id} has no first event`, { agent: this.id });
    return position;
  }
}

function isBirth(event: AgentEvent): event is EventOf<"agent.created"> | EventOf<"agent.forked"> {
  return event.type === "agent.created" || event.type === "agent.forked";
}

function isEnd({ type }: AgentEvent): boolean {
  return type === "agent.completed" || type === "agent.failed" || type === "agent.cancelled";
}

export interface FollowOptions {
  readonly subtree?: boolean;
  readonly after?: number;
  readonly signal?: AbortSignal;
}
