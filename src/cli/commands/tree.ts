/** `banyan tree`: every agent of the data, or of one subtree. */
import { type CommonOptions, dataCommand, type Register, withClient } from "../command.ts";
import { columnsOf, print } from "../io.ts";
import { renderTree } from "../live-tree.ts";

export const register: Register = (program, io) => {
  dataCommand(
    program,
    "tree [agent]",
    "show the agents as a tree: status, turns, tokens and cost of each subtree",
    "an array of {id, parentId, level, name, status, turns, costUsd, subtreeCostUsd}, parents before children",
  ).action(async (agent: string | undefined, options: CommonOptions) => {
    const rows = await withClient(io, options, (client) => client.tree({ agent }).toArray());
    if (!options.json) {
      const view = { columns: columnsOf(io), rows: Number.POSITIVE_INFINITY, colour: io.colour };
      await print(io, renderTree(rows, view));
      return;
    }
    const shown = rows.map(({ id, parentId, level, name, status, turns, costUsd, subtree }) => {
      return { id, parentId, level, name, status, turns, costUsd, subtreeCostUsd: subtree.costUsd };
    });
    await print(io, JSON.stringify(shown));
  });
};
