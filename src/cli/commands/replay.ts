/** `banyan replay`: recorded runs as agents, and whether their journals give back what was recorded. */
import { replay } from "../../recordings/replay.ts";
import { type CommonOptions, dataCommand, dataFolder, type Register, wholeNumber } from "../command.ts";
import { compact, dollars, duration } from "../figures.ts";
import { print, printJson, remark } from "../io.ts";
import { dieNow } from "../run/kill-at.ts";

interface ReplayFlags extends CommonOptions {
  readonly concurrency: number;
  readonly killAt?: number;
}

const CONCURRENCY_DEFAULT = 16;
/** Runs after which a line of progress is written. */
const PROGRESS_RUNS = 25;

export const register: Register = (program, io) => {
  dataCommand(
    program,
    "replay <file>",
    "run every recorded run of a file (JSON lines, .gz or not) as an agent",
    "{runs, completed, turns, messagesEqual, usage, costUsd, seconds}",
  )
    .option("--concurrency <count>", "runs at work at once", wholeNumber, CONCURRENCY_DEFAULT)
    .option("--kill-at <event>", "a drill: die by SIGKILL after so many events; the same command goes on", wholeNumber)
    .action(async (file: string, flags: ReplayFlags) => {
      const startMs = io.clock.monotonic();
      const report = await replay(file, await dataFolder(io, flags), {
        concurrency: flags.concurrency,
        onEvent: (count) => {
          if (count === flags.killAt) dieNow();
        },
        onRun: (done) => {
          if (done % PROGRESS_RUNS === 0) remark(io, `${done} runs`);
        },
      });
      const { different, ...result } = report;
      const seconds = Math.round(io.clock.monotonic() - startMs) / 1_000;
      io.exitCode = report.messagesEqual && report.completed === report.runs ? 0 : 1;
      for (const run of different) remark(io, `differs from the record: ${run}`);
      if (flags.json) return printJson(io, { ...result, seconds });
      const { input, output, cacheRead, cacheWrite } = report.usage;
      await print(
        io,
        [
          `${report.completed} of ${report.runs} runs completed, ${report.turns} turns in ${duration(seconds * 1_000)}`,
          report.messagesEqual
            ? "every journal gives back its messages"
            : `${different.length} runs differ from their record`,
          `tokens: input ${compact(input)}, cache read ${compact(cacheRead)}, cache write ${compact(cacheWrite)}, output ${compact(output)}`,
          `cost: ${dollars(report.costUsd)} (models without a list price count as nothing)`,
        ].join("\n"),
      );
    });
};
