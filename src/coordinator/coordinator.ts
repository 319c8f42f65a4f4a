/**
 * Level 0's hands: the one service through which agents are spawned, run and commanded. It joins the parts of this
 * floor; each part says what it promises.
 */
import type { Content } from "../agent/content.ts";
import type { Recorded } from "../agent/events.ts";
import type { Forest } from "../agent/forest.ts";
import type { Head, State } from "../agent/state.ts";
import { hasEnded, wantsWork } from "../agent/status.ts";
import { ArtifactQuota } from "../artifacts/quota.ts";
import { asBanyanError, BanyanError } from "../base/errors.ts";
import type { AgentId } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";
import { Snapshotter } from "../checkpoints/snapshotter.ts";
import type { ProcessInfo } from "../tools/tool.ts";
import type { Cell } from "./cell.ts";
import { Checkpoints } from "./checkpoints.ts";
import { Control } from "./control.ts";
import { afterCommit } from "./ends.ts";
import { Files } from "./files.ts";
import { foldAgent, outputOf } from "./fold.ts";
import { Forking, type ForkOptions } from "./fork.ts";
import { HeadKeeper } from "./head-keeper.ts";
import { Places } from "./places.ts";
import { claimWaitMsOf, type PoolWatcher } from "./pool/events.ts";
import type { PoolFigures } from "./pool/figures.ts";
import type { PoolOptions } from "./pool/pool.ts";
import { Processes } from "./processes.ts";
import { goOn, type Recovery, recall } from "./recovery.ts";
import { Roster } from "./roster.ts";
import type { Services } from "./services.ts";
import { Spawning, type SpawnSpec } from "./spawn.ts";
import { Throttle, type ThrottleFigures } from "./throttle/throttle.ts";
import { toolContexts } from "./tool-context.ts";
import { Work } from "./work.ts";

export interface CoordinatorOptions {
  /** Agents that call a model or run tools at once. Default LIMITS.runningMax. */
  readonly runningMax?: number | undefined;
  /** Children of one agent at work at once. Default LIMITS.childrenLiveMax. */
  readonly childrenLiveMax?: number | undefined;
  /** What sessions may take. */
  readonly pool?: PoolOptions | undefined;
  /** Forks and spawns (its root included) of one tree, and of all trees of one tenant, a minute. Default LIMITS.forksPerMinuteDefault for the first; the others have no bound. */
  readonly forksPerMinute?: number | undefined;
  readonly tenantForksPerMinute?: number | undefined;
  readonly spawnsPerMinute?: number | undefined;
  readonly tenantSpawnsPerMinute?: number | undefined;
  /** Levels below a root, and living agents of one tree. Default LIMITS.levelsDefault, treeLiveDefault. */
  readonly levelsMax?: number | undefined;
  readonly treeLiveMax?: number | undefined;
  /** Bytes that the artifacts of one tree, and of all trees of one tenant, may have. Without them there is no bound. */
  readonly treeArtifactBytesMax?: number | undefined;
  readonly tenantArtifactBytesMax?: number | undefined;
  /** Characters of records after which a snapshot of an agent is due. Default LIMITS.snapshotTailMin. */
  readonly snapshotTailMin?: number | undefined;
  /** Agents from which on the heads of all are kept in one piece. Default LIMITS.headsKeptMin. */
  readonly headsKeptMin?: number | undefined;
  /** Nothing is written beside what commands bring about. */
  readonly readOnly?: boolean | undefined;
  /** Told of an error that ended an agent's loop and is nobody's answer: damaged data, a failed disk, a bug. */
  readonly onFault?: ((agent: AgentId, error: unknown) => void) | undefined;
}

export type CommitWatcher = (agent: AgentId, recorded: readonly Recorded[], head: Head) => void;
export type DeltaWatcher = (agent: AgentId, text: string) => void;

interface Awaited {
  readonly resolve: (head: Head) => void;
  readonly reject: (error: BanyanError) => void;
}

export class Coordinator {
  readonly #onFault: (agent: AgentId, error: unknown) => void;
  readonly #services: Services;
  readonly #roster: Roster;
  readonly #work: Work;
  readonly #spawning: Spawning;
  readonly #forking: Forking;
  readonly #spawns: Throttle;
  readonly #forks: Throttle;
  readonly #processes: Processes;
  readonly control: Control;
  readonly checkpoints: Checkpoints;
  readonly #commitWatchers = new Set<CommitWatcher>();
  readonly #deltaWatchers = new Set<DeltaWatcher>();
  /** Those who wait for an agent's end, or to be told that the runtime stopped first. */
  readonly #awaited = new Map<AgentId, Awaited[]>();
  readonly #snapshotter: Snapshotter;
  readonly #headKeeper: HeadKeeper;
  /** It works, and could read every agent. */
  #keepsHeads = false;
  /** What follows from commits and is not done yet. */
  readonly #following = new Set<Promise<unknown>>();
  readonly #stopping = new AbortController();
  #stopped: Promise<void> | undefined;

  constructor(services: Services, options: CoordinatorOptions = {}) {
    const onFault = options.onFault ?? (() => undefined);
    this.#onFault = onFault;
    this.#services = services;
    const { journal, snapshots, clock } = services;
    const past = { journal, snapshots, onBadSnapshot: onFault };
    this.#snapshotter = new Snapshotter({ ...past, onFault, tailMin: options.snapshotTailMin });
    this.#roster = new Roster({ past, clock, snapshotter: options.readOnly ? undefined : this.#snapshotter });
    this.#headKeeper = new HeadKeeper({
      services,
      roster: this.#roster,
      agentsMin: options.headsKeptMin ?? LIMITS.headsKeptMin,
      onFault: (error) => onFault(this.forest.roots()[0]?.agent ?? "", error),
    });
    const { levelsMax = LIMITS.levelsDefault, treeLiveMax = LIMITS.treeLiveDefault } = options;
    const places = new Places(this.#roster.forest, { levelsMax, treeLiveMax });
    const stopping = this.#stopping.signal;
    this.#spawns = new Throttle(clock, {
      what: "spawns",
      treePerMinute: options.spawnsPerMinute,
      tenantPerMinute: options.tenantSpawnsPerMinute,
    });
    this.#forks = new Throttle(clock, {
      what: "forks",
      treePerMinute: options.forksPerMinute ?? LIMITS.forksPerMinuteDefault,
      tenantPerMinute: options.tenantForksPerMinute,
    });
    this.#spawning = new Spawning(services, this.#roster, { places, throttle: this.#spawns, stopping });
    this.#forking = new Forking(services, this.#roster, { places, throttle: this.#forks, stopping });
    const quota = new ArtifactQuota(this.forest, {
      treeBytesMax: options.treeArtifactBytesMax,
      tenantBytesMax: options.tenantArtifactBytesMax,
    });
    this.#processes = new Processes(services, this.#roster, { control: () => this.control, quota });
    const files = new Files(services, this.#roster, onFault);
    this.#work = new Work(services, this.#roster, {
      files,
      runningMax: options.runningMax ?? LIMITS.runningMax,
      childrenLiveMax: options.childrenLiveMax ?? LIMITS.childrenLiveMax,
      pool: options.pool ?? {},
      onFault,
      onDelta: (agent, text) => {
        for (const watcher of this.#deltaWatchers) watcher(agent, text);
      },
      contextFor: toolContexts({
        services,
        roster: this.#roster,
        spawning: this.#spawning,
        control: () => this.control,
        processes: this.#processes,
        quota,
      }),
    });
    this.checkpoints = new Checkpoints(this.#roster, files);
    this.control = new Control(services, this.#roster, { work: this.#work, processes: this.#processes, files, quota });
    this.#roster.onCommit((cell, recorded) => this.#committed(cell, recorded, onFault));
  }

  /**
   * Reads what the journal holds and has every living agent go on. Resolves once they are on their way. With
   * `work: false` nobody works: commands are journaled, and are carried out by the next process that opens the data.
   */
  async start({ work = true }: { work?: boolean } = {}): Promise<Recovery> {
    const { keptPosition, ...recovery } = await recall(this.#roster.past, this.#roster);
    if (!work) {
      await this.#work.stop();
      return recovery;
    }
    this.#keepsHeads = recovery.damaged.length === 0;
    if (keptPosition !== undefined) this.#headKeeper.found(keptPosition);
    else if (this.#keepsHeads) await this.#headKeeper.take();
    await this.#processes.recover(this.#onFault);
    await goOn(this.#roster, this.#work);
    return recovery;
  }

  /** Stops all work; what was in flight goes on at the next start. Twice is harmless. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** Every agent's head, linked to trees, with the sums of each subtree. Kept current. */
  get forest(): Forest {
    return this.#roster.forest;
  }

  async spawn(spec: SpawnSpec): Promise<AgentId> {
    this.#refuseWhenStopped();
    return this.#spawning.root(spec);
  }

  async spawnChild(parent: AgentId, spec: SpawnSpec): Promise<AgentId> {
    this.#refuseWhenStopped();
    return (await this.#spawning.child(parent, spec)).agent;
  }

  async fork(agent: AgentId, options?: ForkOptions): Promise<AgentId> {
    this.#refuseWhenStopped();
    return this.#forking.fork(agent, options);
  }

  /** The agent's state now, or after its event `at`. @throws AGENT_NOT_FOUND, CHECKPOINT_NOT_FOUND */
  async state(agent: AgentId, at?: number): Promise<State> {
    if (at === undefined) return this.#roster.cell(agent).load();
    return (await foldAgent(this.#roster.past, agent, at)).state;
  }

  /** What a completed agent answered; null while it has not. Reads no conversation. @throws AGENT_NOT_FOUND */
  output(agent: AgentId): Promise<Content | null> {
    return outputOf(this.#services.journal, this.#roster.cell(agent).head);
  }

  /** Resolves to the agent's head once it has ended; at once if it has. @throws SHUTTING_DOWN when the runtime stops first */
  async ended(agent: AgentId): Promise<Head> {
    const { head } = this.#roster.cell(agent);
    if (hasEnded(head.status)) return head;
    this.#refuseWhenStopped();
    const { promise, resolve, reject } = Promise.withResolvers<Head>();
    this.#awaited.set(agent, [...(this.#awaited.get(agent) ?? []), { resolve, reject }]);
    return promise;
  }

  /** Tells of every event once it is durable. Returns how to stop that. */
  watch(watcher: CommitWatcher): () => void {
    this.#commitWatchers.add(watcher);
    return () => this.#commitWatchers.delete(watcher);
  }

  /** Tells of text as models say it, before it is durable. Returns how to stop that. */
  watchDeltas(watcher: DeltaWatcher): () => void {
    this.#deltaWatchers.add(watcher);
    return () => this.#deltaWatchers.delete(watcher);
  }

  /** Has agents go on that waited for a model to be registered. */
  modelsChanged(): void {
    for (const { agent, brief } of this.forest.nodes()) {
      // Under a hold there is nothing to go on with: its release has them look.
      if (wantsWork(brief) && !this.forest.holder(agent)) this.#work.kick(agent);
    }
  }

  /** The agent's background processes, in the order of their starts. */
  processes(agent: AgentId): Promise<ProcessInfo[]> {
    return this.#processes.list(agent);
  }

  /** Agents with a slot, and agents that wait for one. */
  get load(): { working: number; waiting: number } {
    return { working: this.#work.slots.taken, waiting: this.#work.slots.waiting };
  }

  /** Providers' limits, and the calls that keep to them, by family of models. */
  get providers(): Work["governors"]["figures"] {
    return this.#work.governors.figures;
  }

  /** Forks and spawns, and those that wait for their turn. */
  get throttled(): { forks: ThrottleFigures; spawns: ThrottleFigures } {
    return { forks: this.#forks.figures, spawns: this.#spawns.figures };
  }

  /** Sessions, and agents that wait for one. */
  get pool(): PoolFigures {
    return this.#work.pool.figures;
  }

  /** Tells of what happens in the pool, which no journal has. Returns how to stop that. */
  watchPool(watcher: PoolWatcher): () => void {
    return this.#work.pool.watch(watcher);
  }

  /** Tells of every claim of a session that is over: how long it waited, from asking to a session that has started or the refusal. */
  watchClaimWaits(watcher: (waitMs: number) => void): () => void {
    return this.watchPool((event) => {
      const waitMs = claimWaitMsOf(event);
      if (waitMs !== undefined) watcher(waitMs);
    });
  }

  async #stop(): Promise<void> {
    this.#stopping.abort(new BanyanError("SHUTTING_DOWN", "the runtime is stopping"));
    await this.#work.stop();
    await Promise.all(this.#following);
    await this.#processes.close();
    await this.#snapshotter.stop();
    if (this.#keepsHeads) await this.#headKeeper.close();
    for (const [agent, waiting] of this.#awaited) {
      const error = new BanyanError("SHUTTING_DOWN", "the runtime stopped before the agent ended", { agent });
      for (const { reject } of waiting) reject(error);
    }
    this.#awaited.clear();
  }

  #refuseWhenStopped(): void {
    if (this.#stopped) throw new BanyanError("SHUTTING_DOWN", "the runtime is stopping");
  }

  #committed(cell: Cell, recorded: readonly Recorded[], onFault: (agent: AgentId, error: unknown) => void): void {
    for (const watcher of this.#commitWatchers) watcher(cell.agent, recorded, cell.head);
    if (hasEnded(cell.head.status)) this.#tellEnd(cell.head);
    if (recorded.some(({ event }) => WAKING.has(event.type))) this.#work.kick(cell.agent);
    this.#follow(cell, recorded, onFault);
  }

  #tellEnd(head: Head): void {
    const waiting = this.#awaited.get(head.agent);
    if (!waiting) return;
    this.#awaited.delete(head.agent);
    for (const { resolve } of waiting) resolve(head);
  }

  /** What follows from a commit must come about: a store that failed is tried again. */
  #follow(cell: Cell, recorded: readonly Recorded[], onFault: (agent: AgentId, error: unknown) => void): void {
    const follow = [
      afterCommit(this.#work, this.#roster, cell, recorded),
      this.#processes.afterCommit(cell, recorded),
    ].filter((each) => each !== undefined);
    if (follow.length === 0) return;
    const following = Promise.all(follow)
      .catch((error) => {
        onFault(cell.agent, error);
        if (asBanyanError(error).code !== "DISK_FAILED") return;
        this.#services.clock.timer(LIMITS.diskRetryMs, () => {
          if (!this.#work.stopping) this.#follow(cell, recorded, onFault);
        });
      })
      .finally(() => this.#following.delete(following));
    this.#following.add(following);
  }
}

/** Events after which an agent has something new to look at. */
const WAKING: ReadonlySet<string> = new Set([
  "agent.created",
  "agent.forked",
  "agent.revived",
  "agent.rewound",
  "message.received",
  "tool.answered",
  "process.ended",
]);
