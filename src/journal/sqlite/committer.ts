/**
 * The main thread's end of the writer: appends queue here while a commit is under way and go into the next one together
 * (group commit). When the writer's thread dies, what became of its last commit is not known, so nothing more is accepted:
 * only opening again, and reading, can tell. When the two threads take turns, and when they overlap, is for `Cadence` to say.
 *
 * One commit is answered in a turn of the event loop, and then sockets and timers have theirs. A port hands over every message that
 * is there before the loop goes on, so a writer as fast as the agents would keep readers waiting for ten commits and more.
 */
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { systemClock } from "../../base/clock.ts";
import { BanyanError } from "../../base/errors.ts";
import { presentIsOver } from "../../base/event-loop.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Append } from "../journal.ts";
import { Cadence } from "./cadence.ts";
import type { Move } from "./moves.ts";
import {
  type FromWriter,
  type Group,
  type Refusal,
  recordCount,
  type ToWriter,
  type WriterData,
  wireOf,
} from "./wire.ts";

interface Job {
  readonly group: Group;
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: BanyanError) => void;
}

/** Starts the thread and resolves when it has what it needs. `onCommit` is called after each commit. */
export async function startCommitter(data: WriterData, onCommit: () => void): Promise<Committer> {
  const file = new URL(`./writer${extname(import.meta.filename)}`, import.meta.url);
  // Without the flags of this process: some are for its own entry point only, and would keep the thread from starting.
  const writer = new Worker(file, { workerData: data, execArgv: [] });
  await new Promise<void>((resolve, reject) => {
    writer.once("message", () => resolve());
    writer.once("error", reject);
    writer.once("exit", () => reject(new Error("the writer's thread ended")));
  });
  return new Committer(writer, onCommit);
}

export class Committer {
  readonly #writer: Worker;
  readonly #onCommit: () => void;
  #queue: Job[] = [];
  /** The commit under way; empty between commits. */
  #committing: readonly Job[] = [];
  readonly #cadence = new Cadence(systemClock());
  #scheduled = false;
  /** Settled when a commit may be answered. */
  #present: Promise<void> = Promise.resolve();
  #death: BanyanError | undefined;
  #closing: Promise<void> | undefined;
  #idle: (() => void) | undefined;
  /** Told of the outcome of the move under way. */
  #moving: ((refusal: Refusal | null) => void) | undefined;
  /** Settled when the newest move is over. */
  #moved: Promise<unknown> = Promise.resolve();
  readonly #ended: Promise<void>;

  constructor(writer: Worker, onCommit: () => void) {
    this.#writer = writer;
    this.#onCommit = onCommit;
    writer.on("message", (message: FromWriter) => {
      if (message.is === "committed") void this.#inTurn(message);
      if (message.is === "moved") this.#moving?.(message.refusal);
    });
    writer.on("error", (error) => this.#died(error));
    this.#ended = new Promise((resolve) => {
      writer.on("exit", () => {
        if (!this.#closing) this.#died(new Error("its thread ended"));
        resolve();
      });
    });
    writer.unref();
  }

  /** Resolves when all of it is durable. `bytes` is its size. */
  append(appends: readonly Append[], bytes: number): Promise<void> {
    const refusal = this.#closing ? new BanyanError("SHUTTING_DOWN", "the journal is closed") : this.#death;
    if (refusal) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      this.#queue.push({ group: appends.map(wireOf), bytes, resolve, reject });
      this.#schedule();
    });
  }

  /** Resolves when the move is durable. One is made after the other. @throws JOURNAL_DAMAGED, DISK_FAILED, SHUTTING_DOWN */
  move(move: Move): Promise<void> {
    const made = this.#moved.then(() => this.#move(move));
    this.#moved = made.catch(() => undefined);
    return made;
  }

  async #move(move: Move): Promise<void> {
    if (this.#closing) throw new BanyanError("SHUTTING_DOWN", "the journal is closed");
    if (this.#death) throw this.#death;
    this.#writer.ref();
    const refusal = await new Promise<Refusal | null>((resolve) => {
      this.#moving = resolve;
      this.#send({ do: "move", move });
    });
    this.#moving = undefined;
    if (this.#committing.length === 0) this.#writer.unref();
    if (refusal) throw new BanyanError(refusal.code, refusal.message);
  }

  /** Waits for what is queued, then ends the thread. `beforeEnd` is called in between. */
  close(beforeEnd: () => void): Promise<void> {
    this.#closing ??= this.#close(beforeEnd);
    return this.#closing;
  }

  async #close(beforeEnd: () => void): Promise<void> {
    if (this.#committing.length > 0 || this.#queue.length > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    await this.#moved;
    beforeEnd();
    this.#writer.ref();
    this.#send({ do: "close" });
    await this.#ended;
  }

  /** What is asked for in one turn of the event loop goes into one commit. */
  #schedule(): void {
    if (this.#committing.length > 0 || this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (this.#committing.length === 0) this.#commitNext();
    });
  }

  #commitNext(): void {
    const count = batchLength(this.#queue);
    if (count === 0) return;
    this.#committing = this.#queue.slice(0, count);
    this.#queue = this.#queue.slice(count);
    this.#writer.ref();
    this.#send({ do: "commit", groups: this.#committing.map(({ group }) => group) });
  }

  async #inTurn(message: Committed): Promise<void> {
    await this.#present;
    if (this.#death) return;
    this.#present = presentIsOver();
    this.#committed(message);
  }

  #committed({ refusals, syncMs }: Committed): void {
    const done = this.#committing;
    this.#committing = [];
    this.#cadence.synced(syncMs);
    const overlaps = this.#cadence.overlaps(done.length + this.#queue.length);
    if (overlaps) this.#commitNext();
    const half = overlaps && this.#committing.length === 0 ? Math.ceil(done.length / 2) : done.length;
    void this.#answer(done, refusals, 0, half);
    this.#onCommit();
    if (this.#committing.length > 0) return;
    if (!this.#moving) this.#writer.unref();
    if (this.#queue.length === 0) this.#idle?.();
  }

  /** Tells those from `from` on, up to `to`; the others, and whoever still queues, once the work of these is done. */
  async #answer(done: readonly Job[], refusals: Committed["refusals"], from: number, to: number): Promise<void> {
    for (let index = from; index < to; index += 1) {
      const { resolve, reject, group } = done[index] as Job;
      const refusal = refusals[index];
      if (refusal) reject(new BanyanError(refusal.code, refusal.message, { agent: group[0]?.[0] }));
      else resolve();
    }
    const answered = this.#cadence.answered(to - from);
    await presentIsOver();
    answered();
    if (to < done.length) void this.#answer(done, refusals, to, done.length);
    if (this.#committing.length === 0) this.#commitNext();
  }

  #died(cause: unknown): void {
    if (this.#death) return;
    const because = cause instanceof Error ? cause.message : String(cause);
    this.#death = new BanyanError("DISK_FAILED", `the journal's writer died, open the data again: ${because}`, {
      cause,
    });
    for (const { reject } of [...this.#committing, ...this.#queue]) reject(this.#death);
    this.#committing = [];
    this.#queue = [];
    this.#moving?.({ code: this.#death.code, message: this.#death.message });
    this.#idle?.();
  }

  #send(message: ToWriter): void {
    this.#writer.postMessage(message);
  }
}

type Committed = Extract<FromWriter, { is: "committed" }>;

/** How many of the queue one commit takes: at least one, and no more than the limits allow. */
function batchLength(queue: readonly Job[]): number {
  let records = 0;
  let bytes = 0;
  for (const [index, job] of queue.entries()) {
    for (const append of job.group) records += recordCount(append);
    bytes += job.bytes;
    if (index > 0 && (records > LIMITS.commitRecordsMax || bytes > LIMITS.commitBytesMax)) return index;
  }
  return queue.length;
}
