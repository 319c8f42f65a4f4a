/**
 * All background processes of this host.
 *
 * W1  Exits are noticed by event; limits and probes in rounds of LIMITS.superviseMs. A round that comes late judges nothing.
 * W2  Rounds go on only while something runs.
 * W3  After `close` nothing runs, and nothing starts.
 */
import { BanyanError } from "../base/errors.ts";
import type { AgentId } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";
import { type ProcessSpec, type Stop, Supervised, type SupervisedOptions } from "./supervised.ts";

/** Ended processes of one agent whose newest output stays in memory; that of others is in the store. */
const ENDED_MAX = 8;

export class Supervisor {
  readonly #options: SupervisedOptions;
  /** By agent, then by id. Those that ended stay while the host runs and the agent has not ended: their output is asked for. */
  readonly #processes = new Map<AgentId, Map<string, Supervised>>();
  #isRound = false;
  #memoryMs = 0;
  #memory: ReadonlyMap<number, number> = new Map();
  #isMemoryRead = false;
  #closed: Promise<void> | undefined;

  constructor(options: SupervisedOptions) {
    this.#options = options;
  }

  /** Starts a process; resolves when it is durable and on its way. @throws TOOL_FAILED, OUT_OF_ROOT, what the journal refuses */
  async start(spec: ProcessSpec): Promise<Supervised> {
    if (this.#closed) throw new BanyanError("SHUTTING_DOWN", "the runtime is stopping");
    const process = this.#add(spec);
    try {
      await process.start();
    } catch (error) {
      this.#processes.get(spec.agent)?.delete(spec.id);
      throw error;
    }
    this.#goOn();
    return process;
  }

  /** Takes over a process that an earlier host was to start again. */
  resume(spec: ProcessSpec, restartTime: number): void {
    this.#add(spec).resume(restartTime);
    this.#goOn();
  }

  find(agent: AgentId, id: string): Supervised | undefined {
    return this.#processes.get(agent)?.get(id);
  }

  /** Stops those of the agent that `which` picks; resolves when they are gone. */
  async stop(agent: AgentId, stop: Stop, which: (id: string) => boolean = () => true): Promise<void> {
    const picked = [...(this.#processes.get(agent)?.values() ?? [])].filter(({ spec }) => which(spec.id));
    await Promise.all(picked.map((process) => process.stop(stop)));
  }

  /** Stops all that the agent has, and forgets them. */
  async end(agent: AgentId, why: string): Promise<void> {
    const own = this.#processes.get(agent);
    if (!own) return;
    await this.stop(agent, { how: "stopped", why, graceMs: 0 });
    // An agent that goes on meanwhile may have started another one: that stays.
    for (const { spec, phase } of [...own.values()]) if (phase.is === "ended") own.delete(spec.id);
    if (own.size === 0) this.#processes.delete(agent);
  }

  /** W3. Twice is harmless. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const agents = [...this.#processes.keys()];
    await Promise.all(agents.map((agent) => this.stop(agent, { how: "lost", graceMs: 0 })));
    await this.#options.launch.close();
  }

  #add(spec: ProcessSpec): Supervised {
    const process = new Supervised(spec, this.#options);
    const known = this.#processes.get(spec.agent) ?? new Map<string, Supervised>();
    this.#processes.set(spec.agent, known.set(spec.id, process));
    const ended = [...known.values()].filter(({ phase }) => phase.is === "ended");
    for (const old of ended.slice(0, -ENDED_MAX)) known.delete(old.spec.id);
    return process;
  }

  *#live(): Generator<Supervised> {
    for (const ofAgent of this.#processes.values()) {
      for (const process of ofAgent.values()) if (process.phase.is !== "ended") yield process;
    }
  }

  /** W2. */
  #goOn(): void {
    if (this.#isRound || this.#live().next().done) return;
    this.#isRound = true;
    const { clock } = this.#options;
    const dueMs = clock.monotonic() + LIMITS.superviseMs;
    clock.timer(LIMITS.superviseMs, () => {
      this.#isRound = false;
      this.#round(clock.monotonic() - dueMs > LIMITS.superviseLateMs);
      this.#goOn();
    });
  }

  /** W1. */
  #round(late: boolean): void {
    const groups = new Set<number>();
    for (const { phase } of this.#live()) {
      if (phase.is !== "running") continue;
      const { pid } = phase.launched.system;
      groups.add(pid);
      phase.run.look({ late, memoryBytes: this.#memory.get(pid) });
    }
    void this.#readMemory(groups);
  }

  async #readMemory(groups: ReadonlySet<number>): Promise<void> {
    const { clock, launch } = this.#options;
    const nowMs = clock.monotonic();
    if (this.#isMemoryRead || nowMs - this.#memoryMs < LIMITS.processMemoryMs) return;
    this.#isMemoryRead = true;
    this.#memoryMs = nowMs;
    this.#memory = await launch.memory(groups).catch(() => new Map<number, number>());
    this.#isMemoryRead = false;
  }
}
