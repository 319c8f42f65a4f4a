/** `banyan faults`: what went wrong and was nobody's answer. */
import { type CommonOptions, dataCommand, type Register, withClient } from "../command.ts";
import { print, printJson, remark } from "../io.ts";
import { tableOf } from "../table.ts";
import { oneLine } from "../terminal.ts";

interface Options extends CommonOptions {
  readonly agent?: string;
}

export const register: Register = (program, io) => {
  dataCommand(
    program,
    "faults",
    "list what went wrong beside the agents' own failures: snapshots that cannot be used, files that could not be kept, failed disks",
    "an array of {time, agent, code, message, left}",
  )
    .option("--agent <agent>", "of one agent (default: of all)")
    .action(async ({ agent, ...options }: Options) => {
      const faults = await withClient(io, options, (client) => client.faults({ agent }).toArray());
      if (options.json) return printJson(io, faults);
      if (faults.length === 0) return remark(io, "no faults");
      const rows = faults.map((fault) => [
        new Date(fault.time).toISOString(),
        fault.agent,
        fault.code,
        oneLine(fault.message) + (fault.left ? ` (and ${fault.left} more)` : ""),
      ]);
      await print(io, tableOf(["TIME", "AGENT", "CODE", "WHAT"], rows));
    });
};
