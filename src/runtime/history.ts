/**
 * How the fleet stood at any moment: the changes of all agents' statuses, and now and then of what they cost, beside the
 * journal in `history/`. It is a projection, so that nobody folds a million events to look back; what is missing of it is folded from the
 * journal when somebody asks.
 *
 * Z1  A process that works writes every change that becomes durable, once, in the order of commits.
 * Z2  Writing holds nothing up and fails nothing: what the disk does not take, or a crash cuts off, is a gap.
 * Z3  Gaps are filled from the journal before anything is told, and what was found is kept.
 * Z4  Of what is over LIMITS.historyBytesMax the oldest changes go; how each agent stood after them stays.
 * Z5  An agent's cost at a moment is that of its last change of status, or a later one: none lies more than LIMITS.historyCostMs
 *     before an event of the agent that knew of more.
 * Z6  While a past of any length is folded, others have their turn every few milliseconds.
 * Z7  Every rewind is a change, with the moment of the agent's own past that it went back to.
 */
import { decodeEvent } from "../agent/codec.ts";
import type { Recorded } from "../agent/events.ts";
import { evolve } from "../agent/evolve.ts";
import type { Head, State } from "../agent/state.ts";
import type { Clock, Timer } from "../base/clock.ts";
import { presentIsOver } from "../base/event-loop.ts";
import type { AgentId } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import type { Coordinator } from "../coordinator/coordinator.ts";
import type { Journal, JournalHead } from "../journal/journal.ts";
import { type ChangeFile, ChangeFiles, type OpenFile } from "../telemetry/change-files.ts";
import { CHANGE_BYTES, type Change } from "../telemetry/changes.ts";

export interface HistoryOptions {
  readonly folder: string;
  readonly coordinator: Coordinator;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly random: Random;
  /** This process works, and nobody else does: it writes. */
  readonly writes: boolean;
}

type Look = Pick<Head, "status" | "waitingFor" | "held" | "costUsd" | "time">;

/** A change of which the moment that a rewind went back to is still to be read from the journal. */
interface Heard extends Change {
  readonly origin: Head["origin"];
  /** The event that it was rewound to. */
  readonly to?: number | undefined;
}

/** A file, or a stretch of the journal of which there is none. */
type Stretch = ChangeFile | { readonly from: number; readonly to: number; readonly name?: undefined };

/** More files than that are joined. */
const FILES_MAX = 8;
/** Changes that are handed on before others have their turn. */
const AT_ONCE = 4_096;
/** Events that are folded before they do. */
const FOLDED_AT_ONCE = 128;

export class StatusHistory {
  readonly #options: HistoryOptions;
  readonly #files: ChangeFiles;
  /** Each agent's last change, so that only changes are written. */
  readonly #looks = new Map<AgentId, Look>();
  #pending: Heard[] = [];
  #file: OpenFile | undefined;
  /** Where the next file begins; undefined once the disk has refused one. */
  #from: number | undefined;
  /** Every change up to this position of the journal has been heard of. */
  #heard: number;
  #timer: Timer | undefined;
  #work: Promise<void> = Promise.resolve();
  /** Events folded since others had their turn. */
  #folds = 0;
  readonly #forget: () => void;

  private constructor(options: HistoryOptions, position: number) {
    this.#options = options;
    this.#files = new ChangeFiles(options.folder, options.random);
    this.#from = position;
    this.#heard = position;
    const note = (_agent: AgentId, recorded: readonly Recorded[], head: Head) => this.#note(recorded, head);
    this.#forget = options.writes ? options.coordinator.watch(note) : () => undefined;
  }

  /** Before anything works. */
  static async open(options: HistoryOptions): Promise<StatusHistory> {
    return new StatusHistory(options, await options.journal.position());
  }

  /** After the last commit, before the journal is closed. */
  async stop(): Promise<void> {
    this.#forget();
    this.#timer?.cancel();
    await this.#flush(await this.#options.journal.position());
  }

  /**
   * Every change in pieces, those of one agent in their order. After a crash some come twice, with the same sequence.
   * @throws JOURNAL_DAMAGED, DISK_FAILED
   */
  async *read(): AsyncGenerator<readonly Change[]> {
    await this.#flush(this.#heard);
    let stretches = await this.#stretches();
    if (this.#options.writes && this.#isScattered(stretches)) {
      await this.#alone(() => this.#join());
      stretches = await this.#stretches();
    }
    for (const stretch of stretches) yield* this.#changesOf(stretch);
    if (this.#pending.length > 0) yield await this.#told(this.#pending);
  }

  #note(recorded: readonly Recorded[], head: Head): void {
    if (this.#from === undefined) return;
    const to = rewoundIn(recorded);
    if (to === undefined && !isChanged(this.#looks.get(head.agent), head)) return;
    this.#looks.set(head.agent, lookOf(head));
    this.#pending.push({ ...changeOf(head), origin: head.origin, to });
    this.#timer ??= this.#options.clock.timer(LIMITS.historyFlushMs, () => {
      this.#timer = undefined;
      void this.#flush(this.#heard);
      void this.#hear();
    });
  }

  /** What is durable now will have been heard of by the time of the next flush. */
  async #hear(): Promise<void> {
    this.#heard = await this.#options.journal.position().catch(() => this.#heard);
  }

  /** Writes what is pending; nothing is missing with it up to the position. */
  #flush(position: number): Promise<void> {
    return this.#alone(async () => {
      const heard = this.#pending;
      this.#pending = [];
      const isNews = heard.length > 0 || (this.#file !== undefined && this.#file.to < position);
      if (!isNews || this.#from === undefined) return;
      try {
        const changes = await this.#told(heard);
        this.#file ??= await this.#files.begin(this.#from);
        await this.#file.append({ changes, position });
        if (this.#file.bytes < LIMITS.historyBytesMax / 4) return;
        this.#from = this.#file.to;
        this.#file = undefined;
      } catch {
        // Z2: it may end in half a piece, and nothing is written behind that.
        this.#from = undefined;
      }
    });
  }

  /** Z7: as they are written. */
  #told(heard: readonly Heard[]): Promise<Change[]> {
    return Promise.all(
      heard.map(async ({ origin, to, ...change }) =>
        to === undefined ? change : { ...change, rewoundTo: await this.#timeOf(change, origin, to) },
      ),
    );
  }

  /** When one of its own events was; what came before it, of its origin or nothing at all, is as old as its first. */
  async #timeOf({ agent, time }: Pick<Head, "agent" | "time">, origin: Head["origin"], seq: number): Promise<number> {
    const own = Math.max(seq, (origin?.seq ?? 0) + 1);
    for await (const [record] of this.#options.journal.read(agent, { from: own, to: own })) {
      if (record) return record.time;
    }
    return time;
  }

  /** One after another. */
  #alone(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(work, work);
    return this.#work;
  }

  /** Files and gaps, in their order, up to what is not written yet. */
  async #stretches(): Promise<Stretch[]> {
    const found: Stretch[] = [];
    let at = 0;
    for (const file of await this.#files.list()) {
      if (file.from > at) found.push({ from: at, to: file.from });
      found.push(file);
      at = file.to;
    }
    const end = this.#options.writes && this.#from !== undefined ? this.#from : await this.#options.journal.position();
    if (end > at) found.push({ from: at, to: end });
    return found;
  }

  /** Something is missing among those that nobody writes any more, or they are many. */
  #isScattered(stretches: readonly Stretch[]): boolean {
    const closed = this.#closed(stretches);
    return closed.length > FILES_MAX || closed.some(({ name }) => name === undefined);
  }

  #closed(stretches: readonly Stretch[]): Stretch[] {
    return stretches.filter(({ name }) => name === undefined || name !== this.#file?.name);
  }

  /** Z3: one file in the place of all that nobody writes any more, and of what was missing between them. */
  async #join(): Promise<void> {
    const stretches = await this.#stretches();
    const closed = this.#closed(stretches);
    const last = closed.at(-1);
    // Another reader may have joined them meanwhile.
    if (!last || !this.#isScattered(stretches)) return;
    const files = closed.filter((each) => each.name !== undefined);
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    const dropped = Math.max(0, Math.ceil((bytes - LIMITS.historyBytesMax / 2) / CHANGE_BYTES));
    await this.#files.tidy();
    const { to } = last;
    await this.#files.replace(files, { from: 0, to, changes: withoutOldest(this.#changesOfAll(closed), dropped) });
  }

  async *#changesOfAll(stretches: readonly Stretch[]): AsyncGenerator<readonly Change[]> {
    for (const stretch of stretches) yield* this.#changesOf(stretch);
  }

  async *#changesOf(stretch: Stretch): AsyncGenerator<readonly Change[]> {
    let passed = 0;
    for await (const changes of stretch.name === undefined ? this.#folded(stretch) : this.#files.read(stretch)) {
      yield changes;
      passed += changes.length;
      if (passed >= AT_ONCE) await presentIsOver();
      if (passed >= AT_ONCE) passed = 0;
    }
  }

  /** Changes between two positions of the journal, by the time of their events. */
  async *#folded({ from, to }: { from: number; to: number }): AsyncGenerator<readonly Change[]> {
    const found: Change[] = [];
    for await (const heads of this.#options.journal.heads({ after: from })) {
      for (const head of heads) await this.#foldInto(found, head, { from, to });
    }
    found.sort((a, b) => a.time - b.time);
    for (let at = 0; at < found.length; at += AT_ONCE) yield found.slice(at, at + AT_ONCE);
  }

  async #foldInto(found: Change[], { agent, origin }: JournalHead, { from, to }: { from: number; to: number }) {
    const { journal, coordinator } = this.#options;
    const last = await journal.seqAt(agent, to);
    const begun = (await journal.seqAt(agent, from)) ?? origin?.seq ?? 0;
    if (last === undefined || last <= begun) return;
    let state: State | undefined = begun > 0 ? await coordinator.state(agent, begun) : undefined;
    // Whatever was told before, or its origin stood like: the first event is told of, as by a process that has just begun.
    let look: Look | undefined;
    for await (const records of journal.read(agent, { from: begun + 1, to: last })) {
      for (const { seq, time, type, body } of records) {
        const event = decodeEvent(type, body);
        state = evolve(agent, state, { seq, time, event });
        const { head } = state;
        const isRewind = event.type === "agent.rewound";
        if (!isRewind && !isChanged(look, head)) continue;
        look = lookOf(head);
        const change = changeOf(head);
        found.push(isRewind ? { ...change, rewoundTo: await this.#timeOf(head, head.origin, event.to) } : change);
      }
      this.#folds += records.length;
      if (this.#folds < FOLDED_AT_ONCE) continue;
      this.#folds = 0;
      await presentIsOver();
    }
  }
}

function changeOf({ agent, seq, time, status, waitingFor, held, costUsd }: Head): Change {
  return { agent, seq, time, status, waitingFor, held, costUsd, rewoundTo: null };
}

/** The earliest event that a commit rewound to; undefined when it did not. */
function rewoundIn(recorded: readonly Recorded[]): number | undefined {
  let earliest: number | undefined;
  for (const { event } of recorded) {
    if (event.type === "agent.rewound" && (earliest === undefined || event.to < earliest)) earliest = event.to;
  }
  return earliest;
}

function lookOf({ status, waitingFor, held, costUsd, time }: Head): Look {
  return { status, waitingFor, held, costUsd, time };
}

function isChanged(look: Look | undefined, { status, waitingFor, held, costUsd, time }: Head): boolean {
  if (look?.status !== status || look.waitingFor !== waitingFor || look.held !== held) return true;
  return look.costUsd !== costUsd && time - look.time >= LIMITS.historyCostMs;
}

/** Z4. */
async function* withoutOldest(
  pieces: AsyncIterable<readonly Change[]>,
  count: number,
): AsyncGenerator<readonly Change[]> {
  const newest = new Map<AgentId, Change>();
  let left = count;
  for await (const changes of pieces) {
    const dropped = Math.min(left, changes.length);
    for (const change of changes.slice(0, dropped)) {
      // Again at the end: the map is in the order of time.
      newest.delete(change.agent);
      newest.set(change.agent, change);
    }
    left -= dropped;
    if (left > 0) continue;
    if (newest.size > 0) yield [...newest.values()];
    newest.clear();
    yield changes.slice(dropped);
  }
  if (newest.size > 0) yield [...newest.values()];
}
