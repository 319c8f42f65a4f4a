/**
 * Takes snapshots of agents that have grown, one at a time and beside everything else: nobody waits for one.
 *
 * N1  A snapshot is due when what was folded since the last one is a share of all, and is much, is many events, or has waited for long: so
 *     the time to restore stays close to that of reading one snapshot, and all that is ever written is a fixed multiple of the history.
 * N2  Two are kept of each agent: should the newest be damaged, the other one is not far behind.
 */
import type { State } from "../agent/state.ts";
import type { AgentId } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";
import type { Past } from "./restore.ts";
import { recordAt } from "./restore.ts";
import { type Folded, writeSnapshot } from "./snapshot-parts.ts";
import type { Snapshots } from "./snapshots.ts";

const KEPT = 2;

export interface SnapshotterOptions extends Past {
  readonly snapshots: Snapshots;
  /** Characters folded since the last snapshot below which none is taken. */
  readonly tailMin?: number | undefined;
  /** Told of a snapshot that could not be kept. */
  readonly onFault: (agent: AgentId, error: unknown) => void;
}

/** The end of what a snapshot covers: characters of records, the newest event, and when that was. */
export interface Covered {
  readonly size: number;
  readonly seq: number;
  readonly time: number;
}

export class Snapshotter {
  readonly #options: SnapshotterOptions;
  readonly #tailMin: number;
  /** The newest state of each agent that is due. */
  readonly #due = new Map<AgentId, Folded>();
  #working: Promise<void> | undefined;
  #stopped = false;

  constructor(options: SnapshotterOptions) {
    this.#options = options;
    this.#tailMin = options.tailMin ?? LIMITS.snapshotTailMin;
  }

  /** N1. `size` is that of the state in characters, and `covered` what the last snapshot covers, if there is one. */
  isDue({ head }: State, size: number, covered: Covered | undefined): boolean {
    const tail = size - (covered?.size ?? 0);
    const events = head.seq - (covered?.seq ?? 0);
    const isShare = (part: number, all: number) => part * LIMITS.snapshotShareMin >= all;
    if (tail >= this.#tailMin) return isShare(tail, size);
    if (!isShare(tail, size) || !isShare(events, head.seq)) return false;
    const ageMs = head.time - (covered?.time ?? head.createdTime);
    return events >= LIMITS.snapshotEventsMin || (ageMs >= LIMITS.snapshotAgeMs && tail >= LIMITS.snapshotAgedTailMin);
  }

  /** Has a snapshot taken of a state whose newest event is durable. */
  take(state: State, size: number): void {
    if (this.#stopped || size > LIMITS.snapshotBytesMax / BYTES_A_CHARACTER) return;
    this.#due.set(state.head.agent, { state, size });
    this.#working ??= this.#work();
  }

  /** Resolves when none is due or under way. */
  async idle(): Promise<void> {
    await this.#working;
  }

  /** Takes no more; resolves when none is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#due.clear();
    await this.idle();
  }

  async #work(): Promise<void> {
    for (const [agent, folded] of this.#due) {
      this.#due.delete(agent);
      try {
        await this.#keep(agent, folded);
      } catch (error) {
        this.#options.onFault(agent, error);
      }
    }
    this.#working = undefined;
  }

  async #keep(agent: AgentId, folded: Folded): Promise<void> {
    const { journal, snapshots } = this.#options;
    const { seq } = folded.state.head;
    const record = await recordAt(journal, agent, seq);
    if (!record) return;
    await snapshots.keep(agent, seq, await writeSnapshot(folded, record));
    for (const old of (await snapshots.list(agent)).slice(KEPT)) await snapshots.delete(agent, old);
  }
}

/** The most that a character of a record takes in a snapshot: JSON within JSON is not nested, so UTF-8 is all there is. */
const BYTES_A_CHARACTER = 4;
