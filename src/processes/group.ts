/**
 * One program and all that it starts, as a process group of its own.
 *
 * G1  When `runGroup` settles, no process of the group runs any more, whether the program ended or was ended: what it
 *     left in the background goes with it.
 * G2  No shell reads the arguments.
 * G3  Memory in use does not grow with the output.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import type { Clock } from "../base/clock.ts";
import { BanyanError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { KeptOutput } from "./kept-output.ts";
import type { Ran, RanOutput } from "./launch.ts";
import { LIMITED } from "./limit-mark.ts";
import { endLeft, killGroup } from "./sweep.ts";

export interface Program {
  /** The program and its arguments. */
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** In the environment's marks, and in no other program's. */
  readonly mark: string;
  /** In KiB, and no other program's. */
  readonly limitMark: number;
  readonly timeMsMax: number;
}

export interface GroupOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told the number of the group as soon as there is one. */
  readonly onStart?: (group: number) => void;
}

/**
 * @throws TOOL_FAILED when the program cannot be started; the signal's reason when it is aborted
 */
export async function runGroup(program: Program, { clock, signal, onStart }: GroupOptions): Promise<Ran> {
  signal.throwIfAborted();
  const startedMs = clock.monotonic();
  const child = start(program);
  if (child.pid !== undefined) onStart?.(child.pid);
  let limit: "time" | "output" | undefined;
  const stop = (reached?: "time" | "output") => {
    limit ??= reached;
    if (child.pid !== undefined) killGroup(child.pid);
  };
  const onAbort = () => stop();
  const onOutput = () => {
    if (stdout.bytes + stderr.bytes > LIMITS.commandOutputBytesMax) stop("output");
  };
  const stdout = keep(child.stdout, onOutput);
  const stderr = keep(child.stderr, onOutput);
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  signal.addEventListener("abort", onAbort, { once: true });
  const timer = clock.timer(program.timeMsMax, () => stop("time"));
  try {
    const end = await endOf(child, program.argv[0]);
    const reached = limit;
    const marked = { from: program.limitMark, to: program.limitMark };
    const left = await endLeft(child.pid as number, program.mark, { limit: marked });
    await drained(child, closed, clock);
    signal.throwIfAborted();
    return {
      end,
      ...(reached && { limit: reached }),
      tookMs: clock.monotonic() - startedMs,
      stdout: shownOf(stdout),
      stderr: shownOf(stderr),
      left,
    };
  } finally {
    timer.cancel();
    signal.removeEventListener("abort", onAbort);
  }
}

/** The shell is given a fixed text and becomes the program: it reads no argument of it (G2). */
function start({ argv, limitMark, cwd, environment }: Program): ChildProcess {
  const [file] = argv;
  try {
    // Detached: its own session, and so its own group.
    return spawn("/bin/sh", ["-c", `${LIMITED}exec "$@"`, "banyan-command", String(limitMark), ...argv], {
      cwd,
      env: environment,
      detached: true,
      shell: false,
      stdio: ["ignore", "pipe", "pipe"],
    });
  } catch (error) {
    throw notStarted(file, error as NodeJS.ErrnoException);
  }
}

function shownOf(output: KeptOutput): RanOutput {
  return { bytes: output.bytes, text: output.text() };
}

/** Half of what is kept goes to each stream. */
function keep(stream: Readable | null, onOutput: () => void): KeptOutput {
  const kept = new KeptOutput(LIMITS.commandBytesMax / 2);
  // Without a stream the program was not started: the system has no descriptors left.
  stream?.on("data", (chunk: Buffer) => {
    kept.add(chunk);
    onOutput();
  });
  return kept;
}

/** `exit` and not `close`: something in the background may hold the output open for as long as it likes. */
function endOf(child: ChildProcess, file: string): Promise<Ran["end"]> {
  return new Promise((resolve, reject) => {
    child.once("exit", (exitCode, signal) => resolve(signal === null ? { exitCode: exitCode ?? 0 } : { signal }));
    child.once("error", (error: NodeJS.ErrnoException) => reject(notStarted(file, error)));
  });
}

function notStarted(file: string, error: NodeJS.ErrnoException): BanyanError {
  const why = START_FAILURES[error.code ?? ""] ?? error.message;
  return new BanyanError("TOOL_FAILED", `${JSON.stringify(file.slice(0, 200))} did not start: ${why}`, {
    cause: error,
  });
}

const START_FAILURES: Readonly<Record<string, string>> = {
  E2BIG: "the arguments are too long",
  EACCES: "it may not be run",
  ENOENT: "there is no such program",
};

/** Longest wait for output that is on its way when all processes have ended. */
const DRAIN_MS_MAX = 1_000;

/** Only a process that could not be ended keeps the output open for longer. */
async function drained(child: ChildProcess, closed: Promise<void>, clock: Clock): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = clock.timer(DRAIN_MS_MAX, resolve);
  await Promise.race([closed, late]);
  timer.cancel();
  child.stdout?.destroy();
  child.stderr?.destroy();
}
