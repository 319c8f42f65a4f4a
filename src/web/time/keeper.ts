/**
 * Asks the journals what the agents did whose cells have room to show it: now and then, while the picture is drawn, for those that are not
 * known yet, and for those of whom much has happened since.
 */
import { at } from "../../fleet/columns.ts";
import type { Fleet } from "../../fleet/fleet.ts";
import type { Past } from "../../fleet/time/past.ts";
import type { Tracks } from "../../fleet/time/tracks.ts";
import type { PageClock, Timer } from "../browser.ts";

/** Somebody who zooms passes many cells; asked for is what stays. */
const REST_MS = 200;
/** States follow the feed, but a rewind shows only in the journals. */
const STALE_MS = 20_000;
const REFUSED_MS = 10_000;

export class Keeper {
  readonly #fleet: Fleet;
  readonly #tracks: Tracks;
  readonly #past: Past;
  readonly #clock: PageClock;
  readonly #gone = new AbortController();
  #timer: Timer | undefined;

  constructor({ fleet, tracks, past, clock }: { fleet: Fleet; tracks: Tracks; past: Past; clock: PageClock }) {
    this.#fleet = fleet;
    this.#tracks = tracks;
    this.#past = past;
    this.#clock = clock;
  }

  stop(): void {
    this.#gone.abort();
    this.#timer?.cancel();
  }

  /** After every frame. `wanted` finds agents in the picture that are to be asked for, `onLearnt` has it drawn again. */
  look(wanted: (isWanted: (agent: number) => boolean) => readonly number[], onLearnt: () => void): void {
    if (this.#timer || this.#gone.signal.aborted) return;
    this.#wait(REST_MS, () => this.#ask(wanted(this.#isWanted), onLearnt));
  }

  readonly #isWanted = (agent: number): boolean => {
    const track = this.#tracks.of(agent);
    if (!track) return true;
    return this.#fleet.timeMs - track.knownMs > STALE_MS && at(this.#fleet.lastMs, agent) > track.knownMs;
  };

  async #ask(agents: readonly number[], onLearnt: () => void): Promise<void> {
    this.#timer = undefined;
    if (agents.length === 0) return;
    const { sinceMs, timeMs } = this.#fleet;
    // Nothing else is asked meanwhile.
    this.#timer = { cancel: () => undefined };
    try {
      const ids = agents.map((agent) => this.#fleet.id[agent] ?? "");
      const pieces = await this.#past.changesOf(ids, this.#gone.signal);
      this.#timer = undefined;
      if (this.#gone.signal.aborted || this.#fleet.sinceMs !== sinceMs) return;
      this.#tracks.learn(this.#fleet, agents, timeMs, pieces);
      onLearnt();
    } catch {
      // The cells show their newest faces, as without any past.
      this.#wait(REFUSED_MS, () => {
        this.#timer = undefined;
      });
    }
  }

  #wait(delayMs: number, then: () => void): void {
    this.#timer = this.#clock.timer(delayMs, then);
  }
}
