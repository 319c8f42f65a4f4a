/** `banyan tree`: every agent of the data, or of one subtree. */
import { LIMITS } from "../../base/limits.ts";
import { type CommonOptions, dataCommand, type Register, wholeNumber, withClient } from "../command.ts";
import { columnsOf, print } from "../io.ts";
import { linesFor, renderOverview } from "../live-tree.ts";

const LINES = 1_000;

export const register: Register = (program, io) => {
  dataCommand(
    program,
    "tree [agent]",
    "show the agents as a tree: status, turns, tokens and cost of each subtree",
    "an array of {id, parentId, level, name, status, turns, costUsd, subtreeCostUsd}, parents before children",
  )
    .option("--lines <count>", "lines to print for people; what is left out is counted", wholeNumber, LINES)
    .action(async (agent: string | undefined, { lines, ...options }: CommonOptions & { readonly lines: number }) => {
      if (!options.json) {
        const view = {
          columns: columnsOf(io),
          rows: Math.min(Math.max(3, lines), LIMITS.overviewLinesMax),
          colour: io.colour,
        };
        const overview = await withClient(io, options, (client) => client.overview({ agent, lines: linesFor(view) }));
        await print(io, renderOverview(overview, view));
        return;
      }
      const rows = await withClient(io, options, (client) => client.tree({ agent }).toArray());
      const shown = rows.map(({ id, parentId, level, name, status, turns, costUsd, subtree }) => {
        return { id, parentId, level, name, status, turns, costUsd, subtreeCostUsd: subtree.costUsd };
      });
      await print(io, JSON.stringify(shown));
    });
};
