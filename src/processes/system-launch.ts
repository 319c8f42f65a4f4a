/**
 * The bare launch port on this machine. A program's process is begun as a shell that reads one line from a pipe, its gate, and then
 * becomes the program: the number is known, and can be journaled, before the program begins (H1); a gate whose host died reads the end
 * of its pipe and leaves. The shell is given a fixed text; the program's arguments are arguments, which no shell reads.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { setPriority, tmpdir } from "node:os";
import { join } from "node:path";
import type { Writable } from "node:stream";
import type { Rights } from "../agent/events.ts";
import { type Clock, sleep } from "../base/clock.ts";
import { BanyanError } from "../base/errors.ts";
import { commandEnvironment } from "./environment.ts";
import { runGroup } from "./group.ts";
import type { BareLaunch, BareLaunched, Exit, Program, Ran, SystemProcess } from "./launch.ts";
import { LIMITED, LimitMarks, type LimitRange } from "./limit-mark.ts";
import { memoryOf, pidsNow, sightingsOf, statOf } from "./proc.ts";
import { findProgram, notStarted } from "./programs.ts";
import { mustBeShown, sandboxed } from "./sandbox.ts";
import type { Sightings } from "./silence.ts";
import { endLeft, killGroup, killOne } from "./sweep.ts";
import { Warden } from "./warden.ts";

export interface SystemLaunchOptions {
  readonly clock: Clock;
  /** In the environment of everything that hosts of this data start, and of this host alone. No spaces. */
  readonly marks: { readonly data: string; readonly host: string };
  /** Reaches an agent's folder, for as long as it is not disposed of. @throws OUT_OF_ROOT */
  readonly openFolder: (rights: Rights, cwd: string) => Promise<{ readonly path: string } & AsyncDisposable>;
  /** Folders that a sandbox never shows. */
  readonly hidden?: readonly string[];
  /** The priority that programs get, when it is not this thread's. */
  readonly priority?: number;
}

/** The third descriptor is the gate. */
const GATE = `IFS= read -r _ <&3 || exit; ${LIMITED}exec "$@" 3<&-`;
/** Longest wait for output that is on its way when all processes have ended. */
const DRAIN_MS_MAX = 500;

export class SystemLaunch implements BareLaunch {
  readonly #options: SystemLaunchOptions;
  readonly #warden: Warden;
  readonly #limits: LimitMarks;

  constructor(options: SystemLaunchOptions) {
    this.#options = options;
    this.#limits = new LimitMarks(options.marks);
    this.#warden = new Warden(options.marks.host, this.#limits.host);
  }

  async launch(program: Program): Promise<BareLaunched> {
    const { marks, openFolder, clock } = this.#options;
    const [file = ""] = program.argv;
    await using folder = await openFolder(program.rights, program.cwd);
    const scratch = await makeScratch();
    try {
      const environment = commandEnvironment(process.env, scratch.path, marks.data, marks.host, program.mark);
      const line = await this.#lineOf(program, { folder: folder.path, scratch: scratch.path, environment });
      const limit = this.#limits.next();
      const child = spawn("/bin/sh", ["-c", GATE, "banyan-gate", String(limit), ...line], {
        cwd: folder.path,
        env: environment,
        // Its own session, and so its own group.
        detached: true,
        stdio: ["pipe", "pipe", "pipe", "pipe"],
      });
      const pid = await pidOf(child, file);
      // The gate passes it on.
      this.#lower(pid);
      const startTicks = statOf(pid)?.startTicks;
      return new SystemLaunched(
        child,
        { pid, startTicks },
        {
          ...{ clock, warden: this.#warden, mark: program.mark, limit: { from: limit, to: limit }, scratch },
          isBoxed: program.rights.sandbox !== undefined,
        },
      );
    } catch (error) {
      await scratch.remove();
      throw error;
    }
  }

  async run(program: Program, timeMsMax: number, signal: AbortSignal): Promise<Ran> {
    const { marks, openFolder, clock } = this.#options;
    const { cwd, rights, mark } = program;
    signal.throwIfAborted();
    await using folder = await openFolder(rights, cwd);
    await using scratch = await makeScratch();
    const environment = commandEnvironment(process.env, scratch.path, marks.data, marks.host, mark);
    const line = await this.#lineOf(program, { folder: folder.path, scratch: scratch.path, environment });
    // H4: what it starts before its group is known carries the mark of this host, and the warden looks for that too.
    await this.#warden.begin();
    let group = 0;
    const onStart = (pid: number) => {
      group = pid;
      this.#lower(pid);
      void this.#warden.watch(pid);
    };
    const limitMark = this.#limits.next();
    const given = { argv: line, cwd: folder.path, environment, mark, limitMark, timeMsMax };
    try {
      return await runGroup(given, { clock, signal, onStart });
    } finally {
      if (group > 0) this.#warden.forget(group);
    }
  }

  /** The arguments that the system is given. @throws TOOL_FAILED, SANDBOX_NONE */
  async #lineOf({ argv, rights }: Program, { folder, scratch, environment }: Surroundings): Promise<Line> {
    const { hidden = [] } = this.#options;
    const [file = "", ...args] = argv;
    const path = environment.PATH ?? "";
    const found = await findProgram(file, folder, path);
    if (!rights.sandbox) return [runnable(file, found), ...args];
    mustBeShown(await realpath(found), rights);
    const before = await sandboxed({ rights, cwd: folder, scratch, hidden }, path);
    return [...before, file, ...args] as readonly string[] as Line;
  }

  #lower(pid: number): void {
    const { priority } = this.#options;
    if (priority === undefined) return;
    try {
      setPriority(pid, priority);
    } catch {
      // It is gone already.
    }
  }

  sight({ pid }: SystemProcess): Sightings {
    return sightingsOf(pid);
  }

  memory(groups: ReadonlySet<number>): Promise<ReadonlyMap<number, number>> {
    return memoryOf(groups);
  }

  async reap({ pid, startTicks }: SystemProcess): Promise<void> {
    const stat = statOf(pid);
    // Another process has the number now; what it was the first of, if anything is left of it, carries the mark.
    if (!stat || stat.startTicks !== startTicks) return;
    killGroup(pid);
  }

  async sweep(): Promise<void> {
    await endLeft(undefined, this.#options.marks.data, { limit: this.#limits.data });
  }

  close(): Promise<void> {
    return this.#warden.close();
  }
}

type Line = readonly [string, ...string[]];

interface Surroundings {
  readonly folder: string;
  readonly scratch: string;
  readonly environment: Readonly<Record<string, string>>;
}

interface Means {
  readonly clock: Clock;
  readonly warden: Warden;
  readonly mark: string;
  readonly limit: LimitRange;
  readonly scratch: Scratch;
  /** The first process of its group is that of the sandbox. */
  readonly isBoxed: boolean;
}

class SystemLaunched implements BareLaunched {
  readonly system: SystemProcess;
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #means: Means;
  readonly #closed: Promise<void>;

  constructor(child: ChildProcess, system: SystemProcess, means: Means) {
    this.#child = child;
    this.system = system;
    this.#means = means;
    // `exit` and not `close`: something in the background may hold the output open for as long as it likes.
    this.exited = new Promise((resolve) => {
      child.once("exit", (code, signal) => resolve({ code: code ?? undefined, signal: signal ?? undefined }));
    });
    this.#closed = new Promise((resolve) => {
      child.once("close", () => resolve());
    });
    // A program that reads no input, or is gone, breaks its pipe: `write` tells.
    child.stdin?.on("error", () => undefined);
    this.#gate.on("error", () => undefined);
  }

  async go(): Promise<void> {
    await this.#means.warden.watch(this.system.pid);
    this.#gate.end("\n");
  }

  onOutput(listener: (chunk: Uint8Array) => void): void {
    this.#child.stdout?.on("data", listener);
    this.#child.stderr?.on("data", listener);
  }

  hold(held: boolean): void {
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (held) stream?.pause();
      else if (stream?.isPaused()) stream.resume();
    }
  }

  write(text: string, end: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const { stdin } = this.#child;
      const refuse = () => reject(new BanyanError("TOOL_FAILED", "it reads no input any more"));
      if (!stdin?.writable) return refuse();
      stdin.write(text, (error) => (error ? refuse() : resolve()));
      if (end) stdin.end();
    });
  }

  signal(signal: "SIGTERM" | "SIGKILL"): void {
    const { pid } = this.system;
    if (signal === "SIGTERM" && this.#means.isBoxed) void askGroup(pid);
    else killGroup(pid, signal);
  }

  async clear(): Promise<number> {
    const { warden, mark, limit, scratch, clock } = this.#means;
    const left = await endLeft(this.system.pid, mark, { sinceTicks: this.system.startTicks, limit });
    await this.exited;
    warden.forget(this.system.pid);
    const late = new AbortController();
    await Promise.race([this.#closed, sleep(clock, DRAIN_MS_MAX, late.signal).catch(() => undefined)]);
    late.abort();
    for (const stream of this.#child.stdio) stream?.destroy();
    await scratch.remove();
    return left;
  }

  get #gate(): Writable {
    return this.#child.stdio[3] as Writable;
  }
}

/** To all but the first: a sandbox that is asked to end does so at once, and everything in it with it. */
async function askGroup(group: number): Promise<void> {
  for (const pid of await pidsNow()) {
    if (pid !== group && statOf(pid)?.group === group) killOne(pid, "SIGTERM");
  }
}

/** A name that is looked for in PATH stays as it was given: programs look at it. */
function runnable(file: string, found: string): string {
  return file.startsWith("-") ? found : file;
}

/** Rejects when the system could not start it. */
function pidOf(child: ChildProcess, file: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", (error: NodeJS.ErrnoException) => {
      reject(notStarted(file, error.code === "E2BIG" ? "the arguments are too long" : error.message, error));
    });
    child.once("spawn", () => resolve(child.pid as number));
  });
}

interface Scratch extends AsyncDisposable {
  readonly path: string;
  remove(): Promise<void>;
}

/** HOME and temporary files of one run. */
async function makeScratch(): Promise<Scratch> {
  const path = await mkdtemp(join(tmpdir(), "banyan-process-"));
  // A folder that cannot be removed is no reason to lose the result.
  const remove = () => rm(path, { recursive: true, force: true }).catch(() => undefined);
  return { path, remove, [Symbol.asyncDispose]: remove };
}
