/** `banyan backup forget` and `prune`: a policy says up to which points a backup can be listed, and what no longer counts is removed. */
import type { Command } from "commander";
import type { BackupOptions } from "../../runtime/backup.ts";
import { forgetBackup, pruneStore } from "../../runtime/backup-forget.ts";
import { type CommonOptions, dataFolder, timeSpan, wholeNumber } from "../command.ts";
import { byteSize, plural } from "../figures.ts";
import { type Io, print, printJson } from "../io.ts";
import { tableOf } from "../table.ts";

interface PruneOptions extends CommonOptions {
  readonly dryRun?: boolean;
}

interface ForgetOptions extends PruneOptions {
  readonly keepLast?: number;
  readonly keepHourly?: number;
  readonly keepDaily?: number;
  readonly keepWeekly?: number;
  readonly keepMonthly?: number;
  readonly keepWithin?: number;
}

export function addForget<Options extends ForgetOptions>(
  command: Command,
  io: Io,
  placeOf: (io: Io, options: Options) => Promise<BackupOptions>,
): void {
  command
    .option("--dry-run", "forget nothing, and say what would be")
    .option("--keep-last <count>", "so many newest ones (default: 10)", wholeNumber)
    .option("--keep-hourly <count>", "the newest of so many hours (default: 24)", wholeNumber)
    .option("--keep-daily <count>", "the newest of so many days (default: 7)", wholeNumber)
    .option("--keep-weekly <count>", "the newest of so many weeks (default: 4)", wholeNumber)
    .option("--keep-monthly <count>", "the newest of so many months (default: 6)", wholeNumber)
    .option("--keep-within <time>", "all that are no older, such as 36h or 14d (default: none)", timeSpan)
    .addHelpText(
      "after",
      "\nSegments between points that are kept become one piece; the newest point is kept under any policy. Every record stays\nin the backup, so that a restore may end at any moment or event as before. The room is given back by banyan backup prune.",
    )
    .action(async ({ dryRun, ...options }: Options) => {
      const given = {
        last: options.keepLast,
        hourly: options.keepHourly,
        daily: options.keepDaily,
        weekly: options.keepWeekly,
        monthly: options.keepMonthly,
        withinMs: options.keepWithin,
      };
      const policy = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
      const place = await placeOf(io, options as Options);
      const answer = await forgetBackup(await dataFolder(io, options as CommonOptions), { ...place, policy, dryRun });
      if (options.json) return printJson(io, answer);
      const rows = answer.points.map(({ segment, time, event, records, bytes, keptBy }) => {
        const what = keptBy.length > 0 ? `kept: ${keptBy.join(", ")}` : "forgotten";
        return [segment, new Date(time).toISOString(), event, records, byteSize(bytes), what];
      });
      if (rows.length > 0) await print(io, tableOf([">SEGMENT", "TIME", "EVENT", ">RECORDS", ">BYTES", "WHAT"], rows));
      const would = dryRun ? "would be " : "";
      const { kept, forgotten, bytesBefore, bytesAfter } = answer;
      const sizes = bytesAfter === null ? "" : `: ${byteSize(bytesBefore)} are ${byteSize(bytesAfter)}`;
      await print(io, `${plural(kept, "point")} kept, ${forgotten} ${would}forgotten${sizes}`);
    });
}

export function addPrune<Options extends PruneOptions>(
  command: Command,
  io: Io,
  placeOf: (io: Io, options: Options) => Promise<BackupOptions>,
): void {
  command
    .option("--dry-run", "remove nothing, and say what would be")
    .action(async ({ dryRun = false, ...options }: Options) => {
      const place = await placeOf(io, options as Options);
      const answer = await pruneStore(await dataFolder(io, options as CommonOptions), { ...place, dryRun });
      if (options.json) return printJson(io, answer);
      const { objects, bytes, bytesBefore, bytesAfter } = answer;
      const would = dryRun ? "would be " : "";
      const sizes = `${byteSize(bytesBefore)} before, ${byteSize(bytesAfter)} after`;
      await print(io, `${plural(objects, "object")} of ${byteSize(bytes)} ${would}removed: ${sizes}`);
    });
}
