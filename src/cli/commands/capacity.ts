/** `banyan capacity`: how the data grows, and how long the disk will do. */
import { type CommonOptions, dataCommand, type Register, wholeNumber, withClient } from "../command.ts";
import { byteSize } from "../figures.ts";
import { print, printJson, remark } from "../io.ts";
import { tableOf } from "../table.ts";

interface Options extends CommonOptions {
  readonly limit: number;
}

const DAY_MS = 86_400_000;

export const register: Register = (program, io) => {
  dataCommand(
    program,
    "capacity",
    "show how fast the data grows, which trees it is of, and in how many days the disk is full",
    "{storedBytes, freeBytes, writtenBytes, bytesPerDay, daysUntilFull, days: [{time, bytes}], trees: [{root, path, bytes, ageMs}]}",
  )
    .option("--limit <rows>", "trees to print for people", wholeNumber, 20)
    .action(async ({ limit, ...options }: Options) => {
      const answer = await withClient(io, options, (client) => client.capacity());
      if (options.json) return printJson(io, answer);
      const { storedBytes, freeBytes, writtenBytes, bytesPerDay, daysUntilFull, days, trees } = answer;
      const full = daysUntilFull === null ? "it does not grow" : `full in ${daysUntilFull} days at this rate`;
      await print(
        io,
        `${byteSize(storedBytes)} on disk (${byteSize(writtenBytes)} written), ${byteSize(bytesPerDay)} more a day, ${byteSize(freeBytes)} free: ${full}`,
      );
      const byDay = days.map(({ time, bytes }) => [new Date(time).toISOString().slice(0, 10), byteSize(bytes)]);
      if (byDay.length > 0) await print(io, tableOf(["DAY", ">WRITTEN"], byDay));
      const rows = trees.slice(0, limit).map(({ root, path, bytes, ageMs }) => {
        return [path, byteSize(bytes), `${Math.floor(ageMs / DAY_MS)} d`, root];
      });
      if (rows.length > 0) await print(io, tableOf(["TREE", ">WRITTEN", ">IDLE", "ROOT"], rows));
      if (trees.length > limit) remark(io, `${trees.length - limit} more trees: --limit, or --json`);
    });
};
