/**
 * A launch on a thread of its own: this thread's end. What has a deadline happens over there, where no journal, no fold and no answer
 * of a model keeps it from its turn: a process that hangs is ended while this thread stands still, and none is for that reason.
 *
 * R1  The thread is begun with the first program, and keeps the host alive only while something is asked of it or runs.
 * R2  A thread that dies takes its programs along, by the warden; each is told as killed, and the next launch begins a new one.
 */
import type { Worker } from "node:worker_threads";
import type { ProcessPolicy } from "../../agent/process-policy.ts";
import { BanyanError } from "../../base/errors.ts";
import type { Exit, Launch, Launched, Program, Ran, SystemProcess } from "../launch.ts";
import { endLeft } from "../sweep.ts";
import type { FromThread, Question, ToThread } from "./wire.ts";

export class RemoteLaunch implements Launch {
  readonly #begin: () => Worker;
  #thread: Thread | undefined;
  #handles = 0;

  /** @param begin starts a thread that serves a launch */
  constructor(begin: () => Worker) {
    this.#begin = begin;
  }

  async launch(program: Program, policy: ProcessPolicy): Promise<Launched> {
    const thread = this.#running();
    this.#handles += 1;
    const launched = new RemoteLaunched(thread, this.#handles, program.mark);
    thread.launched.set(this.#handles, launched);
    try {
      const question = { do: "launch", handle: this.#handles, program, policy } as const;
      launched.system = (await thread.ask(question)) as SystemProcess;
      return launched;
    } catch (error) {
      thread.forget(launched);
      throw error;
    }
  }

  async run(program: Program, timeMsMax: number, signal: AbortSignal): Promise<Ran> {
    signal.throwIfAborted();
    try {
      return (await this.#running().ask({ do: "run", program, timeMsMax }, signal)) as Ran;
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  }

  async reap(system: SystemProcess): Promise<void> {
    await this.#running().ask({ do: "reap", system });
  }

  async sweep(): Promise<void> {
    await this.#running().ask({ do: "sweep" });
  }

  async close(): Promise<void> {
    await this.#thread?.close();
    this.#thread = undefined;
  }

  #running(): Thread {
    if (!this.#thread || this.#thread.isDead) this.#thread = new Thread(this.#begin());
    return this.#thread;
  }
}

interface Asked {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: BanyanError) => void;
}

class Thread {
  readonly launched = new Map<number, RemoteLaunched>();
  isDead = false;
  readonly #worker: Worker;
  readonly #asked = new Map<number, Asked>();
  #questions = 0;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.on("message", (message: FromThread) => this.#heard(message));
    // Its exit follows.
    worker.on("error", () => undefined);
    worker.on("exit", () => this.#died());
  }

  ask(question: Question, signal?: AbortSignal): Promise<unknown> {
    if (this.isDead) return Promise.reject(gone());
    this.#questions += 1;
    const id = this.#questions;
    const onAbort = () => this.tell({ is: "abort", id });
    signal?.addEventListener("abort", onAbort, { once: true });
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#asked.set(id, { resolve, reject });
    this.tell({ is: "question", id, question });
    this.#keepAlive();
    return promise.finally(() => signal?.removeEventListener("abort", onAbort));
  }

  tell(message: ToThread): void {
    this.#worker.postMessage(message);
  }

  forget({ handle }: RemoteLaunched): void {
    this.launched.delete(handle);
    this.#keepAlive();
  }

  async close(): Promise<void> {
    await this.ask({ do: "close" }).catch(() => undefined);
    await this.#worker.terminate();
  }

  /** R1. */
  #keepAlive(): void {
    if (this.#asked.size + this.launched.size > 0) this.#worker.ref();
    else this.#worker.unref();
  }

  #heard(message: FromThread): void {
    switch (message.is) {
      case "answer":
        this.#take(message.id)?.resolve(message.value);
        return;
      case "refusal":
        this.#take(message.id)?.reject(new BanyanError(message.code, message.message));
        return;
      case "output":
        this.launched.get(message.handle)?.heard(message.chunk);
        return;
      case "ready":
        this.launched.get(message.handle)?.isReady();
        return;
      case "exited":
        this.launched.get(message.handle)?.hasExited(message.exit);
    }
  }

  #take(id: number): Asked | undefined {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    this.#keepAlive();
    return asked;
  }

  /** R2. */
  #died(): void {
    this.isDead = true;
    for (const { reject } of this.#asked.values()) reject(gone());
    this.#asked.clear();
    for (const launched of this.launched.values()) launched.hasExited({ code: undefined, signal: "SIGKILL" });
  }
}

function gone(): BanyanError {
  return new BanyanError("TOOL_FAILED", "what watches over processes has stopped");
}

class RemoteLaunched implements Launched {
  system: SystemProcess = { pid: 0 };
  readonly handle: number;
  readonly #thread: Thread;
  readonly #mark: string;
  readonly #exit = Promise.withResolvers<Exit>();
  readonly #ready = Promise.withResolvers<void>();
  readonly exited = this.#exit.promise;
  readonly ready = this.#ready.promise;
  #listener: (chunk: Uint8Array) => void = () => undefined;
  #isHeld = false;
  /** Bytes that came while it is held. */
  #untaken = 0;

  constructor(thread: Thread, handle: number, mark: string) {
    this.#thread = thread;
    this.handle = handle;
    this.#mark = mark;
  }

  async go(): Promise<void> {
    await this.#thread.ask({ do: "go", handle: this.handle });
  }

  onOutput(listener: (chunk: Uint8Array) => void): void {
    this.#listener = listener;
  }

  hold(held: boolean): void {
    this.#isHeld = held;
    if (!held) this.#take(0);
  }

  async write(text: string, end: boolean): Promise<void> {
    await this.#thread.ask({ do: "write", handle: this.handle, text, end });
  }

  signal(signal: "SIGTERM" | "SIGKILL"): void {
    if (!this.#thread.isDead) this.#thread.tell({ is: "signal", handle: this.handle, signal });
  }

  async clear(): Promise<number> {
    try {
      return (await this.#thread.ask({ do: "clear", handle: this.handle })) as number;
    } catch (error) {
      if (!this.#thread.isDead) throw error;
      return endLeft(this.system.pid, this.#mark, { sinceTicks: this.system.startTicks });
    } finally {
      this.#thread.forget(this);
    }
  }

  heard(chunk: Uint8Array): void {
    this.#listener(chunk);
    this.#take(chunk.length);
  }

  isReady(): void {
    this.#ready.resolve();
  }

  hasExited(exit: Exit): void {
    this.#exit.resolve(exit);
  }

  /** While it is held nothing is said to be taken, and so the thread holds the program back. */
  #take(bytes: number): void {
    this.#untaken += bytes;
    if (this.#isHeld || this.#untaken === 0) return;
    this.#thread.tell({ is: "took", handle: this.handle, bytes: this.#untaken });
    this.#untaken = 0;
  }
}
