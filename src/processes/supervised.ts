/**
 * One background process, through all its runs.
 *
 * V1  A program begins only after its start is durable; a start that is refused leaves nothing.
 * V2  An end is journaled once what the run left is cleared away. A journal that cannot be written is tried again.
 * V3  A stop that is asked for at any moment, in any phase, ends it for good.
 */

import type { Rights } from "../agent/events.ts";
import type { Process } from "../agent/state.ts";
import { type Clock, sleep } from "../base/clock.ts";
import { asBanyanError, type ErrorCode } from "../base/errors.ts";
import type { AgentId } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";
import type { Redact } from "../base/redact.ts";
import type { BlobInfo } from "../blobs/blobs.ts";
import type { DraftSource, Drafts } from "./drafts.ts";
import type { Cause, Launch, Launched, Program, SystemProcess } from "./launch.ts";
import { follow, type Phase } from "./phase.ts";
import { type AfterEnd, Restarts } from "./restart.ts";
import { Run, type RunEnd } from "./run.ts";

/** What is to run, for whom. */
export interface ProcessSpec extends Pick<Process, "id" | "name" | "argv" | "cwd" | "policy" | "callId"> {
  readonly agent: AgentId;
  readonly rights: Rights;
}

/** What must be durable of a process. Each resolves when it is, and rejects with the refusal. */
export interface ProcessLog {
  started(spec: ProcessSpec, system: SystemProcess): Promise<void>;
  restarted(spec: ProcessSpec, system: SystemProcess): Promise<void>;
  /** Resolves to false when it is not to start again, whatever was wanted: its agent has ended. */
  ended(spec: ProcessSpec, end: RunEnd, next: { restartTime?: number; gaveUp?: true }): Promise<boolean>;
}

export interface SupervisedOptions {
  readonly launch: Launch;
  readonly clock: Clock;
  readonly log: ProcessLog;
  /** Takes secrets out of output before it is stored. */
  readonly redact: Redact;
  readonly store: (bytes: AsyncIterable<Uint8Array>) => Promise<BlobInfo>;
  /** Keeps output that is not stored yet for the next host. */
  readonly drafts?: Drafts | undefined;
}

/** What stopping is for: how it is journaled, and whether the program gets a moment to tidy up. */
export interface Stop extends Cause {
  /** Milliseconds between SIGTERM and SIGKILL; SIGKILL at once when 0. */
  readonly graceMs: number;
}

export class Supervised {
  readonly spec: ProcessSpec;
  readonly #options: SupervisedOptions;
  readonly #restarts: Restarts;
  readonly #gone = Promise.withResolvers<void>();
  #phase: Phase = { is: "starting" };
  #newest: Run | undefined;
  #stopped: Stop | undefined;
  /** Its end is being journaled. */
  #isEnding = false;

  constructor(spec: ProcessSpec, options: SupervisedOptions) {
    this.spec = spec;
    this.#options = options;
    this.#restarts = new Restarts(spec.policy);
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** The newest run, or the one that was. */
  get run(): Run | undefined {
    return this.#newest;
  }

  /** Resolves when it has ended for good and that is durable. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  /** Starts it for the first time (V1). @throws why it cannot be started */
  async start(): Promise<void> {
    try {
      await this.#begin((system) => this.#options.log.started(this.spec, system));
    } catch (error) {
      this.#over();
      throw error;
    }
  }

  /** Goes on where an earlier host left it: it waits to be started again. */
  resume(restartTime: number): void {
    // No longer than any wait: the wall clock may have been set back meanwhile.
    const waitMs = Math.min(LIMITS.processBackoffMsMax, restartTime - this.#options.clock.now());
    this.#backOff(Math.max(0, waitMs));
  }

  /** V3. Resolves when it is gone. */
  stop(stop: Stop): Promise<void> {
    this.#stopped ??= stop;
    const phase = this.#phase;
    switch (phase.is) {
      case "starting":
        phase.stop = true;
        break;
      case "running":
        this.#end(phase, stop);
        break;
      case "stopping":
        if (stop.graceMs === 0) phase.launched.signal("SIGKILL");
        break;
      case "backingOff":
        phase.timer.cancel();
        if (!this.#isEnding) void this.#ended({ how: stop.how, ...(stop.why !== undefined && { why: stop.why }) });
        break;
      case "ended":
        break;
    }
    return this.gone;
  }

  async #begin(journal: (system: SystemProcess) => Promise<void>): Promise<void> {
    const launched = await this.#options.launch.launch(programOf(this.spec), this.spec.policy);
    try {
      await journal(launched.system);
      await this.#unlessStopped(launched);
    } catch (error) {
      await launched.clear();
      throw error;
    }
  }

  /** From here on there is a run, and an end to journal. */
  async #unlessStopped(launched: Launched): Promise<void> {
    const wasStopped = this.#phase.is === "starting" && this.#phase.stop;
    const { store, redact, drafts } = this.#options;
    const { agent, id, policy } = this.spec;
    const draft = drafts && ((source: DraftSource) => drafts.begin({ agent, id, system: launched.system }, source));
    const run = new Run(launched, { policy, store, redact, draft, onLimit: (cause) => this.#limit(cause) });
    this.#newest = run;
    const running = { is: "running", launched, run } as const;
    this.#phase = follow(this.#phase, running);
    void this.#watch(launched, run);
    if (wasStopped && this.#stopped) return this.#end(running, this.#stopped);
    await launched.go();
  }

  #limit(cause: Cause): void {
    if (this.#phase.is === "running") this.#end(this.#phase, { ...cause, graceMs: 0 });
  }

  #end({ launched, run }: Extract<Phase, { is: "running" }>, { how, why, graceMs }: Stop): void {
    run.cause ??= { how, ...(why !== undefined && { why }) };
    this.#phase = follow(this.#phase, { is: "stopping", launched, run });
    launched.signal(graceMs > 0 ? "SIGTERM" : "SIGKILL");
    if (graceMs === 0) return;
    const timer = this.#options.clock.timer(graceMs, () => launched.signal("SIGKILL"));
    void launched.exited.then(() => timer.cancel());
  }

  async #watch(launched: Launched, run: Run): Promise<void> {
    const exit = await launched.exited;
    if (this.#phase.is === "running") this.#phase = follow(this.#phase, { is: "stopping", launched, run });
    const left = await launched.clear();
    const end = await run.end(exit);
    const more = left > 0 ? { why: `${left} processes that it started could not be ended` } : {};
    await this.#ended({ ...end, ...more });
  }

  /** V2. */
  async #ended(end: RunEnd): Promise<void> {
    const { clock } = this.#options;
    const wanted: AfterEnd = this.#stopped
      ? afterStop(this.#stopped, this.spec.policy.restart)
      : this.#restarts.after(end, clock.monotonic());
    const restartTime = wanted.do === "restart" ? clock.now() + wanted.afterMs : undefined;
    const next = {
      ...(restartTime !== undefined && { restartTime }),
      ...(wanted.do === "giveUp" && { gaveUp: true as const }),
    };
    this.#isEnding = true;
    const again = await this.#journalEnd(end, next);
    this.#isEnding = false;
    if (wanted.do === "restart" && again && !this.#stopped) this.#backOff(wanted.afterMs);
    else if (wanted.do === "restart" && again && this.#stopped?.how === "stopped") await this.#ended(this.#stopEnd());
    else this.#over();
  }

  /** A stop came while the end that was to be followed by a restart was being journaled: this is the end for good. */
  #stopEnd(): RunEnd {
    return { how: "stopped" };
  }

  async #journalEnd(end: RunEnd, next: Parameters<ProcessLog["ended"]>[2]): Promise<boolean> {
    for (;;) {
      try {
        const again = await this.#options.log.ended(this.spec, end, next);
        await this.#newest?.forget(true);
        return again;
      } catch (error) {
        if (!TRIED_AGAIN.has(asBanyanError(error).code)) {
          await this.#newest?.forget(false);
          return false;
        }
        await sleep(this.#options.clock, LIMITS.diskRetryMs);
      }
    }
  }

  #backOff(afterMs: number): void {
    const { clock } = this.#options;
    const timer = clock.timer(afterMs, () => {
      this.#phase = follow(this.#phase, { is: "starting" });
      void this.#again();
    });
    const restartTime = clock.now() + afterMs;
    this.#phase =
      this.#phase.is === "backingOff"
        ? { is: "backingOff", timer, restartTime }
        : follow(this.#phase, { is: "backingOff", timer, restartTime });
  }

  async #again(): Promise<void> {
    try {
      await this.#begin((system) => this.#options.log.restarted(this.spec, system));
    } catch (error) {
      const { message } = asBanyanError(error);
      await this.#ended(this.#stopped ? this.#stopEnd() : { how: "notStarted", why: message.slice(0, 1_000) });
    }
  }

  #over(): void {
    if (this.#phase.is !== "ended") this.#phase = follow(this.#phase, { is: "ended" });
    this.#gone.resolve();
  }
}

/** One that ends with the runtime goes on with the next, if it is to be started again at all. */
function afterStop({ how }: Stop, restart: ProcessSpec["policy"]["restart"]): AfterEnd {
  return how === "lost" && restart !== "never" ? { do: "restart", afterMs: 0 } : { do: "end" };
}

const TRIED_AGAIN: ReadonlySet<ErrorCode> = new Set(["DISK_FAILED"]);

function programOf({ argv, cwd, rights, id }: ProcessSpec): Program {
  return { argv, cwd, rights, mark: id };
}
