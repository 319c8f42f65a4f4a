/** Archiving, on the main thread: reads, packs, writes, reads again and compares; then the writer's thread makes the move (X1). */
import type { Clock } from "../../base/clock.ts";
import { BanyanError } from "../../base/errors.ts";
import type { AgentId } from "../../base/ids.ts";
import type { ArchivePart, ArchiveStore, Archiving } from "../archive.ts";
import type { StoredRecord } from "../journal.ts";
import { piecesOf, type Run, readPart, runOf, writePart } from "./archive-part.ts";
import type { Committer } from "./committer.ts";
import type { Move, Span } from "./moves.ts";
import type { Reader } from "./reader.ts";

export interface ArchiverOptions {
  readonly reader: Reader;
  /** Absent where the journal is open for reading. */
  readonly committer: Committer | undefined;
  readonly store: ArchiveStore;
  readonly clock: Clock;
}

export class Archiver implements Archiving {
  readonly #reader: Reader;
  readonly #committer: Committer | undefined;
  readonly #store: ArchiveStore;
  readonly #clock: Clock;
  /** Of each tree that is being moved: settled when the newest move, of any number of parts, is over. */
  readonly #last = new Map<AgentId, Promise<void>>();

  constructor({ reader, committer, store, clock }: ArchiverOptions) {
    this.#reader = reader;
    this.#committer = committer;
    this.#store = store;
    this.#clock = clock;
  }

  async *moveOut(root: AgentId, agents: readonly AgentId[], place: string): AsyncGenerator<ArchivePart> {
    using _turn = await this.#turn(root);
    for await (const records of piecesOf(this.#unmoved(agents))) {
      const { bytes, digest } = await writePart(root, records);
      const key = `${root}/${digest}.part`;
      await this.#store.put(place, key, bytes);
      checkSame(records, await readPart(await this.#store.get(place, key), digest, key), key);
      const bodyBytes = records.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0);
      const told = { bytes: bytes.length, records: records.length, bodyBytes, time: this.#clock.now() };
      const part = { root, place, key, digest, ...told };
      await this.#move({ to: "archive", part, spans: this.#spansOf(records) });
      yield this.#found(root, key);
    }
  }

  async *bringBack(root: AgentId): AsyncGenerator<ArchivePart> {
    using _turn = await this.#turn(root);
    // The newest first: what is still away is then always the beginning of an agent's records.
    for (const part of this.parts(root).reverse()) {
      const runs = await this.#reader.readPart(part);
      const bodies = runs.map((run) => [this.#spanOf(run.agent, run.first, run.bodies.length), run.bodies] as const);
      await this.#move({ to: "database", part: part.id, bodies });
      yield part;
    }
  }

  parts(root?: AgentId): ArchivePart[] {
    return this.#reader.parts(root);
  }

  async check(part: ArchivePart): Promise<void> {
    await this.#reader.readPart(part);
  }

  weigh(agents: readonly AgentId[]): { records: number; bodyBytes: number } {
    return this.#reader.weigh(agents);
  }

  async shrink(): Promise<void> {
    await this.#move({ to: "disk" });
  }

  room(): { bytes: number; freeBytes: number } {
    return this.#reader.room();
  }

  async #move(move: Move): Promise<void> {
    if (!this.#committer) throw new BanyanError("SHUTTING_DOWN", "the journal is open for reading");
    await this.#committer.move(move);
  }

  /** Two who moved the same records at once would be in each other's way; trees share none. */
  async #turn(root: AgentId): Promise<Disposable> {
    const before = this.#last.get(root);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last.set(root, promise);
    await before;
    return {
      [Symbol.dispose]: () => {
        if (this.#last.get(root) === promise) this.#last.delete(root);
        resolve();
      },
    };
  }

  /** Agent by agent, what stands in the database. An empty body takes no room and stays. */
  async *#unmoved(agents: readonly AgentId[]): AsyncGenerator<StoredRecord[]> {
    for (const agent of agents) {
      yield* this.#reader.read(agent, this.#reader.movedTo(agent) + 1, Number.MAX_SAFE_INTEGER);
    }
  }

  #spansOf(records: readonly StoredRecord[]): Span[] {
    const spans: Span[] = [];
    for (let from = 0; from < records.length; ) {
      const { agent, seq } = records[from] as StoredRecord;
      let count = 1;
      while (records[from + count]?.agent === agent) count += 1;
      spans.push(this.#spanOf(agent, seq, count));
      from += count;
    }
    return spans;
  }

  #spanOf(agent: AgentId, first: number, count: number): Span {
    return { n: this.#reader.numberOf(agent), first, last: first + count - 1 };
  }

  #found(root: AgentId, key: string): ArchivePart {
    const part = this.parts(root).find((each) => each.key === key);
    if (!part) throw new BanyanError("JOURNAL_DAMAGED", `${key} was moved, and the journal does not know of it`);
    return part;
  }
}

/** What an archive gives back is what it was given. */
function checkSame(records: readonly StoredRecord[], runs: readonly Run[], key: string): void {
  const isSame = records.every(({ agent, seq, body }) => {
    const run = runOf(runs, agent, seq);
    return run?.bodies[seq - run.first] === body;
  });
  if (!isSame) throw new BanyanError("JOURNAL_DAMAGED", `${key} of the archive does not hold what was written to it`);
}
