/** 100 agents of Claude Code in one tree, with sessions for a part of them: all finish, and memory stays under the bound. */
import { readdir, readlink } from "node:fs/promises";
import { spawning } from "../../src/index.ts";
import { shareOf } from "../../src/processes/proc.ts";
import { BenchStage } from "./stage.ts";

const LEADS = 9;
const WORKERS = 10;
const MIB = 2 ** 20;
const SAMPLE_MS = 500;

export interface Treed {
  readonly agents: number;
  readonly completed: number;
  readonly turns: number;
  readonly tookMs: number;
  readonly boundMib: number;
  /** Of all processes, measured beside the pool. */
  readonly peakMib: number;
  readonly peakProcesses: number;
  readonly startsAtOnce: number;
  readonly claims: Readonly<Record<string, number>>;
  readonly evictions: Readonly<Record<string, number>>;
}

export async function tree(boundMib: number): Promise<Treed> {
  const spawn = (name: string, part: string) => ({
    type: "tool_use" as const,
    name: "mcp__banyan__spawn_agent",
    input: { name, task: "Go.", instructions: part },
  });
  const wait = { content: [{ type: "tool_use" as const, name: "mcp__banyan__wait_for_agents", input: {} }] };
  const above = (count: number, part: string) => (turn: number) => {
    if (turn === 0) return { content: Array.from({ length: count }, (_, at) => spawn(`${part}-${at}`, part)) };
    return turn === 1 ? wait : "Done.";
  };
  await using stage = await BenchStage.set({
    root: above(LEADS, "lead"),
    lead: above(WORKERS, "worker"),
    worker: (turn) =>
      turn < 2
        ? { content: [{ type: "tool_use", name: "Bash", input: { command: "echo x" } }], durationMs: 500 }
        : "Done.",
  });
  const banyan = await stage.open("fleet", { pool: { memoryBytesMax: boundMib * MIB } });
  const { coordinator } = banyan.runtime;
  let startsAtOnce = 0;
  coordinator.watchPool(() => {
    startsAtOnce = Math.max(startsAtOnce, coordinator.pool.starting);
  });
  const sampler = new Sampler(stage.folder);
  const startMs = performance.now();
  const root = await banyan.spawn({
    driver: stage.driver("Bash"),
    instructions: "root",
    task: "Go.",
    tools: [spawning()],
  });
  const sampling = sampler.run();
  const { agents, turns } = await root.result();
  const tookMs = performance.now() - startMs;
  sampler.stop();
  await sampling;
  let completed = 0;
  for (const { head } of coordinator.forest.subtree(root.id)) if (head.status === "completed") completed += 1;
  const { claims, evictions } = coordinator.pool;
  const { peakBytes, peakProcesses } = sampler;
  return {
    ...{ agents, completed, turns, tookMs, boundMib, peakMib: peakBytes / MIB, peakProcesses, startsAtOnce },
    claims: { ...claims },
    evictions: { ...evictions },
  };
}

/** What the processes that work in a folder take, looked at from time to time. */
class Sampler {
  peakBytes = 0;
  peakProcesses = 0;
  readonly #folder: string;
  #isOver = false;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async run(): Promise<void> {
    while (!this.#isOver) {
      const pids = (await readdir("/proc")).filter((name) => /^[1-9]\d*$/.test(name));
      const folders = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => "")));
      const ours = pids.filter((_, at) => folders[at] === this.#folder).map(Number);
      const shares = await Promise.all(ours.map((pid) => shareOf(pid, { below: false })));
      this.peakBytes = Math.max(
        this.peakBytes,
        shares.reduce<number>((sum, bytes = 0) => sum + bytes, 0),
      );
      this.peakProcesses = Math.max(this.peakProcesses, ours.length);
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
    }
  }

  stop(): void {
    this.#isOver = true;
  }
}
