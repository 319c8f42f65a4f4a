/**
 * Whether a process that ended is started again, and after how long. Pure.
 *
 * R1  A process that was stopped is never started again; under `never` none is, under `onFailure` none that exited with 0.
 * R2  Within any `withinMs` there are at most `restartsMax` restarts: the next end is given up.
 * R3  Each restart in a row waits twice as long as the one before, up to LIMITS.processBackoffMsMax.
 * R4  What ended with the runtime is no failure of its own: it is started again at once, and does not count.
 */
import type { ProcessPolicy } from "../agent/process-policy.ts";
import { LIMITS } from "../base/limits.ts";
import type { RunEnd } from "./run.ts";

export type AfterEnd =
  | { readonly do: "end" }
  | { readonly do: "giveUp" }
  | { readonly do: "restart"; readonly afterMs: number };

/** Restarts so far: when, in monotonic time. Those that are too old to count are forgotten. */
export class Restarts {
  #timesMs: readonly number[] = [];
  readonly #policy: ProcessPolicy;

  constructor(policy: ProcessPolicy) {
    this.#policy = policy;
  }

  /** What follows an end at `nowMs`; a restart is counted. */
  after({ how, code }: Pick<RunEnd, "how" | "code">, nowMs: number): AfterEnd {
    const { restart, restartsMax, withinMs } = this.#policy;
    if (how === "stopped" || restart === "never") return { do: "end" };
    if (how === "lost") return { do: "restart", afterMs: 0 };
    if (restart === "onFailure" && how === "exited" && code === 0) return { do: "end" };
    const recent = this.#timesMs.filter((timeMs) => timeMs > nowMs - withinMs);
    if (recent.length >= restartsMax) return { do: "giveUp" };
    const afterMs = Math.min(LIMITS.processBackoffMsMax, LIMITS.processBackoffMsMin * 2 ** recent.length);
    this.#timesMs = [...recent, nowMs];
    return { do: "restart", afterMs };
  }
}
