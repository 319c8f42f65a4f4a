/** The past as the journals have it: what everybody did at a moment, and some all along, asked of the server. */
import type { Fleet } from "../../fleet/fleet.ts";
import { type Past, pastOfJournals } from "../../fleet/time/past.ts";
import { ask, listAll } from "../api/operations.ts";
import type { PageClock } from "../browser.ts";

/** Somebody who drags passes many moments; asked for is where the hand rests. */
const REST_MS = 80;

export function journalPast(fleet: Fleet, clock: PageClock): Past {
  return {
    async at(atMs, signal) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = clock.timer(REST_MS, resolve);
      signal.addEventListener("abort", () => timer.cancel(), { once: true });
      await promise;
      return pastOfJournals(fleet, atMs, await ask("moment", { at: Math.round(atMs) }, signal));
    },
    changesOf: (agents, signal) => listAll("history", { agents: [...agents] }, signal),
  };
}
