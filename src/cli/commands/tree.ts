/** `banyan tree`: every agent of the data, or of one subtree, and of which trees history is in an archive. */
import { LIMITS } from "../../base/limits.ts";
import type { Client } from "../../client.ts";
import { type CommonOptions, dataCommand, type Register, wholeNumber, withClient } from "../command.ts";
import { byteSize, plural } from "../figures.ts";
import { columnsOf, print } from "../io.ts";
import { linesFor, renderOverview } from "../live-tree.ts";

const LINES = 1_000;

export const register: Register = (program, io) => {
  dataCommand(
    program,
    "tree [agent]",
    "show the agents as a tree: status, turns, tokens and cost of each subtree",
    "an array of {id, parentId, level, name, status, turns, costUsd, subtreeCostUsd, archives?: [{place, parts, records, bytes, time}]}, parents before children",
  )
    .option("--lines <count>", "lines to print for people; what is left out is counted", wholeNumber, LINES)
    .action(async (agent: string | undefined, { lines, ...options }: CommonOptions & { readonly lines: number }) => {
      if (!options.json) {
        const view = {
          columns: columnsOf(io),
          rows: Math.min(Math.max(3, lines), LIMITS.overviewLinesMax),
          colour: io.colour,
        };
        const [overview, archived] = await withClient(io, options, async (client) => [
          await client.overview({ agent, lines: linesFor(view) }),
          await archivesOf(client, agent),
        ]);
        await print(io, renderOverview(overview, view));
        for (const { root, archives } of archived) {
          for (const { place, records, bytes, time } of archives) {
            const day = new Date(time).toISOString().slice(0, 10);
            const what = `${plural(records, "record")}, ${byteSize(bytes)}, moved ${day}`;
            await print(io, `${root} is archived in ${place || "archive/"}: ${what}`);
          }
        }
        return;
      }
      const [rows, archived] = await withClient(io, options, async (client) => [
        await client.tree({ agent }).toArray(),
        await archivesOf(client, agent),
      ]);
      const byAgent = new Map(archived.map(({ id, archives }) => [id, archives]));
      const shown = rows.map(({ id, parentId, level, name, status, turns, costUsd, subtree }) => {
        // Trees are archived whole, and parents come first.
        const archives = byAgent.get(id) ?? (parentId === null ? undefined : byAgent.get(parentId));
        if (archives) byAgent.set(id, archives);
        const subtreeCostUsd = subtree.costUsd;
        return { id, parentId, level, name, status, turns, costUsd, subtreeCostUsd, ...(archives && { archives }) };
      });
      await print(io, JSON.stringify(shown));
    });
};

/** By the top of each tree that is shown: one agent, or all roots. */
async function archivesOf(client: Client, agent: string | undefined) {
  if (agent !== undefined) {
    const { id, path, archives } = await client.agent({ agent });
    return archives.length > 0 ? [{ id, root: path, archives }] : [];
  }
  const groups = Map.groupBy(await client.archived({}).toArray(), ({ root }) => root);
  return [...groups].map(([id, rows]) => ({
    id,
    root: rows[0]?.path ?? id,
    archives: rows.map(({ place, parts, records, bytes, time }) => ({ place, parts, records, bytes, time })),
  }));
}
