/**
 * One streamed call of a model, to its end.
 *
 * S1  Aborting the signal ends it at once, whether or not the provider heeds it (R2); what the provider still says is dropped.
 * S2  A provider that is silent for LIMITS.streamSilenceMsMax, before its first word or after, has broken off.
 * S3  It never rejects, and nothing of it goes on unwatched: a stream that is done for is cancelled, one that finished is
 *     read to its end, so that its connection serves the next call.
 */
import type { Clock, Timer } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import { Answer } from "./answer.ts";
import type { ModelRequest, ProviderModel, StreamPart } from "./provider-model.ts";
import type { Headers } from "./rate-headers.ts";

type FinishPart = Extract<StreamPart, { type: "finish" }>;

export type CallEnd =
  | { readonly end: "finished"; readonly answer: Answer; readonly finish: FinishPart }
  | { readonly end: "interrupted"; readonly answer: Answer }
  | { readonly end: "failed"; readonly answer: Answer; readonly error: unknown };

export interface CallOptions {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly onDelta?: ((text: string) => void) | undefined;
  /** Told of the headers of an answer, before its first word. */
  readonly onHeaders?: ((headers: Headers) => void) | undefined;
}

/** Why a call ended that the provider did not end itself. */
export class BrokenOff extends Error {}

/** `options.signal` must not be aborted yet: a call that was not made is not a call. */
export function callModel(model: ProviderModel, request: ModelRequest, options: CallOptions): Promise<CallEnd> {
  return new Promise((resolve) => {
    void new Call(model, options, resolve).run(request);
  });
}

class Call {
  readonly #model: ProviderModel;
  readonly #options: CallOptions;
  readonly #resolve: (end: CallEnd) => void;
  readonly #answer = new Answer();
  readonly #controller = new AbortController();
  readonly #onAbort = () => this.#giveUp({ end: "interrupted", answer: this.#answer });
  #silence: Timer;
  #cancel: (() => Promise<void>) | undefined;
  #heardMs: number;
  #ended = false;

  constructor(model: ProviderModel, options: CallOptions, resolve: (end: CallEnd) => void) {
    this.#model = model;
    this.#options = options;
    this.#resolve = resolve;
    this.#heardMs = options.clock.monotonic();
    this.#silence = this.#listenFor(LIMITS.streamSilenceMsMax);
    options.signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  async run(request: ModelRequest): Promise<void> {
    const { clock, onDelta, onHeaders } = this.#options;
    try {
      const { stream, response } = await this.#model.doStream({ ...request, abortSignal: this.#controller.signal });
      if (response?.headers) onHeaders?.(response.headers);
      const reader = stream.getReader();
      this.#cancel = () => reader.cancel().catch(ignore);
      if (this.#controller.signal.aborted) void this.#cancel();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        this.#heardMs = clock.monotonic();
        if (!this.#ended) this.#hear(value, onDelta);
      }
      if (!this.#ended) this.#fail(new BrokenOff("the stream ended before the answer did"));
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#silence.cancel();
    }
  }

  #hear(part: StreamPart, onDelta: CallOptions["onDelta"]): void {
    const answer = this.#answer;
    if (part.type === "finish") this.#end({ end: "finished", answer, finish: part });
    else if (part.type === "error") this.#fail(part.error);
    else answer.hear(part, onDelta);
    if (answer.length > LIMITS.contentBytesMax) this.#fail(new BrokenOff("the answer is over the limit of one text"));
  }

  /** One timer for the whole call, set anew only when it fires too early: parts arrive by the thousand. */
  #listenFor(delayMs: number): Timer {
    const { clock } = this.#options;
    return clock.timer(delayMs, () => {
      const leftMs = this.#heardMs + LIMITS.streamSilenceMsMax - clock.monotonic();
      if (leftMs > 0) this.#silence = this.#listenFor(leftMs);
      else this.#fail(new BrokenOff(`the provider was silent for ${LIMITS.streamSilenceMsMax / 1_000} s`));
    });
  }

  #fail(error: unknown): void {
    this.#giveUp({ end: "failed", answer: this.#answer, error });
  }

  #giveUp(end: CallEnd): void {
    this.#end(end);
    this.#silence.cancel();
    this.#controller.abort(new BrokenOff("the call was given up"));
    void this.#cancel?.();
  }

  #end(end: CallEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#options.signal.removeEventListener("abort", this.#onAbort);
    this.#resolve(end);
  }
}

function ignore(): void {}
