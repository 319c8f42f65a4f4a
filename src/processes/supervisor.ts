/**
 * All background processes of this host.
 *
 * W1  Limits and probes are looked after where a program was launched; what follows an end is decided here.
 * W2  After `close` nothing runs, and nothing starts.
 */
import { BanyanError } from "../base/errors.ts";
import type { AgentId } from "../base/ids.ts";
import { type ProcessSpec, type Stop, Supervised, type SupervisedOptions } from "./supervised.ts";

/** Ended processes of one agent whose newest output stays in memory; that of others is in the store. */
const ENDED_MAX = 8;

export class Supervisor {
  readonly #options: SupervisedOptions;
  /** By agent, then by id. Those that ended stay while the host runs and the agent has not ended: their output is asked for. */
  readonly #processes = new Map<AgentId, Map<string, Supervised>>();
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
    return process;
  }

  /** Takes over a process that an earlier host was to start again. */
  resume(spec: ProcessSpec, restartTime: number): void {
    this.#add(spec).resume(restartTime);
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

  /** W2. Twice is harmless. */
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
}
