/** A handle on one agent: every verb that a person has, as a method of the same name. Holds nothing but the id. */
import type { ArtifactReference, Budget, Failure } from "../agent/events.ts";
import type { Node } from "../agent/forest-node.ts";
import type { Entry, Head } from "../agent/state.ts";
import type { Status } from "../agent/status.ts";
import { copyOf } from "../agent/sums.ts";
import type { Usage } from "../agent/usage.ts";
import { BanyanError } from "../base/errors.ts";
import type { AgentId } from "../base/ids.ts";
import type { CheckpointDiff } from "../checkpoints/diff.ts";
import { KEEP_DEFAULT, type KeepPolicy } from "../checkpoints/keep-policy.ts";
import type { ListedCheckpoint } from "../checkpoints/listing.ts";
import type { FileChanges, RestorePoint, Rotated } from "../coordinator/checkpoints.ts";
import type { ForkOptions } from "../coordinator/fork.ts";
import { type FollowedEvent, loggedEvents } from "./events.ts";
import type { Runtime } from "./open.ts";
import { executionOf, provide, type SpawnOptions, specOf } from "./spawn-options.ts";

/** A place in an agent's past to which it can be rewound, and from which it can be forked. */
export interface Checkpoint {
  readonly agent: AgentId;
  readonly seq: number;
  readonly name?: string;
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
    const { entries } = await this.#coordinator.state(this.id, at);
    await entries.unpack();
    return [...entries];
  }

  /**
   * Its events from the first on (or after `after`, a position), then new ones as they become durable; with `subtree` those of
   * all below it too. Ends when the agent, or with `subtree` all of that, has ended and its last event has been handed over.
   */
  async *events({ subtree = false, after, signal }: FollowOptions = {}): AsyncGenerator<FollowedEvent> {
    const never = new AbortController().signal;
    const wanted = { agent: this.id, subtree, after, follow: true, signal: signal ?? never };
    for await (const batch of loggedEvents(this.#runtime, wanted)) yield* batch;
  }

  /** Spawns a child with this agent's model, tools and rights, or with fewer. @throws AGENT_ENDED, LEVELS_EXCEEDED */
  async spawn(options: SpawnOptions): Promise<Agent> {
    provide(this.#runtime, options);
    const state = await this.#coordinator.state(this.id);
    const { rights, execution } = state.head;
    const own = options.model || options.driver ? executionOf(options) : execution;
    const askFirst = [...new Set([...(execution.askFirst ?? []), ...(options.askFirst ?? [])])];
    const spec = specOf(
      this.#runtime,
      options,
      { ...own, ...(askFirst.length > 0 && { askFirst }) },
      { tools: state.tools, rights },
    );
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

  /** Goes on from an earlier point of its conversation; with `files` its folder goes back too, if it was kept. @throws CHECKPOINT_NOT_FOUND */
  async rewind(to: Checkpoint | RestorePoint, options: { files?: boolean } = {}): Promise<void> {
    const { checkpoints, control } = this.#coordinator;
    await control.rewind(this.id, await checkpoints.resolve(this.id, pointOf(to)), options);
  }

  /** A new agent with this one's past; this one runs on. @throws CHECKPOINT_NOT_FOUND */
  async fork({ at, ...options }: Omit<ForkOptions, "at"> & { at?: Checkpoint | RestorePoint } = {}): Promise<Agent> {
    const seq = at === undefined ? undefined : await this.#coordinator.checkpoints.resolve(this.id, pointOf(at));
    return new Agent(this.#runtime, await this.#coordinator.fork(this.id, { ...options, at: seq }));
  }

  /**
   * Names the present, or the event `at`, as a restore point; a pinned one is never forgotten. With `files` what stands in its folder
   * now is kept with it.
   */
  async checkpoint(name: string, options: { at?: number; pin?: boolean; files?: boolean } = {}): Promise<Checkpoint> {
    return { agent: this.id, seq: await this.#coordinator.control.checkpoint(this.id, name, options), name };
  }

  /** Restore points that stand out: named ones, those at which forks begin, those at which it came to rest. */
  checkpoints(): Promise<ListedCheckpoint[]> {
    return this.#coordinator.checkpoints.list(this.id);
  }

  /** What happened after one restore point, up to another, or up to now. @throws CHECKPOINT_NOT_FOUND */
  diffCheckpoints(
    from: Checkpoint | RestorePoint,
    to?: Checkpoint | RestorePoint,
  ): Promise<CheckpointDiff & FileChanges> {
    return this.#coordinator.checkpoints.diff(this.id, pointOf(from), to === undefined ? undefined : pointOf(to));
  }

  /** Has a restore point kept until it is unpinned. @throws CHECKPOINT_NOT_FOUND */
  async pinCheckpoint(point: Checkpoint | RestorePoint): Promise<void> {
    await this.#coordinator.checkpoints.pin(this.id, pointOf(point));
  }

  /** Forgets named checkpoints that a policy does not keep; what it leaves out is as by default. Says why each other one is kept. */
  forgetCheckpoints(policy: Partial<KeepPolicy> = {}, options: { dryRun?: boolean } = {}): Promise<Rotated[]> {
    const now = this.#runtime.services.clock.now();
    return this.#coordinator.checkpoints.rotate(this.id, { ...KEEP_DEFAULT, ...policy }, { now, ...options });
  }

  /** @throws CHECKPOINT_NOT_FOUND */
  async unpinCheckpoint(point: Checkpoint | RestorePoint): Promise<void> {
    await this.#coordinator.checkpoints.unpin(this.id, pointOf(point));
  }

  /**
   * Answers a call that waits for a person, because its tool is one of `askFirst`, Claude Code's own rules do not let it pass, or its
   * outcome is unknown: `rerun` has it run, `report` tells the model that it did not, or that nobody knows, and the reason.
   * @throws CALL_NOT_FOUND
   */
  answer(callId: string, decision: "rerun" | "report", options: { reason?: string } = {}): Promise<void> {
    return this.#coordinator.control.answer(this.id, callId, decision, options);
  }

  setBudget(budget: Budget): Promise<void> {
    return this.#coordinator.control.setBudget(this.id, budget);
  }

  /** Waits for its end. Never rejects because the agent failed: `status` and `error` say so. */
  async result(): Promise<Result> {
    const head = await this.#coordinator.ended(this.id);
    const { contents } = this.#runtime.services;
    const output = await this.#coordinator.output(this.id);
    const { usage, costUsd, agents, turns } = copyOf(this.#node.subtree);
    return {
      status: head.status as Result["status"],
      output: output === null ? "" : await contents.fetch(output),
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
}

function pointOf(point: Checkpoint | RestorePoint): RestorePoint {
  return typeof point === "object" ? point.seq : point;
}

export interface FollowOptions {
  readonly subtree?: boolean;
  readonly after?: number;
  readonly signal?: AbortSignal;
}
