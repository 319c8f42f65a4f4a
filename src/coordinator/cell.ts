/**
 * One agent in memory: the only writer of its journal. Commands queue here, are decided one after the other, and what
 * queued while an append was under way goes into the next one together.
 *
 * C1  Commands of one agent are decided in the order they came, each against what the ones before it made.
 * C2  A command resolves when its events are durable, and the state moves on only then. One is refused only for what is durable.
 * C3  An append that fails changes nothing: every command in it is refused with the store's reason.
 * C4  Commands that need only the head read no conversation, once the head is known in full.
 * C5  The state that is read from the journal has all that the head has: what became durable meanwhile included.
 */
import { isHeadCommand } from "../agent/decide.ts";
import type { AgentEvent, Recorded } from "../agent/events.ts";
import { evolve } from "../agent/evolve.ts";
import type { Head, State } from "../agent/state.ts";
import { assert } from "../base/assert.ts";
import type { Clock } from "../base/clock.ts";
import { asBanyanError, BanyanError } from "../base/errors.ts";
import type { AgentId } from "../base/ids.ts";
import type { Past } from "../checkpoints/restore.ts";
import type { Covered, Snapshotter } from "../checkpoints/snapshotter.ts";
import type { Append } from "../journal/journal.ts";
import { Batch, type Intent } from "./batch.ts";
import { foldAgent } from "./fold.ts";
import type { Turnstile } from "./turnstile.ts";

export interface CellHooks {
  readonly past: Past;
  /** Without one, no snapshots are taken. */
  readonly snapshotter?: Snapshotter | undefined;
  readonly clock: Clock;
  /** Passed before an agent is read. */
  readonly readers: Turnstile;
  /** Told of events once they are durable, in order. */
  committed(cell: Cell, recorded: readonly Recorded[]): void;
  /** Told when the state was read from the journal: a fork's head is not known in full before. */
  folded(cell: Cell): void;
}

/**
 * A new agent's first append, to be durable in one piece with the command of another, and before it: at any position of the journal an
 * agent that another knows of is there.
 */
export interface Birth {
  readonly cell: Cell;
  readonly append: Append;
  readonly head: Head;
  /** The head has all that a fold would find. Without it the first load completes it. */
  readonly isWhole: boolean;
  readonly state: State | undefined;
  readonly recorded: readonly Recorded[];
  /** Of the state, as in `Cell`. */
  readonly size: number;
  readonly covered?: Covered | undefined;
}

interface Job {
  readonly intent: Intent;
  readonly births: readonly Birth[];
  readonly resolve: (events: readonly AgentEvent[]) => void;
  readonly reject: (error: BanyanError) => void;
}

/** Commands that go into one append at the most; each makes a handful of events. */
const JOBS_MAX = 100;

export class Cell {
  readonly agent: AgentId;
  readonly #hooks: CellHooks;
  #head: Head | undefined;
  #state: State | undefined;
  #size = 0;
  /** What the last snapshot covers. */
  #covered: Covered | undefined;
  #summarySeq = 0;
  #isWhole: boolean;
  readonly #jobs: Job[] = [];
  #draining: Promise<void> | undefined;
  #loading: Promise<State> | undefined;

  constructor(agent: AgentId, hooks: CellHooks, head?: Head) {
    this.agent = agent;
    this.#hooks = hooks;
    this.#head = head;
    this.#summarySeq = head?.seq ?? 0;
    this.#isWhole = head !== undefined;
  }

  get head(): Head {
    assert(this.#head, `${this.agent} has begun`);
    return this.#head;
  }

  /** The state, if it is in memory. */
  get loaded(): State | undefined {
    return this.#state;
  }

  /** False for a fork whose past was not read yet: its head lacks what follows from that. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Characters of the journal that the state in memory was folded from. */
  get size(): number {
    return this.#state ? this.#size : 0;
  }

  /** What the newest snapshot covers. */
  get covered(): Covered | undefined {
    return this.#covered;
  }

  /** The state, read from the journal when it is not in memory. @throws JOURNAL_DAMAGED */
  async load(): Promise<State> {
    if (this.#state) return this.#state;
    this.#loading ??= this.#fold().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  /** Forgets the conversation; the head stays. Does nothing while commands are under way. */
  unload(): void {
    if (this.#draining || this.#loading) return;
    this.#forget();
  }

  /**
   * Carries out a command and resolves to its events once they are durable. `births` become durable with it, or not at
   * all; they do not happen when the command changes nothing.
   * @throws the refusal, as a BanyanError; JOURNAL_CONFLICT, DISK_FAILED from the store
   */
  dispatch(intent: Intent, births: readonly Birth[] = []): Promise<readonly AgentEvent[]> {
    const done = new Promise<readonly AgentEvent[]>((resolve, reject) => {
      this.#jobs.push({ intent, births, resolve, reject });
    });
    this.#draining ??= Promise.resolve().then(() => this.#drain());
    return done;
  }

  /** Resolves when no command is under way. */
  async settled(): Promise<void> {
    while (this.#draining) await this.#draining;
  }

  /** Takes over its first append, which is durable now. */
  begin({ head, isWhole, state, size, covered, append, recorded }: Birth): void {
    this.#head = head;
    this.#state = state;
    this.#size = size;
    this.#covered = covered;
    this.#summarySeq = append.summary === undefined ? 0 : head.seq;
    this.#isWhole = isWhole;
    this.#hooks.committed(this, recorded);
  }

  /** C5: commands that read nothing may have been carried out during a fold; then it is of no use. */
  async #fold(): Promise<State> {
    const turn = this.#hooks.readers.pass();
    if (turn) await turn;
    for (let headSeq = 0; ; headSeq = this.head.seq) {
      const { state, size, covered } = await foldAgent(this.#hooks.past, this.agent);
      const missed = this.#head && this.#head.seq > state.head.seq;
      if (missed) {
        assert(this.head.seq > headSeq, `the journal of ${this.agent} has its event ${this.head.seq}`);
        continue;
      }
      this.#state = state;
      this.#head = state.head;
      this.#size = size;
      this.#covered = covered;
      this.#isWhole = true;
      this.#hooks.folded(this);
      this.#snapshot();
      return state;
    }
  }

  async #drain(): Promise<void> {
    while (this.#jobs.length > 0) {
      const jobs = this.#jobs.splice(0, JOBS_MAX);
      try {
        await this.#carryOut(jobs);
      } catch (cause) {
        const error = asBanyanError(cause);
        for (const job of jobs) job.reject(error);
      }
    }
    this.#draining = undefined;
  }

  async #carryOut(jobs: readonly Job[]): Promise<void> {
    const light = this.isWhole && jobs.every(({ intent }) => typeof intent !== "function" && isHeadCommand(intent));
    if (!light) await this.load();
    const batch = new Batch(this.agent, { head: this.head, state: this.#state }, this.#hooks.clock.now());
    const decided: { job: Job; decision: readonly AgentEvent[] | BanyanError }[] = [];
    for (const job of jobs) decided.push({ job, decision: batch.decide(job.intent) });
    if (batch.recorded.length > 0) {
      const births = decided.flatMap(({ job, decision }) =>
        !(decision instanceof BanyanError) && decision.length > 0 ? job.births : [],
      );
      await this.#makeDurable(batch, births);
    }
    // Only now: a refusal may rest on what the commands before it made, and that had to become durable.
    for (const { job, decision } of decided) {
      if (decision instanceof BanyanError) job.reject(decision);
      else job.resolve(decision);
    }
  }

  async #makeDurable(batch: Batch, births: readonly Birth[]): Promise<void> {
    const append = batch.append(this.#summarySeq);
    try {
      await this.#hooks.past.journal.append([...births.map((birth) => birth.append), append]);
    } catch (error) {
      // C3: nothing of it happened, and the view that led to it may be stale.
      this.#forget();
      throw error;
    }
    this.#head = batch.head;
    this.#state = batch.state ?? this.#caughtUp(batch.recorded);
    this.#size += batch.size;
    if (append.summary !== undefined) this.#summarySeq = batch.head.seq;
    for (const birth of births) birth.cell.begin(birth);
    this.#snapshot();
    this.#hooks.committed(this, batch.recorded);
  }

  #snapshot(): void {
    const { snapshotter } = this.#hooks;
    if (!this.#state || !snapshotter?.isDue(this.#state, this.#size, this.#covered)) return;
    const { seq, time } = this.#state.head;
    this.#covered = { size: this.#size, seq, time };
    snapshotter.take(this.#state, this.#size);
  }

  /** C5: the state may have been read while the append was under way, with its events or without. */
  #caughtUp(recorded: readonly Recorded[]): State | undefined {
    let state = this.#state;
    for (const each of recorded) if (state && each.seq > state.head.seq) state = evolve(this.agent, state, each);
    return state;
  }

  #forget(): void {
    this.#state = undefined;
    this.#size = 0;
  }
}
