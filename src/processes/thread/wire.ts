/** What the two threads say to each other: questions with an answer, and news without one. */
import type { ProcessPolicy } from "../../agent/process-policy.ts";
import type { ErrorCode } from "../../base/errors.ts";
import type { Exit, Program, SystemProcess } from "../launch.ts";

/** Bytes of output of one program that are on their way between the threads; over so many, the program is held back. */
export const WINDOW_BYTES = 1024 * 1024;

/** `handle`: the number of a launched program, given by the thread that asks. */
export type Question =
  | { readonly do: "launch"; readonly handle: number; readonly program: Program; readonly policy: ProcessPolicy }
  | { readonly do: "go" | "clear"; readonly handle: number }
  | { readonly do: "write"; readonly handle: number; readonly text: string; readonly end: boolean }
  | { readonly do: "run"; readonly program: Program; readonly timeMsMax: number }
  | { readonly do: "reap"; readonly system: SystemProcess }
  | { readonly do: "sweep" | "close" };

export type ToThread =
  | { readonly is: "question"; readonly id: number; readonly question: Question }
  | { readonly is: "abort"; readonly id: number }
  | { readonly is: "signal"; readonly handle: number; readonly signal: "SIGTERM" | "SIGKILL" }
  | { readonly is: "took"; readonly handle: number; readonly bytes: number };

export type FromThread =
  | { readonly is: "answer"; readonly id: number; readonly value: unknown }
  | { readonly is: "refusal"; readonly id: number; readonly code: ErrorCode; readonly message: string }
  | { readonly is: "output"; readonly handle: number; readonly chunk: Uint8Array<ArrayBuffer> }
  | { readonly is: "ready"; readonly handle: number }
  | { readonly is: "exited"; readonly handle: number; readonly exit: Exit };
