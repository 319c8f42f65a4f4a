/**
 * The ports through which programs are started: `Launch`, which also watches over what it started, and below it `BareLaunch`, which
 * does not. What they promise, in the real ones and in a test's:
 *
 * H1  A program does not begin before `go`. When the host dies before that, it never begins.
 * H2  `exited` tells of the exit itself, whoever holds the output open.
 * H3  When `clear` resolves, nothing that the program started runs, what left its group included.
 * H4  Everything that was started goes with the host, however that ends.
 * H5  (Launch) What breaks its policy, or counts as hung, is ended first and told then, with its exit.
 */
import type { EventOf, Rights } from "../agent/events.ts";
import type { ProcessPolicy } from "../agent/process-policy.ts";

export interface Program {
  readonly argv: readonly string[];
  /** Relative to the agent's folder. */
  readonly cwd: string;
  readonly rights: Rights;
  /** In the environment's marks, and in no other program's. No spaces. */
  readonly mark: string;
}

/** Which process of the system it is. */
export interface SystemProcess {
  readonly pid: number;
  readonly startTicks?: number | undefined;
}

/** What ends a run before it ends by itself. */
export type Cause = Pick<EventOf<"process.ended">, "how" | "why">;

export interface Exit {
  readonly code: number | undefined;
  readonly signal: string | undefined;
  /** H5. */
  readonly cause?: Cause | undefined;
}

export interface BareLaunched {
  readonly system: SystemProcess;
  /** H1. */
  go(): Promise<void>;
  /** H2. */
  readonly exited: Promise<Exit>;
  /** Both streams of its output, as it comes. One listener. */
  onOutput(listener: (chunk: Uint8Array) => void): void;
  /** Has it wait with its output, or go on. */
  hold(held: boolean): void;
  /** Text to its input; then, with `end`, no more. @throws TOOL_FAILED when it reads no more */
  write(text: string, end: boolean): Promise<void>;
  /** To the program and its group. */
  signal(signal: "SIGTERM" | "SIGKILL"): void;
  /** H3. Ends it, too, when it has not ended. Resolves to how many processes could not be ended. */
  clear(): Promise<number>;
}

export interface Launched extends BareLaunched {
  /** Resolves once every probe that asks has had a good answer, and every heart has beaten; perhaps never. */
  readonly ready: Promise<void>;
}

interface Reaping {
  /** Ends a process that an earlier host started, if it still runs, with its group. */
  reap(system: SystemProcess): Promise<void>;
  /** Ends everything that an earlier host of this data left running. */
  sweep(): Promise<void>;
  /** Lets go of what watches over this host. Nothing may run any more. */
  close(): Promise<void>;
}

export interface Launch extends Reaping {
  /** Prepares a program. @throws TOOL_FAILED when it cannot be started, OUT_OF_ROOT */
  launch(program: Program, policy: ProcessPolicy): Promise<Launched>;
}

export interface BareLaunch extends Reaping {
  /** As that of `Launch`. */
  launch(program: Program): Promise<BareLaunched>;
  /** Runs a program of a probe to its end; true when it exits with 0 in time. */
  check(program: Program, timeoutMs: number, signal: AbortSignal): Promise<boolean>;
  /** Resident bytes by the number of the group, which is that of its first process. */
  memory(groups: ReadonlySet<number>): Promise<ReadonlyMap<number, number>>;
}
