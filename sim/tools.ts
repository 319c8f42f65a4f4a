/**
 * The tools of a simulated world, one of each policy: they take their time, fail, hang, or do not stop when they are told to. They
 * are the witness of what ran, and how often.
 */
import type { AgentId } from "../src/base/ids.ts";
import { builtInTools } from "../src/tools/kits.ts";
import type { Tool, ToolContext, UnknownOutcomePolicy } from "../src/tools/tool.ts";
import { short } from "./disk.ts";
import { type Life, never } from "./life.ts";
import { words } from "./mind.ts";
import type { World } from "./world.ts";

/** One execution. */
export interface Run {
  readonly agent: AgentId;
  readonly callId: string;
  readonly tool: string;
  readonly life: Life;
  /** It does not stop when it is told to, so nobody can be blamed for it. */
  readonly isDeaf: boolean;
  isOver: boolean;
}

export type RunListener = (run: Run) => void;

export const POLICIES: Readonly<Record<string, UnknownOutcomePolicy>> = {
  work_rerun: "rerun",
  work_report: "report",
  work_ask: "ask",
};

const TIME_MS_MAX = 20_000;

export class Tools {
  readonly #world: World;
  readonly #listeners: RunListener[] = [];
  readonly #runs = new Set<Run>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Adds a listener that is told of every execution at the moment it starts. */
  onRun(listener: RunListener): void {
    this.#listeners.push(listener);
  }

  /** Executions that have not ended, of living processes. */
  get inFlight(): Run[] {
    return [...this.#runs].filter(({ isOver, life }) => !isOver && !life.isDead);
  }

  /** The tools as one process has them. */
  for(life: Life): Tool[] {
    const own = Object.entries(POLICIES).map(([name, onUnknownOutcome]): Tool => {
      return {
        name,
        description: `Work; when its outcome is unknown: ${onUnknownOutcome}.`,
        inputSchema: { type: "object" },
        onUnknownOutcome,
        timeMsMax: TIME_MS_MAX,
        run: (_input, context) => this.#run(life, name, context),
      };
    });
    return [...builtInTools(), ...own];
  }

  async #run(life: Life, tool: string, { agent, callId, signal }: ToolContext): Promise<string> {
    const world = this.#world;
    if (!life.calls()) return never();
    const dice = world.dice("tools");
    const isDeaf = world.strikes("toolDeaf");
    const hangs = world.strikes("toolHangs");
    const fails = world.strikes("toolFails");
    const takesMs = dice.chance(0.3) ? 0 : dice.between(1, 3_000);
    const run: Run = { agent, callId, tool, life, isDeaf, isOver: false };
    this.#runs.add(run);
    world.note(`${life.number} runs ${tool} ${callId} for ${short(agent)}`);
    for (const listener of this.#listeners) listener(run);
    const stopped = Promise.withResolvers<never>();
    const stop = () => {
      this.#end(run);
      stopped.reject(signal.reason);
    };
    if (!isDeaf) signal.addEventListener("abort", stop, { once: true });
    const done = hangs ? never() : life.through(() => world.sleep(takesMs));
    await Promise.race([done, stopped.promise]);
    this.#end(run);
    if (fails) throw new Error("the tool failed");
    return words(dice, world.scenario);
  }

  #end(run: Run): void {
    run.isOver = true;
    this.#runs.delete(run);
  }
}
