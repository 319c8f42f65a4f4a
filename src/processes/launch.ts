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
import type { Sightings } from "./silence.ts";

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

/** One of the two outputs of a program that was run to its end: how much it was, and its text with the middle left out. */
export interface RanOutput {
  readonly bytes: number;
  readonly text: string;
}

/** How a program went that was run to its end. */
export interface Ran {
  readonly end: { readonly exitCode: number } | { readonly signal: string };
  /** What ended it, when it did not end by itself. */
  readonly limit?: "time" | "output";
  readonly tookMs: number;
  readonly stdout: RanOutput;
  readonly stderr: RanOutput;
  /** Processes that could not be ended. */
  readonly left: number;
}

interface Both {
  /**
   * Runs a program to its end, without an input: for a tool that waits for it, or a probe. H3 and H4 hold for it.
   * @throws TOOL_FAILED when it cannot be started, OUT_OF_ROOT, SANDBOX_NONE; the signal's reason when it is aborted
   */
  run(program: Program, timeMsMax: number, signal: AbortSignal): Promise<Ran>;
  /** Ends a process that an earlier host started, if it still runs, with its group. */
  reap(system: SystemProcess): Promise<void>;
  /** Ends everything that an earlier host of this data left running. */
  sweep(): Promise<void>;
  /** Lets go of what watches over this host. Nothing may run any more. */
  close(): Promise<void>;
}

export interface Launch extends Both {
  /** Prepares a program. @throws TOOL_FAILED when it cannot be started, OUT_OF_ROOT, SANDBOX_NONE */
  launch(program: Program, policy: ProcessPolicy): Promise<Launched>;
}

export interface BareLaunch extends Both {
  /** As that of `Launch`. */
  launch(program: Program): Promise<BareLaunched>;
  /** What runs of a program: its first process, and what that started. At once: it is asked when somebody is about to be judged. */
  sight(first: SystemProcess): Sightings;
  /** Resident bytes by the number of the group, which is that of its first process. */
  memory(groups: ReadonlySet<number>): Promise<ReadonlyMap<number, number>>;
}
