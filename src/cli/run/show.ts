/** What a person sees of a job: the live tree while it runs, a table when it is done. */
import type { WriteStream } from "node:tty";
import Table from "cli-table3";
import { createLogUpdate } from "log-update";
import type { Coordinator } from "../../coordinator/coordinator.ts";
import { treeRows } from "../../server/rows.ts";
import { byteSize, compact, dollars, duration } from "../figures.ts";
import { renderTree } from "../live-tree.ts";
import { oneLine } from "../terminal.ts";
import type { JobResult } from "./job.ts";

/** How often the tree is drawn. */
const DRAW_MS = 200;
/** How often a line is written where there is no terminal. */
const LINE_MS = 5_000;

/** Draws the tree until the function that it returns is called; the last state stays on the screen. */
export function showTree(coordinator: Coordinator, tree: string, out: WriteStream, clock: Ticker): () => void {
  const view = () => ({
    columns: out.columns || 80,
    rows: Math.max(4, (out.rows || 24) - 1),
    colour: out.hasColors?.() ?? false,
  });
  if (!out.isTTY) {
    const line = () => out.write(`${progressOf(coordinator, tree)}\n`);
    return clock.every(LINE_MS, line);
  }
  const update = createLogUpdate(out);
  const draw = () => update(renderTree(treeRows(coordinator.forest, tree), view()));
  draw();
  const stop = clock.every(DRAW_MS, draw);
  return () => {
    stop();
    draw();
    update.done();
  };
}

export interface Ticker {
  /** Calls `fire` again and again until the function that it returns is called. */
  every(intervalMs: number, fire: () => void): () => void;
}

function progressOf(coordinator: Coordinator, tree: string): string {
  const node = coordinator.forest.get(tree);
  if (!node) return "no agents yet";
  const { agents, live, turns, costUsd } = node.subtree;
  return `${agents} agents, ${agents - live} ended, ${turns} turns, ${dollars(costUsd)}`;
}

/** The table at the end, and where the artifacts are. */
export function summaryOf(result: JobResult, output: string, tookMs: number): string {
  const { input, output: out, cacheRead, cacheWrite } = result.usage;
  const table = new Table({ style: { head: [], border: [] } });
  table.push(
    { status: result.status },
    { agents: `${result.agents} on ${result.levels} levels` },
    { turns: String(result.turns) },
    { events: String(result.events) },
    {
      tokens: `input ${compact(input)}, cache read ${compact(cacheRead)}, cache write ${compact(cacheWrite)}, output ${compact(out)}`,
    },
    { cost: dollars(result.costUsd) },
    { took: duration(tookMs) },
    { data: result.data },
  );
  const made = result.artifacts.map(({ name, bytes }) => {
    return `  ${name} (${byteSize(bytes)}): banyan artifact get ${name} --agent ${result.tree} --data ${result.data}`;
  });
  const answer = output.split("\n").slice(0, ANSWER_LINES).map(oneLine).join("\n");
  return [answer, table.toString(), ...(made.length > 0 ? ["artifacts:", ...made] : [])].join("\n");
}

/** Lines of the root's answer that are shown; the whole is in its messages. */
const ANSWER_LINES = 12;
