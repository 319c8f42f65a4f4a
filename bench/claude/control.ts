/** How soon an agent of Claude Code stops: an interrupt of one, and a cancel of a whole tree from its root. */
import type { Agent, Banyan } from "../../src/index.ts";
import { spawning } from "../../src/index.ts";
import { BenchStage, heard, seen, until } from "./stage.ts";

const ENDLESS = { content: [{ type: "text" as const, text: "word ".repeat(100_000) }], durationMs: 600_000 };

/** Milliseconds from asking to an agent that has stopped, durably. */
export async function interrupts(rounds: number): Promise<number[]> {
  await using stage = await BenchStage.set({ chat: () => ENDLESS });
  const banyan = await stage.open("fleet");
  const said = heard(banyan, () => agent.id);
  const agent = await banyan.spawn({ driver: stage.driver(), instructions: "chat", task: "Go.", mode: "chat" });
  await said;
  const found: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const startMs = performance.now();
    await agent.interrupt();
    found.push(performance.now() - startMs);
    const again = heard(banyan, () => agent.id);
    await agent.send("Go on.");
    await again;
  }
  return found;
}

export interface Cancelled {
  readonly agents: number;
  readonly levels: number;
  /** Milliseconds from the cancel to the last word that any of them was heard to say, and to the end of the last Claude Code. */
  readonly lastWordMs: number;
  readonly goneMs: number;
}

/** A chain of agents below agents, each of which goes on talking after it has spawned the next, cancelled at level 0. */
export async function cancelled(levels: number): Promise<Cancelled> {
  await using stage = await BenchStage.set({
    chain: (turn, { system }) => {
      const instructions = typeof system === "string" ? system : (system?.at(-1)?.text ?? "");
      const level = Number(instructions.split(" ")[1]);
      if (turn > 0 || level === levels - 1) return ENDLESS;
      const input = { name: `level-${level + 1}`, task: "Go.", instructions: `chain ${level + 1}` };
      return { content: [{ type: "tool_use", name: "mcp__banyan__spawn_agent", input }] };
    },
  });
  const banyan = await stage.open("fleet");
  const talking = new Map<string, number>();
  banyan.runtime.coordinator.watchDeltas((agent) => talking.set(agent, performance.now()));
  const tools = [spawning()];
  const root = await banyan.spawn({ driver: stage.driver(), instructions: "chain 0", task: "Go.", tools });
  await until(() => talking.size === levels);
  const startMs = performance.now();
  await root.cancel();
  await until(() => isOver(banyan, root));
  const goneMs = performance.now() - startMs;
  const lastWordMs = Math.max(0, ...[...talking.values()].map((atMs) => atMs - startMs));
  await seen(root, (type) => type === "agent.cancelled");
  return { agents: talking.size, levels, lastWordMs, goneMs };
}

function isOver({ runtime: { coordinator } }: Banyan, root: Agent): boolean {
  const { claimed, parked, draining } = coordinator.pool;
  return claimed + parked + draining === 0 && coordinator.forest.get(root.id)?.head.status === "cancelled";
}
