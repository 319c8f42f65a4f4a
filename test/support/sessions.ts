/**
 * A driver whose sessions cost something: memory, and a start that takes time. The turns are another driver's, so that a test sees agents
 * work. It counts what there is at any moment, and refuses what the contract forbids.
 */
import type { State } from "../../src/agent/state.ts";
import { type Clock, sleep } from "../../src/base/clock.ts";
import type { Driver, OpenOptions, Profile, Session, Warm } from "../../src/drivers/driver.ts";

export interface CostlyOptions {
  readonly clock: Clock;
  /** Whose turns are taken; without one sessions take none. */
  readonly inner?: Driver;
  readonly memoryBytes?: number;
  readonly startMs?: number;
  /** What the agent's session begins with. By default all begin alike. */
  readonly keyOf?: (state: State) => string;
  readonly takesWarm?: (state: State) => boolean;
  readonly healthy?: (kept: Costly) => boolean | Promise<boolean>;
  /** What one takes when it is measured. */
  readonly measured?: (kept: Costly) => number;
  readonly beforeOpen?: (state: State) => void;
  readonly beforeWarm?: () => void;
}

/** What runs for one session, or is warm. */
export interface Costly {
  readonly number: number;
  readonly key: string;
  readonly tenant: string;
  agent: string | undefined;
  isClosed: boolean;
}

export class CostlyDriver implements Driver {
  readonly #options: CostlyOptions;
  /** All that ever ran, in the order of their starts. */
  readonly all: Costly[] = [];
  starting = 0;
  startingMost = 0;
  runningMost = 0;

  constructor(options: CostlyOptions) {
    this.#options = options;
  }

  get running(): Costly[] {
    return this.all.filter(({ isClosed }) => !isClosed);
  }

  missing(execution: State["head"]["execution"]): string | undefined {
    return this.#options.inner?.missing(execution);
  }

  profile(state: State): Profile {
    const {
      memoryBytes = 100,
      startMs = 600,
      keyOf = () => "alike",
      takesWarm = () => true,
      beforeWarm,
    } = this.#options;
    const key = keyOf(state);
    const { tenant = "default" } = state.head;
    return {
      key,
      memoryBytes,
      warmupMs: startMs,
      takesWarm: takesWarm(state),
      warm: async (signal) => {
        beforeWarm?.();
        return this.#kept(await this.#start(key, tenant, undefined, signal));
      },
    };
  }

  async open(state: State, { warm, start }: OpenOptions = {}): Promise<Session> {
    const { inner, beforeOpen } = this.#options;
    beforeOpen?.(state);
    const { agent, tenant = "default" } = state.head;
    let costly = warm && (warm as Warm & { costly: Costly }).costly;
    if (costly) {
      if (costly.agent !== undefined) throw new Error(`${costly.number} serves ${costly.agent} already`);
      if (costly.tenant !== tenant) throw new Error(`${costly.number} is ${costly.tenant}'s, not ${tenant}'s`);
      costly.agent = agent;
    }
    const turns = await inner?.open(state);
    const { key } = this.profile(state);
    const closing = new AbortController();
    const begin = async (signal: AbortSignal) => {
      if (costly && !costly.isClosed) return;
      const either = AbortSignal.any([signal, closing.signal]);
      const work = () => this.#start(key, tenant, agent, either);
      costly = start ? await start(work, either) : await work();
      if (!either.aborted) return;
      // Closed since the start came to its end.
      costly.isClosed = true;
      throw either.reason;
    };
    const kept = this.#kept(() => costly);
    return {
      ...kept,
      close: async () => {
        closing.abort(new Error("closed"));
        await kept.close();
      },
      worstCase: (now) => turns?.worstCase(now) ?? { promptTokensMax: 1, outputTokensMax: 1 },
      turn: async (now, options) => {
        await begin(options.signal);
        if (!turns) throw new Error("no turns here");
        return turns.turn(now, options);
      },
    };
  }

  #kept(of: Costly | (() => Costly | undefined)): Warm & { costly: Costly | undefined } {
    const costly = typeof of === "function" ? of : () => of;
    const { healthy, measured } = this.#options;
    return {
      get costly() {
        return costly();
      },
      healthy: () => {
        const one = costly();
        return one === undefined || (healthy?.(one) ?? true);
      },
      ...(measured && {
        memoryBytes: async () => {
          const one = costly();
          return one && measured(one);
        },
      }),
      close: async () => {
        const one = costly();
        if (one) one.isClosed = true;
      },
    };
  }

  async #start(key: string, tenant: string, agent: string | undefined, signal?: AbortSignal): Promise<Costly> {
    this.starting += 1;
    this.startingMost = Math.max(this.startingMost, this.starting);
    try {
      await sleep(this.#options.clock, this.#options.startMs ?? 600, signal);
    } finally {
      this.starting -= 1;
    }
    const costly: Costly = { number: this.all.length, key, tenant, agent, isClosed: false };
    this.all.push(costly);
    this.runningMost = Math.max(this.runningMost, this.running.length);
    return costly;
  }
}
