/**
 * The disk of a simulated world: a journal and blobs that outlive the processes, take their time, refuse and lose. It keeps a
 * record of its own of everything that it acknowledged.
 *
 * D1  What was acknowledged stays. An append that was not, when the process dies, is kept or lost: whole, and none after a lost one.
 * D2  Reads take time too; what they bring is as old as the moment at which they read.
 * D3  A record that is damaged is never served, nor any that comes after it; what is of no other agent is as it was.
 */

import { BanyanError } from "../src/base/errors.ts";
import type { AgentId } from "../src/base/ids.ts";
import type { BlobInfo, Blobs, Digest } from "../src/blobs/blobs.ts";
import { MemoryBlobs } from "../src/blobs/memory/memory-blobs.ts";
import type { SnapshotStore } from "../src/checkpoints/memory/memory-snapshots.ts";
import type { Snapshots } from "../src/checkpoints/snapshots.ts";
import type { Append, Journal, JournalHead, NewRecord } from "../src/journal/journal.ts";
import { MemoryJournal, MemoryStore } from "../src/journal/memory/memory-journal.ts";
import { BadSnapshots } from "./bad-snapshots.ts";
import { type Life, never } from "./life.ts";
import { HUGE_LENGTH } from "./mind.ts";
import type { World } from "./world.ts";

/** Something that a journal said is durable. */
export interface Acknowledged {
  readonly agent: AgentId;
  readonly firstSeq: number;
  readonly records: readonly NewRecord[];
}

export class Disk {
  readonly store = new MemoryStore();
  readonly blobs = new Map<Digest, Uint8Array>();
  readonly acknowledged: Acknowledged[] = [];
  readonly #snapshots: SnapshotStore = new Map();
  readonly #world: World;
  /** Agents of which a record is damaged, and whether their summaries can still be read. */
  readonly damaged = new Map<AgentId, { readonly hasSummary: boolean }>();
  #fullUntilMs = 0;
  /** Operations under way. */
  #busy = 0;
  /** The process that opened the disk last. */
  #owner = 0;

  constructor(world: World) {
    this.#world = world;
  }

  get isIdle(): boolean {
    return this.#busy === 0;
  }

  /** Refuses every write for a while. */
  fill(forMs: number): void {
    this.#fullUntilMs = this.#world.clock.monotonic() + forMs;
  }

  get isFull(): boolean {
    return this.#world.isHostile && this.#world.clock.monotonic() < this.#fullUntilMs;
  }

  /** Damages a record of the agent, and with it perhaps its summary. */
  damage(agent: AgentId, hasSummary: boolean): void {
    this.damaged.set(agent, { hasSummary });
    this.#world.note(`a record of ${short(agent)} is damaged, its summary ${hasSummary ? "is not" : "too"}`);
  }

  open(life: Life): { journal: Journal; blobs: Blobs; snapshots: Snapshots } {
    const journal = new MemoryJournal({ store: this.store, commit: this.#committer(life) });
    this.#owner = life.number;
    const snapshots = new BadSnapshots(this.#world, this.#snapshots);
    return { journal: this.#slow(life, journal), blobs: this.#slowBlobs(life), snapshots };
  }

  /** What stands before each append of one process: its time, its refusal, and its end when the process dies (D1). */
  #committer(life: Life): (appends: readonly Append[]) => Promise<void> {
    const world = this.#world;
    let losing = false;
    let die: (() => void) | undefined;
    life.onDeath(() => die?.());
    const survives = () => {
      losing ||= world.dice("disk kept").chance(0.5);
      world.count(losing ? "fault appendLost" : "fault appendKept");
      return !losing;
    };
    return (appends) => {
      if (life.isDead) return survives() ? Promise.resolve() : never();
      const refused = world.strikes("diskError") || this.isFull;
      const takesMs = world.strikes("diskStall") ? world.dice("disk").between(1_000, 5_000) : this.#latencyMs();
      return new Promise((resolve, reject) => {
        const settle = () => {
          die = undefined;
          if (!refused) return resolve();
          world.note(`disk refuses ${appends.map(({ agent }) => short(agent)).join(" ")}`);
          reject(new BanyanError("DISK_FAILED", "no space left on device"));
        };
        const timer = world.clock.timer(takesMs, settle);
        die = () => {
          timer.cancel();
          die = undefined;
          if (!refused && survives()) resolve();
        };
      });
    };
  }

  #slow(life: Life, inner: MemoryJournal): Journal {
    const seen = <T>(work: () => Promise<T>): Promise<T> => this.#operation(life, () => this.#read(work));
    return {
      epoch: inner.epoch,
      append: async (appends) => {
        await this.#operation(life, async () => {
          await inner.append(appends);
          this.#written(life, appends);
        });
        for (const { agent, expectedSeq, records } of appends) {
          this.acknowledged.push({ agent, firstSeq: expectedSeq + 1, records });
        }
      },
      read: (agent, range) => batches(seen(() => this.#sound(agent, () => collect(inner.read(agent, range))))),
      heads: (options) =>
        batches(
          seen(async () => (await collect(inner.heads(options))).map((all) => all.map((head) => this.#known(head)))),
        ),
      head: (agent) => seen(async () => this.#known(await inner.head(agent))),
      follow: (position, signal) => inner.follow(position, signal),
      position: () => seen(() => inner.position()),
      positionOf: (agent, seq) => seen(() => inner.positionOf(agent, seq)),
      seqAt: (agent, position) => seen(() => inner.seqAt(agent, position)),
      verify: () => inner.verify(),
      close: () => inner.close(),
    };
  }

  /** D3. */
  async #sound<T>(agent: AgentId, work: () => Promise<T>): Promise<T> {
    if (!this.damaged.has(agent)) return work();
    throw new BanyanError("JOURNAL_DAMAGED", "a record does not match its check value", { agent });
  }

  #known<Head extends JournalHead | undefined>(head: Head): Head {
    if (!head || this.damaged.get(head.agent)?.hasSummary !== false) return head;
    return { ...head, summary: undefined };
  }

  /** Invariant 2. */
  #written(life: Life, appends: readonly Append[]): void {
    const names = appends.map(({ agent, expectedSeq, records }) => {
      return `${short(agent)}@${expectedSeq + 1} ${records.map(({ type }) => type).join(" ")}`;
    });
    this.#world.note(`${life.number} wrote ${names.join(", ")}`);
    if (life.number < this.#owner) {
      this.#world.fail(
        "one writer",
        `process ${life.number} wrote after process ${this.#owner} had opened the journal`,
      );
    }
  }

  #slowBlobs(life: Life): Blobs {
    const inner = new MemoryBlobs(this.blobs);
    const put = async (content: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobInfo> => {
      await this.#world.sleep(this.#latencyMs());
      if (life.isDead) return never();
      if (this.isFull || this.#world.strikes("diskError")) throw new BanyanError("DISK_FAILED", "no space for a blob");
      const info = await inner.put(content);
      if (info.bytes >= HUGE_LENGTH) this.#world.count("fault hugeText");
      return info;
    };
    return {
      put: (content) => this.#operation(life, () => put(content)),
      get: (digest, range) => batches(this.#operation(life, () => this.#read(() => collect(inner.get(digest, range))))),
      has: (digest) => inner.has(digest),
      delete: (digest) => inner.delete(digest),
      list: () => inner.list(),
      verify: (digest) => inner.verify(digest),
      sweep: (options) => inner.sweep(options),
      close: () => inner.close(),
    };
  }

  async #operation<T>(life: Life, work: () => Promise<T>): Promise<T> {
    return life.through(async () => {
      this.#busy += 1;
      const isOver = once(() => {
        this.#busy -= 1;
      });
      life.onDeath(isOver);
      try {
        return await work();
      } finally {
        isOver();
      }
    });
  }

  /** D2. */
  async #read<T>(work: () => Promise<T>): Promise<T> {
    await this.#world.sleep(this.#readMs());
    const found = await work();
    await this.#world.sleep(this.#readMs());
    return found;
  }

  #latencyMs(): number {
    return this.#world.dice("disk").between(0.2, 4);
  }

  #readMs(): number {
    const dice = this.#world.dice("disk reads");
    return dice.chance(0.7) ? 0 : dice.between(0.1, 6);
  }
}

/** Ids made at one time differ at their ends. */
export function short(agent: AgentId): string {
  return agent.slice(-5);
}

function once(run: () => void): () => void {
  let done = false;
  return () => {
    if (!done) run();
    done = true;
  };
}

async function collect<T>(from: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const each of from) all.push(each);
  return all;
}

async function* batches<T>(found: Promise<readonly T[]>): AsyncGenerator<T> {
  yield* await found;
}
