/**
 * Answers of many items over HTTP: JSON lines, and server-sent events (WHATWG HTML, section 9.2) for what goes on live.
 *
 * S1  Memory is bounded by the reader's speed: a stream is read on only when the reader has taken what was written.
 * S2  A reader that is too slow to follow live is told so, with the position to read on from, and is cut off.
 * S3  Live events are sent at most ten times a second, unless there are so many that they would not fit one message.
 */
import type { ServerResponse } from "node:http";
import type { Clock } from "../base/clock.ts";
import { BanyanError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";

export interface StreamOptions {
  readonly signal: AbortSignal;
  /** For what is live: calls back once, when more has become durable than a reader may lag behind. */
  readonly onBehind?: ((tell: () => void) => () => void) | undefined;
}

/** Writes, and waits until the reader has taken it (S1). @throws READER_BEHIND (S2) when it lets too much become durable meanwhile */
export function writeTaken(response: ServerResponse, text: string, { signal, onBehind }: StreamOptions): Promise<void> {
  if (signal.aborted || response.destroyed || response.write(text)) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const forget = () => {
      response.off("drain", taken);
      response.off("close", taken);
      signal.removeEventListener("abort", taken);
      stopCounting?.();
    };
    const taken = () => {
      forget();
      resolve();
    };
    response.once("drain", taken);
    response.once("close", taken);
    signal.addEventListener("abort", taken, { once: true });
    const stopCounting = onBehind?.(() => {
      forget();
      reject(new BanyanError("READER_BEHIND", "too slow to follow live"));
    });
  });
}

/** Ends an answer; a reader that does not take the rest in time is cut off. */
export function endSoon(response: ServerResponse, clock: Clock, text = ""): void {
  const late = clock.timer(LIMITS.httpRequestMsMax, () => response.destroy());
  response.once("close", () => late.cancel());
  response.end(text);
}

const OVER = Symbol("over");

/** Batches that come within LIMITS.httpCoalesceMs as one (S3). Ends when the batches do. */
export async function* coalesced<Item>(batches: AsyncIterable<readonly Item[]>, clock: Clock): AsyncGenerator<Item[]> {
  const iterator = batches[Symbol.asyncIterator]();
  const ask = () => {
    const asked = iterator.next();
    // It may fail while the reader is busy with what came before; it is told when it is waited for.
    asked.catch(() => undefined);
    return asked;
  };
  let next = ask();
  try {
    for (let got = await next; !got.done; got = await next) {
      const items = [...got.value];
      next = ask();
      const over = Promise.withResolvers<typeof OVER>();
      const timer = clock.timer(LIMITS.httpCoalesceMs, () => over.resolve(OVER));
      try {
        while (items.length < LIMITS.httpCoalesceEventsMax) {
          const more = await Promise.race([next, over.promise]);
          if (more === OVER || more.done) break;
          items.push(...more.value);
          next = ask();
        }
      } finally {
        timer.cancel();
      }
      yield items;
    }
  } finally {
    // Who breaks off aborts the batches too; what was asked for last comes to nothing.
    void iterator.return?.()?.catch(() => undefined);
  }
}
