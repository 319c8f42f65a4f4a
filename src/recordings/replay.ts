/**
 * Runs recorded runs as agents: every message, answer and result goes through the journal as it would in a live run, and the
 * folded journals are compared with the record. Interrupted at any moment, it goes on where it was.
 */
import { isDeepStrictEqual } from "node:util";
import { addUsage, NO_USAGE, type Usage } from "../agent/usage.ts";
import { BanyanError } from "../base/errors.ts";
import type { AgentId } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";
import { foldAgent } from "../coordinator/fold.ts";
import { openRuntime, type Runtime } from "../runtime/open.ts";
import { type RecordedRun, readRuns } from "./format.ts";
import { messagesOf } from "./messages-of.ts";
import { RUN_HEADER, replayModel } from "./model.ts";
import { type Act, type Script, scriptOf, type Told } from "./script.ts";
import { replayTool } from "./tools.ts";

export interface ReplayOptions {
  /** Runs at work at once. */
  readonly concurrency: number;
  /** Told after every durable event of this process, with how many there have been. */
  readonly onEvent?: ((count: number) => void) | undefined;
  /** Told when a run has ended. */
  readonly onRun?: ((done: number) => void) | undefined;
}

export interface ReplayReport {
  readonly runs: number;
  readonly completed: number;
  readonly turns: number;
  /** Every journal, folded, gives back exactly the recorded messages. */
  readonly messagesEqual: boolean;
  /** Ids of runs whose messages differ. */
  readonly different: readonly string[];
  readonly usage: Usage;
  readonly costUsd: number;
}

/** @throws INPUT_INVALID for a file that holds no recorded runs, and what opening throws */
export async function replay(file: string, folder: string, options: ReplayOptions): Promise<ReplayReport> {
  const stage = new Stage();
  const runtime = await openRuntime(folder, { withoutBuiltIns: true, runningMax: options.concurrency, work: true });
  try {
    stage.enter(runtime, options);
    const running = new Set<Promise<void>>();
    let runs = 0;
    let done = 0;
    for await (const run of readRuns(file)) {
      runs += 1;
      const ended = stage.play(run).then(() => options.onRun?.(++done));
      running.add(ended);
      ended.finally(() => running.delete(ended)).catch(() => undefined);
      if (running.size >= options.concurrency) await Promise.race(running);
    }
    await Promise.all(running);
    if (runs === 0) throw new BanyanError("INPUT_INVALID", `${file} holds no recorded runs`);
    return await stage.report(runs);
  } finally {
    await runtime.stop();
  }
}

interface Part {
  readonly script: Script;
  readonly agent: AgentId;
}

class Stage {
  #runtime: Runtime | undefined;
  readonly #parts = new Map<string, PromiseWithResolvers<Part>>();
  readonly #scripts = new Set<string>();
  readonly #agents = new Map<string, AgentId>();
  readonly #models = new Set<string>();
  readonly #same = new Map<string, boolean>();
  /** Calls whose result is durable, told to those who must wait for it, by agent. */
  readonly #results = new Map<AgentId, Map<string, () => void>>();

  get #at(): Runtime {
    if (!this.#runtime) throw new BanyanError("INTERNAL", "the stage is set before it is played on");
    return this.#runtime;
  }

  /** Finds the runs that an earlier process began, and watches events. */
  enter(runtime: Runtime, { onEvent }: ReplayOptions): void {
    this.#runtime = runtime;
    let count = 0;
    for (const { head } of runtime.coordinator.forest.roots()) {
      const run = head.execution.headers?.[RUN_HEADER];
      if (run !== undefined) this.#agents.set(run, head.agent);
    }
    runtime.coordinator.watch((agent, recorded) => {
      for (const { event } of recorded) {
        if (event.type === "tool.ended") this.#results.get(agent)?.get(event.callId)?.();
        count += 1;
        onEvent?.(count);
      }
    });
  }

  /** Plays one run to its end. */
  async play(run: RecordedRun): Promise<void> {
    const { coordinator, services } = this.#at;
    const script = scriptOf(run);
    for (const name of script.tools)
      if (!services.tools.find(name))
        services.tools.register(replayTool(name, (agent, callId) => this.#answer(agent, callId)));
    const known = this.#agents.get(run.id);
    const agent = known ?? (await this.#begin(run, script));
    this.#agents.set(run.id, agent);
    this.#enterPart(run.id, { script, agent });
    this.#register(run);
    for (let told = await this.#toldAtEnd(agent, script); told; told = await this.#toldAtEnd(agent, script)) {
      await coordinator.control.deliver(agent, told.map(newMessage));
    }
    const { state } = await foldAgent({ journal: services.journal }, agent);
    this.#same.set(run.id, isDeepStrictEqual(await messagesOf(state, services.contents), run.messages));
    this.#parts.delete(run.id);
    this.#results.delete(agent);
  }

  async report(runs: number): Promise<ReplayReport> {
    const { coordinator } = this.#at;
    let completed = 0;
    let turns = 0;
    let usage = NO_USAGE;
    let costUsd = 0;
    for (const agent of this.#agents.values()) {
      const node = coordinator.forest.get(agent);
      if (!node) continue;
      completed += node.head.status === "completed" ? 1 : 0;
      turns += node.subtree.turns;
      usage = addUsage(usage, node.subtree.usage);
      costUsd += node.subtree.costUsd;
    }
    const different = [...this.#same].filter(([, same]) => !same).map(([run]) => run);
    return {
      runs,
      completed,
      turns,
      messagesEqual: different.length === 0 && this.#same.size === runs,
      different,
      usage,
      costUsd,
    };
  }

  async #begin(run: RecordedRun, script: Script): Promise<AgentId> {
    return this.#at.coordinator.spawn({
      name: "run",
      execution: {
        driver: "model",
        provider: "replay",
        model: modelOf(run),
        outputTokensMax: LIMITS.outputTokensDefault,
        headers: { [RUN_HEADER]: run.id },
      },
      instructions: script.instructions,
      messages: script.opening.map(newMessage),
      speaksFirst: script.opening.length === 0,
      tools: script.tools,
      rights: { commands: false, spawn: false },
    });
  }

  /** Agents of an earlier process wait for their model: it is registered when their run is on the stage. */
  #register(run: RecordedRun): void {
    const name = modelOf(run);
    if (!this.#models.has(name)) {
      this.#models.add(name);
      this.#at.driver.register(replayModel(name, (id) => this.#nextAct(id)));
    }
    this.#at.coordinator.modelsChanged();
  }

  /** What to tell an agent that has ended with the act before: it goes on with that. Undefined at the end of the script. */
  async #toldAtEnd(agent: AgentId, { acts }: Script): Promise<readonly Told[] | undefined> {
    await this.#at.coordinator.ended(agent);
    const act = acts[this.#turns(agent) - 1];
    return act && act.said.calls.length === 0 && act.told.length > 0 ? act.told : undefined;
  }

  async #nextAct(run: string): Promise<Act | undefined> {
    const { script, agent } = await this.#part(run);
    return script.acts[this.#turns(agent)];
  }

  /**
   * The recorded result of a call, once those recorded before it are durable; undefined when none is recorded. What is told after
   * the results is in the inbox before the last of them, so that the next turn reads all of it.
   */
  async #answer(agent: AgentId, callId: string) {
    const run = this.#at.coordinator.forest.get(agent)?.head.execution.headers?.[RUN_HEADER] ?? "";
    const part = await this.#part(run);
    const act = part.script.acts[this.#turns(agent) - 1];
    if (act && act.told.length > 0) await this.#at.coordinator.control.deliver(agent, act.told.map(newMessage));
    const results = act?.results ?? [];
    const place = results.findIndex((result) => result.callId === callId);
    const before = results[place - 1];
    if (before) await this.#ended(agent, before.callId);
    return results[place];
  }

  async #ended(agent: AgentId, callId: string): Promise<void> {
    const { open } = await this.#at.coordinator.state(agent);
    if (open.find(({ call }) => call.callId === callId)?.state === "ended") return;
    const waiting = this.#results.get(agent) ?? new Map<string, () => void>();
    this.#results.set(agent, waiting);
    await new Promise<void>((resolve) => waiting.set(callId, resolve));
    waiting.delete(callId);
  }

  /** The run's part, once it is on the stage: an agent of an earlier process may ask before its run is read. */
  #part(run: string): Promise<Part> {
    const part = this.#parts.get(run) ?? Promise.withResolvers<Part>();
    this.#parts.set(run, part);
    return part.promise;
  }

  /** @throws INPUT_INVALID when another run of the file has the id */
  #enterPart(run: string, part: Part): void {
    if (this.#scripts.has(run)) throw new BanyanError("INPUT_INVALID", `two runs have the id ${JSON.stringify(run)}`);
    this.#scripts.add(run);
    const waiting = this.#parts.get(run) ?? Promise.withResolvers<Part>();
    this.#parts.set(run, waiting);
    waiting.resolve(part);
  }

  /** Acts that the agent has behind it: one for each turn. */
  #turns(agent: AgentId): number {
    return this.#at.coordinator.forest.get(agent)?.head.turns ?? 0;
  }
}

function newMessage({ id, text, meta }: Told) {
  return { id, from: { kind: "person" as const }, text, meta };
}

function modelOf({ usage }: RecordedRun): string {
  return usage?.calls.find(({ model }) => model)?.model ?? "recorded";
}
