/**
 * The live feed, read until the signal says stop: `GET /v1/fleet`, again after every break, from where it stood.
 *
 * V1  Whoever is refused is told, and not asked again; whoever is out of reach is tried again, ever more slowly up to a bound.
 */

import { BanyanError, type ErrorCode } from "../../base/errors.ts";
import type { AgentsFrame, ChangesFrame } from "../../server/contract/fleet-frames.ts";
import { answered, linesOf } from "../../server/http-door.ts";
import type { PageClock } from "../browser.ts";

export type LinkState = "connecting" | "live" | "lost" | "refused";

export interface FeedListener {
  agents(frame: AgentsFrame): void;
  changes(frame: ChangesFrame): void;
  /** There is nothing new, at this time of the server. */
  beat(timeMs: number): void;
  /** It was too slow for what there was to tell; all agents follow anew. */
  missed(): void;
  link(state: LinkState): void;
}

const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = 4_000;
/** Asking again would change nothing. */
const REFUSALS: readonly ErrorCode[] = ["TOKEN_REFUSED", "ROLE_REFUSED", "ORIGIN_REFUSED"];

export async function readFeed(listener: FeedListener, clock: PageClock, signal: AbortSignal): Promise<void> {
  let last: string | undefined;
  let waitMs = RETRY_MS_MIN;
  listener.link("connecting");
  while (!signal.aborted) {
    try {
      const response = await answered(
        await fetch("/v1/fleet", {
          headers: { accept: "text/event-stream", ...(last !== undefined && { "last-event-id": last }) },
          credentials: "same-origin",
          cache: "no-store",
          signal,
        }),
      );
      await readFrames(response, (type, data, id) => {
        last = id ?? last;
        waitMs = RETRY_MS_MIN;
        tell(listener, type, data);
      });
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof BanyanError && REFUSALS.includes(error.code)) return listener.link("refused");
      // Whatever else it was, the answer is the same: ask again.
    }
    if (signal.aborted) return;
    listener.link("lost");
    const { promise, resolve } = Promise.withResolvers<void>();
    clock.timer(waitMs, resolve);
    await promise;
    waitMs = Math.min(2 * waitMs, RETRY_MS_MAX);
  }
}

function tell(listener: FeedListener, type: string, data: string): void {
  if (type === "agents") {
    const frame = JSON.parse(data) as AgentsFrame;
    listener.agents(frame);
    if (frame.from + frame.agents.id.length >= frame.total) listener.link("live");
  } else if (type === "changes") {
    listener.changes(JSON.parse(data) as ChangesFrame);
    listener.link("live");
  } else if (type === "missed") listener.missed();
  else if (type === "beat") {
    listener.beat((JSON.parse(data) as { time: number }).time);
    listener.link("live");
  }
}

async function readFrames(
  response: Response,
  each: (type: string, data: string, id: string | undefined) => void,
): Promise<void> {
  let type = "";
  let data: string[] = [];
  let id: string | undefined;
  for await (const lines of linesOf(response.body)) {
    for (const line of lines) {
      if (line === "") {
        if (data.length > 0) each(type, data.join("\n"), id);
        [type, data, id] = ["", [], undefined];
      } else if (line.startsWith("event:")) type = line.slice(6).trim();
      else if (line.startsWith("data:")) data.push(line.slice(5));
      else if (line.startsWith("id:")) id = line.slice(3).trim();
    }
  }
}
