/** `banyan budget`: the bounds of a subtree, which replace those that it had. */
import { BanyanError } from "../../base/errors.ts";
import { amount, type CommonOptions, dataCommand, type Register, wholeNumber } from "../command.ts";
import { steer } from "../steer.ts";

interface Options extends CommonOptions {
  readonly usd?: number;
  readonly agents?: number;
  readonly levels?: number;
  readonly none?: boolean;
}

export const register: Register = (program, io) => {
  dataCommand(
    program,
    "budget <agent>",
    "replace the bounds of a subtree; a bound that is not given is lifted",
    "{agent, name, status}",
  )
    .option("--usd <dollars>", "most that it may spend", amount)
    .option("--agents <count>", "most agents that it may have, itself included", wholeNumber)
    .option("--levels <count>", "most levels below it", wholeNumber)
    .option("--none", "lift all bounds")
    .action((agent: string, { usd, agents, levels, none, ...options }: Options) => {
      const budget = { costUsd: usd, agents, levels };
      if (!none && Object.values(budget).every((bound) => bound === undefined)) {
        throw new BanyanError("INPUT_INVALID", "give --usd, --agents or --levels; or --none to lift all bounds");
      }
      return steer(io, options, (client) => client.setBudget({ agent, budget }));
    });
};
