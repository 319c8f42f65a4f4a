/**
 * The fleet as it is now, for components: they read the columns, and are drawn again when something has changed, once a frame of
 * the screen at most. `age` is how old what they see is.
 */
import { createContext, useContext, useSyncExternalStore } from "react";
import { Fleet } from "../../fleet/fleet.ts";
import { Watch } from "../../fleet/watch.ts";
import type { AgentsFrame, ChangesFrame } from "../../server/contract/fleet-frames.ts";
import { type LinkState, readFeed } from "../api/live-feed.ts";
import { type PageClock, pageClock } from "../browser.ts";

/** From this age on a banner says that what is shown is old. */
export const STALE_MS = 2_000;
const TICK_MS = 1_000;

export class LiveFleet {
  readonly fleet = new Fleet();
  readonly watch = new Watch();
  link: LinkState = "connecting";
  /** How often it was too slow for what there was to tell. */
  missed = 0;
  /** Rises when components are to be drawn again. */
  version = 0;
  readonly #clock: PageClock;
  readonly #listeners = new Set<() => void>();
  #heardMs: number;
  #asked = false;
  #stop: AbortController | undefined;

  constructor(clock: PageClock = pageClock) {
    this.#clock = clock;
    this.#heardMs = clock.monotonic();
  }

  /** Begins anew where it was refused or has not begun. */
  start(): void {
    this.#stop?.abort();
    const stop = new AbortController();
    this.#stop = stop;
    this.#heardMs = this.#clock.monotonic();
    const heard = () => {
      this.#heardMs = this.#clock.monotonic();
      this.#changed();
    };
    const listener = {
      agents: (frame: AgentsFrame) => {
        this.fleet.applyAgents(frame);
        heard();
      },
      changes: (frame: ChangesFrame) => {
        this.fleet.applyChanges(frame);
        heard();
      },
      beat: (timeMs: number) => {
        this.fleet.tick(timeMs);
        heard();
      },
      missed: () => {
        this.missed += 1;
        heard();
      },
      link: (state: LinkState) => {
        if (this.link === state) return;
        this.link = state;
        this.#changed();
      },
    };
    void readFeed(listener, this.#clock, stop.signal);
    this.#tick(stop.signal);
  }

  /** How old what is shown is, in milliseconds. */
  age(): number {
    return this.#clock.monotonic() - this.#heardMs;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #tick(signal: AbortSignal): void {
    this.#clock.timer(TICK_MS, () => {
      if (signal.aborted) return;
      // While the link is down time stands still: ages that grow would look as if they were known.
      if (this.fleet.count > 0 && this.age() < STALE_MS) {
        this.fleet.tick(this.fleet.timeMs);
        this.watch.note(this.fleet);
      }
      this.#changed();
      this.#tick(signal);
    });
  }

  #changed(): void {
    if (this.#asked) return;
    this.#asked = true;
    const tell = () => {
      if (!this.#asked) return;
      this.#asked = false;
      this.version += 1;
      for (const listener of this.#listeners) listener();
    };
    // A page in the background is given no frames.
    if (document.visibilityState === "visible") requestAnimationFrame(tell);
    else this.#clock.timer(TICK_MS, tell);
  }
}

export const LiveContext = createContext<LiveFleet | undefined>(undefined);

/** The fleet; the component is drawn again with every change of it. */
export function useLive(): LiveFleet {
  const live = useLiveQuietly();
  useSyncExternalStore(live.subscribe, () => live.version);
  return live;
}

/** How the connection stands; drawn again with that alone. */
export function useLink(): LinkState {
  const live = useLiveQuietly();
  return useSyncExternalStore(live.subscribe, () => live.link);
}

/** How often the page was too slow for what there was to tell; drawn again with that alone. */
export function useMissed(): number {
  const live = useLiveQuietly();
  return useSyncExternalStore(live.subscribe, () => live.missed);
}

/** The fleet, for those who ask when a person does something. */
export function useLiveQuietly(): LiveFleet {
  const live = useContext(LiveContext);
  if (!live) throw new Error("there is no fleet above this component");
  return live;
}
