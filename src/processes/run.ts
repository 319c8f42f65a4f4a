/** One run of a process: its output, its probes and its limits, from its start to its end. */
import type { EventOf } from "../agent/events.ts";
import type { ProcessPolicy } from "../agent/process-policy.ts";
import type { Clock } from "../base/clock.ts";
import { LIMITS } from "../base/limits.ts";
import type { BlobInfo } from "../blobs/blobs.ts";
import type { Exit, Launched } from "./launch.ts";
import { OutputRing, Spool } from "./output.ts";
import { type Ask, Probes } from "./probes.ts";

/** How a run ended, as the journal has it. */
export type RunEnd = Omit<EventOf<"process.ended">, "type" | "id" | "restartTime" | "gaveUp">;

/** What ends a run before it ends by itself. */
export type Cause = Pick<RunEnd, "how" | "why">;

export interface RunOptions {
  readonly policy: ProcessPolicy;
  readonly clock: Clock;
  readonly ask: Ask;
  /** Stores bytes as they come. */
  readonly store: (bytes: AsyncIterable<Uint8Array>) => Promise<BlobInfo>;
  /** Told once, of a limit or a probe that is to end it. */
  readonly onLimit: (cause: Cause) => void;
}

export class Run {
  readonly ring = new OutputRing(LIMITS.processRingBytesMax);
  readonly #options: RunOptions;
  readonly #probes: Probes;
  readonly #spool: Spool;
  readonly #startMs: number;
  #stored: Promise<BlobInfo | undefined> | undefined;
  /** The first cause counts. */
  cause: Cause | undefined;

  constructor(launched: Launched, options: RunOptions) {
    const { policy, clock, ask } = options;
    this.#options = options;
    this.#probes = new Probes({ probes: policy.probes, clock, ask });
    this.#spool = new Spool((held) => launched.hold(held));
    this.#startMs = clock.monotonic();
    launched.onOutput((chunk) => this.#add(this.#probes.heard(chunk)));
  }

  get isReady(): boolean {
    return this.#probes.isReady;
  }

  /** One look at its limits and probes; `late` when this look comes too late to judge by. */
  look({ late, memoryBytes }: { late: boolean; memoryBytes: number | undefined }): void {
    const { policy, clock } = this.#options;
    const tookMs = clock.monotonic() - this.#startMs;
    const hung = this.#probes.round({ late });
    if (policy.timeMsMax !== undefined && tookMs > policy.timeMsMax) this.#end({ how: "timedOut" });
    else if (memoryBytes !== undefined && memoryBytes > policy.memoryBytesMax) {
      this.#end({ how: "overMemory", why: `${memoryBytes} bytes are resident` });
    } else if (hung !== undefined) this.#end({ how: "hung", why: hung });
  }

  /** How it ended, once all its output is stored. */
  async end({ code, signal }: Exit): Promise<RunEnd> {
    this.#add(this.#probes.end());
    this.#spool.end();
    const output = await this.#stored;
    const cause: Cause = this.cause ?? { how: signal === undefined ? "exited" : "signalled" };
    return {
      ...cause,
      ...(code !== undefined && { code }),
      ...(signal !== undefined && { signal }),
      ...(output && { output }),
    };
  }

  /** Its probes ask no more. */
  stopping(cause: Cause): void {
    this.cause ??= cause;
    this.#add(this.#probes.end());
  }

  #end(cause: Cause): void {
    if (this.cause) return;
    this.cause = cause;
    this.#options.onLimit(cause);
  }

  #add(chunk: Uint8Array): void {
    const { outputBytesMax } = this.#options.policy;
    const kept = chunk.subarray(0, Math.max(0, outputBytesMax - this.ring.bytes));
    if (kept.length > 0) {
      this.ring.add(kept);
      this.#spool.add(kept);
      // A store that fails loses the output and nothing else: the end is journaled without it.
      this.#stored ??= this.#options.store(this.#spool.read()).catch(() => {
        this.#spool.discard();
        return undefined;
      });
    }
    if (kept.length < chunk.length) this.#end({ how: "overOutput" });
  }
}
