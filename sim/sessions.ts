/**
 * Sessions of a simulated world that cost something: memory, and a start that takes time. What the pool does with them is witnessed here.
 *
 * S1  Of one process, no more are open than fit its memory, those that start included; nor start more at once than may.
 * S2  One serves one agent, of the tenant that it was made for.
 * S3  None is closed while a turn is under way, and none takes a turn once it is closed.
 */
import type { State } from "../src/agent/state.ts";
import { NO_USAGE } from "../src/agent/usage.ts";
import type { AgentId } from "../src/base/ids.ts";
import type { PoolOptions } from "../src/coordinator/pool/pool.ts";
import type { Driver, OpenOptions, Profile, Session, TurnOutcome, Warm } from "../src/drivers/driver.ts";
import { short } from "./disk.ts";
import type { Life } from "./life.ts";
import type { World } from "./world.ts";

const BYTES = 100;
const STARTS_MAX = 2;

/** What is open for one agent, or waits for one. */
interface Open {
  readonly life: Life;
  readonly tenant: string;
  agent: AgentId | undefined;
  hasStarted: boolean;
  isBusy: boolean;
  isClosed: boolean;
}

export class Sessions {
  readonly #world: World;
  readonly #open = new Set<Open>();
  #starting: Life[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  /** How the pool of a process is bound. Impatient, so that what it does over minutes happens in these worlds too. */
  get options(): PoolOptions {
    const { sessionsMax } = this.#world.scenario;
    return {
      memoryBytesMax: BYTES * (sessionsMax ?? 1),
      startsMax: STARTS_MAX,
      waitMsMax: 24 * 3_600_000,
      idleMsMax: 5_000,
      ageMsMax: 20_000,
    };
  }

  /** Agents for which a process that lives has a session open. */
  agentsOf(life: Life): Set<AgentId> {
    return new Set([...this.#open].flatMap((each) => (each.life === life && each.agent ? [each.agent] : [])));
  }

  /** A driver whose sessions cost something, in worlds where they do. */
  driver(life: Life, inner: Driver): Driver {
    if (this.#world.scenario.sessionsMax === undefined) return inner;
    return {
      missing: (execution) => inner.missing(execution),
      profile: (state) => this.#profile(life, state),
      open: (state, options) => this.#session(life, inner, state, options),
    };
  }

  #profile(life: Life, { head }: State): Profile {
    const { tenant = "default", turns, name } = head;
    return {
      key: name.slice(0, 1),
      memoryBytes: BYTES,
      warmupMs: 600,
      takesWarm: turns === 0,
      warm: async () => {
        const open = this.#begin(life, tenant);
        try {
          await this.#start(open);
        } catch (error) {
          this.#end(open);
          throw error;
        }
        return { ...this.#kept(open), open } as Warm;
      },
    };
  }

  async #session(life: Life, driver: Driver, state: State, { warm, start }: OpenOptions = {}): Promise<Session> {
    const { agent, tenant = "default" } = state.head;
    const open = (warm as { open?: Open } | undefined)?.open ?? this.#begin(life, tenant);
    if (open.agent !== undefined || open.tenant !== tenant || open.life !== life)
      this.#fail(`one of ${open.tenant}, of ${open.agent ?? "nobody"}, serves ${agent} of ${tenant}`);
    open.agent = agent;
    const inner = await driver.open(state);
    const begun = async (signal: AbortSignal): Promise<TurnOutcome | undefined> => {
      if (open.hasStarted) return undefined;
      try {
        const work = () => this.#start(open);
        await (start ? start(work, signal) : work());
        return undefined;
      } catch (error) {
        if (signal.aborted) return { outcome: "interrupted", parts: [], finish: "other", usage: NO_USAGE };
        const failure = { code: "MODEL_GARBLED", message: String(error) } as const;
        return { outcome: "retryable", error: failure, putOff: false, usage: NO_USAGE };
      }
    };
    return {
      ...this.#kept(open),
      worstCase: (now) => inner.worstCase(now),
      turn: async (now, options) => {
        if (open.isClosed) this.#fail(`a closed one takes a turn of ${agent}`);
        open.isBusy = true;
        try {
          return (await begun(options.signal)) ?? (await inner.turn(now, options));
        } finally {
          open.isBusy = false;
        }
      },
    };
  }

  #kept(open: Open): Warm {
    return {
      // One that died is found out when it is to be used again.
      healthy: () => !this.#world.strikes("sessionDies"),
      memoryBytes: async () => BYTES,
      close: () => open.life.through(async () => this.#end(open)),
    };
  }

  #begin(life: Life, tenant: string): Open {
    const open: Open = { life, tenant, agent: undefined, hasStarted: false, isBusy: false, isClosed: false };
    this.#open.add(open);
    const { sessionsMax = 0 } = this.#world.scenario;
    const own = [...this.#open].filter((each) => each.life === life).length;
    if (own > sessionsMax && !life.isDead) this.#fail(`${own} are open, and ${sessionsMax} fit`);
    this.#world.count("done session");
    return open;
  }

  async #start(open: Open): Promise<void> {
    const { life } = open;
    const world = this.#world;
    this.#starting = [...this.#starting, life];
    const starting = this.#starting.filter((each) => each === life).length;
    if (starting > STARTS_MAX && !life.isDead) this.#fail(`${starting} start at once`);
    try {
      await life.through(() => world.sleep(world.dice("sessions").between(100, 1_500)));
    } finally {
      this.#starting.splice(this.#starting.indexOf(life), 1);
    }
    if (world.strikes("startFails")) throw new Error("it did not start");
    open.hasStarted = true;
  }

  #end(open: Open): void {
    if (open.isBusy && !open.life.isDead) this.#fail(`that of ${open.agent} is closed during its turn`);
    open.isClosed = true;
    this.#open.delete(open);
    this.#world.note(`${open.life.number} closes a session${open.agent ? ` of ${short(open.agent)}` : ""}`);
  }

  #fail(what: string): void {
    this.#world.fail("sessions", what);
  }
}
