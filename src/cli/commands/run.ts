/** `banyan run`: a task for a tree of agents over a folder. */

import { InvalidArgumentError, Option } from "commander";
import type { Budget } from "../../agent/events.ts";
import { loadSettings } from "../../runtime/settings.ts";
import { type CommonOptions, dataCommand, type Register, wholeNumber } from "../command.ts";
import { run } from "../run/run.ts";

interface RunFlags extends CommonOptions {
  readonly dir: string;
  readonly driver: "model" | "claude";
  readonly model?: string;
  readonly instructions?: string;
  readonly budgetUsd?: number;
  readonly agentsMax?: number;
  readonly levelsMax?: number;
  readonly tenant?: string;
  readonly runningMax?: number;
  readonly allowCommands?: boolean;
  readonly keepFiles?: boolean;
  readonly killAt?: number;
  readonly killLog?: string;
}

export const register: Register = (program, io) => {
  dataCommand(
    program,
    "run <task>",
    "give a task to a tree of agents, in the process that runs already where there is one (`banyan up`); the same command takes an unfinished one up again",
    "{tree, status, agents, levels, turns, events, usage, costUsd, artifacts, data}, as the last line",
  )
    .option("--dir <path>", "folder that the agents see", ".")
    .addOption(
      new Option(
        "--driver <driver>",
        "what executes the agents; claude: Claude Code, with its own tools for files and commands",
      )
        .choices(["model", "claude"])
        .default("model"),
    )
    .option(
      "--model <name>",
      "model of ANTHROPIC_API_KEY's account; without a key a simulated one surveys source trees",
    )
    .option("--instructions <file>", "instructions for every agent, instead of the built-in ones")
    .option("--budget-usd <dollars>", "most that the tree may cost", dollarAmount)
    .option("--agents-max <count>", "most agents of the tree", wholeNumber)
    .option("--levels-max <count>", "most levels below the first agent", wholeNumber)
    .option("--running-max <count>", "agents that work at once", wholeNumber)
    .option(
      "--tenant <name>",
      "whose tree it is; nothing warm is shared between tenants, and each has rates of its own",
    )
    .option("--allow-commands", "let agents run commands in the folder")
    .option("--keep-files", "keep what stands in the folder whenever tools have run, for `banyan rewind --files`")
    .option("--kill-at <event>", "a drill: die by SIGKILL after so many events", wholeNumber)
    .option("--kill-log <file>", "with --kill-at: write down first what was acknowledged")
    .action(async (task: string, flags: RunFlags) => {
      const { dir, driver, tenant, instructions, allowCommands, keepFiles, json, killAt, killLog } = flags;
      const { settings } = await loadSettings({
        options: { dataDir: flags.data, model: flags.model, runningMax: flags.runningMax, budgetUsd: flags.budgetUsd },
        environment: io.environment,
        folder: io.folder,
        file: flags.config,
      });
      const job = { task, dir, driver, tenant, instructions, allowCommands, keepFiles, json, killAt, killLog };
      io.exitCode = await run(
        {
          ...job,
          settings,
          isDataGiven: flags.data !== undefined,
          model: flags.model,
          budget: budgetOf(flags, settings.budgetUsd),
        },
        io,
      );
    });
};

function budgetOf({ agentsMax: agents, levelsMax: levels }: RunFlags, costUsd: number | undefined): Budget | undefined {
  const budget = {
    ...(costUsd !== undefined && { costUsd }),
    ...(agents && { agents }),
    ...(levels !== undefined && { levels }),
  };
  return Object.keys(budget).length > 0 ? budget : undefined;
}

function dollarAmount(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError("not an amount in dollars");
  return value;
}
