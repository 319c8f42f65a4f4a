/** The `model` driver with sessions that take as long to start as those of Claude Code. */
import type { State } from "../../src/agent/state.ts";
import { type Clock, sleep } from "../../src/base/clock.ts";
import type { AgentId } from "../../src/base/ids.ts";
import type { Driver, StartGate, Warm } from "../../src/drivers/driver.ts";

export interface SlowStartOptions {
  readonly clock: Clock;
  readonly startMs: number;
  readonly memoryBytes: number;
  /** Told when an agent has a session that has started. */
  readonly ready: (agent: AgentId) => void;
}

export function slowStart(inner: Driver, { clock, startMs, memoryBytes, ready }: SlowStartOptions): Driver {
  const warm: Warm = { close: async () => undefined };
  return {
    missing: (execution) => inner.missing(execution),
    profile: () => ({
      key: "alike",
      memoryBytes,
      warmupMs: startMs,
      takesWarm: true,
      warm: async (signal) => {
        await sleep(clock, startMs, signal);
        return warm;
      },
    }),
    async open(state: State, { warm: given, start = AT_ONCE } = {}) {
      const session = await inner.open(state);
      let hasStarted = given !== undefined;
      return {
        worstCase: (now) => session.worstCase(now),
        async turn(now, options) {
          if (!hasStarted) await start(() => sleep(clock, startMs), options.signal);
          hasStarted = true;
          ready(state.head.agent);
          return session.turn(now, options);
        },
        close: () => session.close(),
      };
    },
  };
}

const AT_ONCE: StartGate = (work) => work();
