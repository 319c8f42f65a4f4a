/** One run of a process: its output, and how it ended. Its probes and its other limits are looked after where it was launched. */
import type { EventOf } from "../agent/events.ts";
import type { ProcessPolicy } from "../agent/process-policy.ts";
import { LIMITS } from "../base/limits.ts";
import type { Redact } from "../base/redact.ts";
import { RedactedStream } from "../base/redact-stream.ts";
import type { BlobInfo } from "../blobs/blobs.ts";
import type { Draft, DraftSource } from "./drafts.ts";
import type { Cause, Exit, Launched } from "./launch.ts";
import { OutputRing, Spool } from "./output.ts";

/** How a run ended, as the journal has it. */
export type RunEnd = Omit<EventOf<"process.ended">, "type" | "id" | "restartTime" | "gaveUp">;

export interface RunOptions {
  readonly policy: ProcessPolicy;
  readonly redact: Redact;
  /** Stores bytes as they come. */
  readonly store: (bytes: AsyncIterable<Uint8Array>) => Promise<BlobInfo>;
  /** Begins what the next host has of the output, should this one die. Without it that is nothing. */
  readonly draft?: ((source: DraftSource) => Draft) | undefined;
  /** Told once, of output over its limit. */
  readonly onLimit: (cause: Cause) => void;
}

export class Run {
  readonly #ring = new OutputRing(LIMITS.processRingBytesMax);
  readonly #options: RunOptions;
  readonly #redacted: RedactedStream;
  readonly #spool: Spool;
  readonly #draft: Draft | undefined;
  /** Those for whom its output waits. */
  readonly #holding = new Set<"store" | "draft">();
  #stored: Promise<BlobInfo | undefined> | undefined;
  #isReady: boolean;
  /** As it came, up to its limit. */
  #bytes = 0;
  /** The first cause counts. */
  cause: Cause | undefined;

  constructor(launched: Launched, options: RunOptions) {
    this.#options = options;
    this.#redacted = new RedactedStream(options.redact);
    const hold = (who: "store" | "draft") => (held: boolean) => {
      if (held) this.#holding.add(who);
      else this.#holding.delete(who);
      launched.hold(this.#holding.size > 0);
    };
    this.#spool = new Spool(hold("store"));
    this.#draft = options.draft?.({ pending: () => this.#redacted.pending, hold: hold("draft") });
    this.#isReady = options.policy.probes.length === 0;
    void launched.ready.then(() => {
      this.#isReady = true;
    });
    launched.onOutput((chunk) => this.#add(chunk));
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** Bytes that it put out and that are kept, redacted. */
  get bytes(): number {
    return this.#ring.bytes + this.#redacted.pending.length;
  }

  /** The newest of its output, and the number of its first line. */
  get output(): { text: string; firstLine: number } {
    const { text, firstLine } = this.#ring.kept();
    return { text: text + Buffer.from(this.#redacted.pending).toString("utf8"), firstLine };
  }

  /** How it ended, once all its output is stored. */
  async end({ code, signal, cause: broken }: Exit): Promise<RunEnd> {
    this.#keep(this.#redacted.end());
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

  /** Lets go of the draft; an end that is durable needs none. */
  async forget(isDurable: boolean): Promise<void> {
    await this.#draft?.end(isDurable);
  }

  #end(cause: Cause): void {
    if (this.cause) return;
    this.cause = cause;
    this.#options.onLimit(cause);
  }

  #add(chunk: Uint8Array): void {
    const { outputBytesMax } = this.#options.policy;
    const kept = chunk.subarray(0, Math.max(0, outputBytesMax - this.#bytes));
    this.#bytes += kept.length;
    if (kept.length > 0) this.#keep(this.#redacted.add(kept));
    if (kept.length < chunk.length) this.#end({ how: "overOutput" });
  }

  #keep(chunk: Uint8Array): void {
    this.#draft?.add(chunk);
    if (chunk.length === 0) return;
    this.#ring.add(chunk);
    this.#spool.add(chunk);
    // A store that fails loses the output and nothing else: the end is journaled without it.
    this.#stored ??= this.#options.store(this.#spool.read()).catch(() => {
      this.#spool.discard();
      return undefined;
    });
  }
}
