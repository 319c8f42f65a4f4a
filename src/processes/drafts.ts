/**
 * Output of runs that have not ended, in files: what a store has of it while it comes is lost with the host, and this is not. The
 * host that opens the data next makes of it what the run's end would have made.
 *
 * D1  A draft is at any moment what the run's output would be, redacted, if it ended now; but for the newest LIMITS.processDraftMs, and a
 *     last word that may go on. Its owner alone may read it.
 * D2  A draft is of one run. A later one of the same process has another name, so none is ever taken for another.
 * D3  A draft that cannot be written is lost, and nothing else is. A disk that is slow holds back who puts out, as the store does.
 */
import { constants, createReadStream } from "node:fs";
import { type FileHandle, open, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, Timer } from "../base/clock.ts";
import { makeFolder } from "../base/durable-folder.ts";
import { type AgentId, isId } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";
import type { SystemProcess } from "./launch.ts";

/** Which run: of which process of which agent, and which process of the system that was. */
export interface DraftOf {
  readonly agent: AgentId;
  readonly id: string;
  readonly system: SystemProcess;
}

export interface DraftSource {
  /** Put out already, and waiting for what follows before it is redacted for good. */
  readonly pending: () => Uint8Array;
  /** Has it wait with its output, or go on. */
  readonly hold: (held: boolean) => void;
}

export interface Draft {
  /** What follows, redacted. */
  add(chunk: Uint8Array): void;
  /** Its run has ended: no more is added, and the file goes if that end is durable. Never rejects; twice is harmless. */
  end(isDurable: boolean): Promise<void>;
}

export interface Drafts {
  begin(of: DraftOf, source: DraftSource): Draft;
  /** What an earlier host left of a run; undefined when that is nothing. */
  read(of: DraftOf): Promise<AsyncIterable<Uint8Array> | undefined>;
  list(): Promise<DraftOf[]>;
  drop(of: DraftOf): Promise<void>;
}

export interface DraftOptions {
  /** Made when something is put out. */
  readonly folder: string;
  readonly clock: Clock;
}

export function openDrafts({ folder, clock }: DraftOptions): Drafts {
  const pathOf = (of: DraftOf) => join(folder, nameOf(of));
  return {
    begin: (of, source) => new FileDraft(source, { clock, path: pathOf(of), folder }),
    async read(of) {
      const path = pathOf(of);
      const found = await stat(path).catch(() => undefined);
      return found?.isFile() && found.size > 0 ? createReadStream(path) : undefined;
    },
    async list() {
      const names = await readdir(folder).catch(() => []);
      return names.flatMap((name) => ofName(name) ?? []);
    },
    drop: (of) => rm(pathOf(of), { force: true }),
  };
}

/** Bytes that wait to be written; over so many, they are written at once and more is held back. */
const QUEUE_BYTES_MAX = 1024 * 1024;
const MADE_ANEW = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

class FileDraft implements Draft {
  readonly #source: DraftSource;
  readonly #with: DraftOptions & { readonly path: string };
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  /** Bytes of the file that stay as they are, and all of it. */
  #doneBytes = 0;
  #fileBytes = 0;
  #file: FileHandle | undefined;
  #isStale = false;
  #writing: Promise<void> | undefined;
  #pause: Timer | undefined;
  #isOver = false;

  constructor(source: DraftSource, parts: DraftOptions & { readonly path: string }) {
    this.#source = source;
    this.#with = parts;
  }

  add(chunk: Uint8Array): void {
    if (this.#isOver) return;
    this.#queue.push(chunk);
    this.#queuedBytes += chunk.length;
    this.#isStale = true;
    if (this.#isMuch) this.#source.hold(true);
    this.#goOn();
  }

  async end(isDurable: boolean): Promise<void> {
    this.#isOver = true;
    this.#pause?.cancel();
    await this.#writing;
    const file = this.#file;
    this.#file = undefined;
    await file?.close().catch(() => undefined);
    if (file && isDurable) await rm(this.#with.path, { force: true }).catch(() => undefined);
  }

  get #isMuch(): boolean {
    return this.#queuedBytes > QUEUE_BYTES_MAX;
  }

  /** Writes what there is, unless it was written a moment ago. */
  #goOn(): void {
    if (this.#isOver || this.#writing || !this.#isStale || (this.#pause && !this.#isMuch)) return;
    this.#pause?.cancel();
    this.#pause = undefined;
    this.#writing = this.#write()
      // D3.
      .catch(() => {
        this.#isOver = true;
        this.#queue = [];
      })
      .then(() => {
        this.#writing = undefined;
        this.#source.hold(false);
        if (this.#isOver) return;
        this.#pause = this.#with.clock.timer(LIMITS.processDraftMs, () => {
          this.#pause = undefined;
          this.#goOn();
        });
        this.#goOn();
      });
  }

  /** What waits to be redacted goes behind the rest, and is written over with what comes of it. */
  async #write(): Promise<void> {
    const done = Buffer.concat(this.#queue);
    const bytes = Buffer.concat([done, this.#source.pending()]);
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#isStale = false;
    if (!this.#file) {
      makeFolder(this.#with.folder);
      this.#file = await open(this.#with.path, MADE_ANEW, 0o600);
    }
    const end = this.#doneBytes + bytes.length;
    // What was longer as it came is shorter now: a secret of several words has become whole.
    if (end < this.#fileBytes) await this.#file.truncate(end);
    const { bytesWritten } = await this.#file.write(bytes, 0, bytes.length, this.#doneBytes);
    if (bytesWritten < bytes.length) throw new Error("the disk is full");
    this.#doneBytes += done.length;
    this.#fileBytes = end;
  }
}

/** D2. */
function nameOf({ agent, id, system }: DraftOf): string {
  return `${agent}.${id}.${system.pid}.${system.startTicks ?? ""}`;
}

/** Undefined for what is no draft. */
function ofName(name: string): DraftOf | undefined {
  const [agent, id, pid, startTicks, ...more] = name.split(".");
  const isDraft = isId(agent) && isId(id) && more.length === 0 && [pid, startTicks || "0"].every(isNumber);
  if (!isDraft) return undefined;
  return { agent, id, system: { pid: Number(pid), ...(startTicks && { startTicks: Number(startTicks) }) } };
}

function isNumber(text: string | undefined): boolean {
  return /^\d{1,15}$/.test(text ?? "");
}
