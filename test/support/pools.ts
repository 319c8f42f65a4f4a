/** A pool over sessions that cost something, on a clock moved by hand, and agents that claim them as the coordinator's loops do. */
import type { Head, State } from "../../src/agent/state.ts";
import { ManualClock } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/random.ts";
import type { PoolEvent } from "../../src/coordinator/pool/events.ts";
import { Pool, type PoolOptions } from "../../src/coordinator/pool/pool.ts";
import type { Session } from "../../src/drivers/driver.ts";
import { headOf } from "./forests.ts";
import { CostlyDriver, type CostlyOptions } from "./sessions.ts";

/** Lets everything go on that waits for no timer. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 40; turn++) await Promise.resolve();
}

export function stateOf(
  number: number,
  { tree = 0, level = 1, tenant }: { tree?: number; level?: number; tenant?: string } = {},
): State {
  const root = headOf(tree);
  const head: Head = { ...headOf(number, root), level, tenant };
  return { head } as State;
}

export class Bath {
  readonly clock = new ManualClock();
  readonly driver: CostlyDriver;
  readonly pool: Pool;
  /** Agents that were woken, in order. */
  readonly woken: string[] = [];
  readonly events: PoolEvent[] = [];

  constructor(options: PoolOptions & Omit<CostlyOptions, "clock"> = {}) {
    const { clock } = this;
    this.driver = new CostlyDriver({ ...options, clock });
    const wake = (agent: string) => void this.woken.push(agent);
    this.pool = new Pool({ driver: this.driver, clock, random: seededRandom(3), wake }, { ready: 0, ...options });
    this.pool.watch((event) => this.events.push(event));
  }

  claim(state: State): Promise<Session | undefined> {
    return this.pool.claim(state);
  }

  /** Claims, and has the session start as a turn would; undefined when it must wait. */
  async work(state: State): Promise<Session | undefined> {
    const session = await this.claim(state);
    if (!session) return undefined;
    const turn = session.turn(state, { signal: new AbortController().signal }).catch(() => undefined);
    await settled();
    this.clock.advance(600);
    await settled();
    await turn;
    return session;
  }

  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 100) {
      this.clock.advance(Math.min(100, left));
      await settled();
    }
  }

  rest(state: State): void {
    this.pool.leave(state.head.agent, { waits: true });
  }

  types(): string[] {
    return this.events.map(({ type }) => type);
  }
}
