/**
 * Has the heads of all agents of a large fleet kept in one piece: at the end of every process, and when one had to read all summaries.
 *
 * N1  They are taken while nothing is appended, so that they are all as of one position; and only if this process wrote, or read, the
 *     record that stands there: one that another process has taken over from knows less than the journal.
 * N2  They are kept only when every agent could be read: a damaged one is to be found, and named, at every opening.
 */
import { type Census, keepHeads, newestRecord } from "../checkpoints/kept-heads.ts";
import type { Roster } from "./roster.ts";
import type { Services } from "./services.ts";

export interface HeadKeeperOptions {
  readonly services: Pick<Services, "journal" | "snapshots">;
  readonly roster: Roster;
  /** Agents from which on heads are kept. */
  readonly agentsMin: number;
  /** Told of heads that could not be kept: the next opening takes longer. */
  readonly onFault: (error: unknown) => void;
}

export class HeadKeeper {
  readonly #options: HeadKeeperOptions;
  /** Of the heads that are kept. */
  #position = 0;
  #keeping: Promise<void> = Promise.resolve();

  constructor(options: HeadKeeperOptions) {
    this.#options = options;
  }

  /** Heads that were kept as of that position serve still. */
  found(position: number): void {
    this.#position = position;
  }

  /** N1. Resolves when the heads are taken; they are written beside whatever follows. */
  async take(): Promise<void> {
    const { services, agentsMin, onFault } = this.#options;
    await this.#keeping;
    if (this.#options.roster.forest.size < agentsMin) return;
    try {
      const census = await this.#census();
      if (!census) return;
      this.#keeping = keepHeads(services.snapshots, census).catch(onFault);
    } catch (error) {
      onFault(error);
    }
  }

  /** The same, and resolves when they are written. */
  async close(): Promise<void> {
    await this.take();
    await this.#keeping;
  }

  async #census(): Promise<Census | undefined> {
    const { services, roster } = this.#options;
    const newest = await newestRecord(services.journal);
    if (!newest || newest.position === this.#position) return undefined;
    if (roster.forest.get(newest.agent)?.head.seq !== newest.seq) return undefined;
    this.#position = newest.position;
    return { heads: Array.from(roster.forest.nodes(), ({ head }) => head), newest, unread: roster.unread() };
  }
}
