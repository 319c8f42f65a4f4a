/** One run of a process: its output, and how it ended. Its probes and its other limits are looked after where it was launched. */
import type { EventOf } from "../agent/events.ts";
import type { ProcessPolicy } from "../agent/process-policy.ts";
import { LIMITS } from "../base/limits.ts";
import type { BlobInfo } from "../blobs/blobs.ts";
import type { Cause, Exit, Launched } from "./launch.ts";
import { OutputRing, Spool } from "./output.ts";

/** How a run ended, as the journal has it. */
export type RunEnd = Omit<EventOf<"process.ended">, "type" | "id" | "restartTime" | "gaveUp">;

export interface RunOptions {
  readonly policy: ProcessPolicy;
  /** Stores bytes as they come. */
  readonly store: (bytes: AsyncIterable<Uint8Array>) => Promise<BlobInfo>;
  /** Told once, of output over its limit. */
  readonly onLimit: (cause: Cause) => void;
}

export class Run {
  readonly ring = new OutputRing(LIMITS.processRingBytesMax);
  readonly #options: RunOptions;
  readonly #spool: Spool;
  #stored: Promise<BlobInfo | undefined> | undefined;
  #isReady: boolean;
  /** The first cause counts. */
  cause: Cause | undefined;

  constructor(launched: Launched, options: RunOptions) {
    this.#options = options;
    this.#spool = new Spool((held) => launched.hold(held));
    this.#isReady = options.policy.probes.length === 0;
    void launched.ready.then(() => {
      this.#isReady = true;
    });
    launched.onOutput((chunk) => this.#add(chunk));
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** How it ended, once all its output is stored. */
  async end({ code, signal, cause: broken }: Exit): Promise<RunEnd> {
    this.#spool.end();
    const output = await this.#stored;
    const cause: Cause = this.cause ?? broken ?? { how: signal === undefined ? "exited" : "signalled" };
    return {
      ...cause,
      ...(code !== undefined && { code }),
      ...(signal !== undefined && { signal }),
      ...(output && { output }),
    };
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
