/** `banyan cost`: what was spent, by whom, on which tokens. */
import { Option } from "commander";
import { COST_GROUPS, type CostGroup } from "../../server/contract/fleet.ts";
import { type CommonOptions, dataCommand, type Register, wholeNumber, withClient } from "../command.ts";
import { compact, dollars } from "../figures.ts";
import { print, printJson, remark } from "../io.ts";
import { type Cell, tableOf } from "../table.ts";

interface Options extends CommonOptions {
  readonly by: CostGroup;
  readonly limit: number;
}

export const register: Register = (program, io) => {
  dataCommand(
    program,
    "cost [agent]",
    "show what was spent, dearest first; failed and cancelled agents count",
    "{groups, total}, tokens by class",
  )
    .addOption(new Option("--by <group>", "what to sum by").choices(COST_GROUPS).default("agent"))
    .option("--limit <rows>", "rows to print for people", wholeNumber, 30)
    .action(async (agent: string | undefined, { by, limit, ...options }: Options) => {
      const { groups, total } = await withClient(io, options, (client) => client.cost({ agent, by }));
      if (options.json) return printJson(io, { groups, total });
      const byAgent = by === "agent";
      const heads = [
        by.toUpperCase(),
        ...(byAgent ? [] : [">AGENTS"]),
        ">TURNS",
        ">INPUT",
        ">CACHE READ",
        ">CACHE WRITE",
        ">OUTPUT",
        ">COST",
        ">ESTIMATED",
      ];
      const rowOf = (
        key: string,
        { agents, turns, usage, costUsd, estimatedUsd }: Omit<typeof total, "reservedUsd">,
      ): Cell[] => [
        key,
        ...(byAgent ? [] : [agents]),
        turns,
        compact(usage.input),
        compact(usage.cacheRead),
        compact(usage.cacheWrite),
        compact(usage.output),
        dollars(costUsd),
        dollars(estimatedUsd),
      ];
      const rows = groups
        .slice(0, limit)
        .map((group) => [...rowOf(group.key, group), ...(byAgent ? [dollars(group.subtreeCostUsd ?? 0)] : [])]);
      const sum = [...rowOf("total", total), ...(byAgent ? [""] : [])];
      await print(io, tableOf([...heads, ...(byAgent ? [">WITH SUBTREE"] : [])], [...rows, sum]));
      if (groups.length > limit) remark(io, `${groups.length - limit} more rows: --limit, or --json`);
      if (total.estimatedUsd > 0) remark(io, "estimated: the upper bound of calls that were cut off, part of the cost");
      if (total.reservedUsd > 0) remark(io, `${dollars(total.reservedUsd)} more are reserved for calls in flight`);
    });
};
