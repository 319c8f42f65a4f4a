/**
 * Answers of many items over HTTP: JSON lines, and server-sent events (WHATWG HTML, section 9.2) for what goes on live.
 *
 * S1  Memory is bounded by the reader's speed: a stream is read on only when the reader has taken what was written.
 * S2  A reader that is too slow to follow live is told so, with the position to read on from, and is cut off.
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
export function writeTaken(
  response: ServerResponse,
  text: string | Buffer,
  { signal, onBehind }: StreamOptions,
): Promise<void> {
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

/** The text of one server-sent event, whose data is JSON on one line; with a place from which a reader may go on. */
export function eventMessage(type: string, json: string, place?: number): string {
  return `${place === undefined ? "" : `id: ${place}\n`}event: ${type}\ndata: ${json}\n\n`;
}

/** What was told in a message of `eventMessage`. */
export function messageData(bytes: Buffer): unknown {
  const text = bytes.toString();
  return JSON.parse(text.slice(text.indexOf("\ndata: ") + "\ndata: ".length));
}
