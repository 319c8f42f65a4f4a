/** `banyan checkpoint forget`: a policy says which named checkpoints are kept. */
import { type CommonOptions, dataCommand, type Register, timeSpan, wholeNumber, withClient } from "../command.ts";
import { plural } from "../figures.ts";
import { print, printJson } from "../io.ts";
import { tableOf } from "../table.ts";

interface Options extends CommonOptions {
  readonly subtree?: boolean;
  readonly dryRun?: boolean;
  readonly keepLast?: number;
  readonly keepHourly?: number;
  readonly keepDaily?: number;
  readonly keepWeekly?: number;
  readonly keepMonthly?: number;
  readonly keepWithin?: number;
}

export const registerForget: Register = (program, io) => {
  dataCommand(
    program,
    "forget <agent>",
    "forget named checkpoints that a policy does not keep",
    "{agent, name, status, checkpoints: [{agent, name, seq, time, keptBy}], kept, forgotten}",
  )
    .option("--subtree", "those of all agents below it too")
    .option("--dry-run", "forget nothing, and say what would be")
    .option("--keep-last <count>", "so many newest ones (default: 10)", wholeNumber)
    .option("--keep-hourly <count>", "the newest of so many hours (default: 24)", wholeNumber)
    .option("--keep-daily <count>", "the newest of so many days (default: 7)", wholeNumber)
    .option("--keep-weekly <count>", "the newest of so many weeks (default: 4)", wholeNumber)
    .option("--keep-monthly <count>", "the newest of so many months (default: 6)", wholeNumber)
    .option("--keep-within <time>", "all that are no older, such as 36h or 14d (default: none)", timeSpan)
    .addHelpText(
      "after",
      "\nPinned ones, those at which forks begin, and the newest that the agent can be restored to are kept under any policy.\nOnly names are forgotten: every event is still a restore point.",
    )
    .action(async (agent: string, { subtree, dryRun, ...options }: Options) => {
      const policy = {
        last: options.keepLast,
        hourly: options.keepHourly,
        daily: options.keepDaily,
        weekly: options.keepWeekly,
        monthly: options.keepMonthly,
        withinMs: options.keepWithin,
      };
      const answer = await withClient(io, options, (client) =>
        client.forgetCheckpoints({ agent, subtree, dryRun, policy }),
      );
      if (options.json) return printJson(io, answer);
      const rows = answer.checkpoints.map(({ name, seq, time, keptBy }) => {
        return [
          seq,
          name,
          new Date(time).toISOString(),
          keptBy.length > 0 ? `kept: ${keptBy.join(", ")}` : "forgotten",
        ];
      });
      if (rows.length > 0) await print(io, tableOf([">AT", "NAME", "TIME", "WHAT"], rows));
      const would = dryRun ? "would be " : "";
      await print(io, `${plural(answer.kept, "checkpoint")} kept, ${answer.forgotten} ${would}forgotten`);
    });
};
