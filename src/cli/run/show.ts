/** What a person sees of a job: the live tree while it runs, a table when it is done. */
import type { WriteStream } from "node:tty";
import Table from "cli-table3";
import { createLogUpdate } from "log-update";
import type { Forest } from "../../agent/forest.ts";
import type { Clock } from "../../base/clock.ts";
import type { Coordinator } from "../../coordinator/coordinator.ts";
import { treeRows } from "../../server/rows.ts";
import { byteSize, compact, dollars, duration } from "../figures.ts";
import { type Io, wantsColour } from "../io.ts";
import { renderTree } from "../live-tree.ts";
import { oneLine } from "../terminal.ts";
import type { JobResult } from "./job.ts";

/** How often the tree is drawn. */
const DRAW_MS = 200;
/** How often a line is written where there is no terminal. */
const LINE_MS = 5_000;

/** Draws the tree until the function that it returns is called; the last state stays on the screen. */
export function showTree({ forest }: Coordinator, tree: string, { err, clock, environment }: Io): () => void {
  if (!err.isTTY) return every(clock, LINE_MS, () => err.write(`${progressOf(forest, tree)}\n`));
  const colour = wantsColour(err, environment);
  const update = createLogUpdate(err as WriteStream);
  const draw = () => {
    const view = { columns: err.columns || 80, rows: Math.max(4, (err.rows || 24) - 1), colour };
    update(renderTree(treeRows(forest, tree), view));
  };
  draw();
  const stop = every(clock, DRAW_MS, draw);
  return once(() => {
    stop();
    draw();
    update.done();
  });
}

/** Calls `fire` again and again until the function that it returns is called. */
function every(clock: Clock, intervalMs: number, fire: () => void): () => void {
  const beat = () => {
    fire();
    timer = clock.timer(intervalMs, beat);
  };
  let timer = clock.timer(intervalMs, beat);
  return () => timer.cancel();
}

function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (!done) work();
    done = true;
  };
}

function progressOf(forest: Forest, tree: string): string {
  const node = forest.get(tree);
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
