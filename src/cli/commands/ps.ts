/** `banyan ps`: the background processes of agents. */
import { type CommonOptions, dataCommand, type Register, withClient } from "../command.ts";
import { byteSize } from "../figures.ts";
import { print, printJson, remark } from "../io.ts";
import { tableOf } from "../table.ts";

interface Options extends CommonOptions {
  readonly all?: boolean;
}

const COMMAND_LENGTH_MAX = 60;

export const register: Register = (program, io) => {
  dataCommand(
    program,
    "ps [agent]",
    "show the background processes of all agents, or of a subtree",
    "an array of {id, agent, path, name, argv, phase, pid, ready, restarts, time, end, bytes, digest}",
  )
    .option("--all", "those that have ended too")
    .action(async (agent: string | undefined, { all, ...options }: Options) => {
      const rows = await withClient(io, options, (client) =>
        client.processes({ agent, subtree: true, ended: all }).toArray(),
      );
      if (options.json) return printJson(io, rows);
      if (rows.length === 0) return remark(io, "no processes");
      const cells = rows.map(({ name, path, phase, pid, ready, restarts, bytes, end, argv }) => [
        name,
        path,
        phase === "running" && !ready ? "not ready" : phase,
        pid ?? "",
        restarts,
        byteSize(bytes),
        end ?? "",
        argv.join(" ").slice(0, COMMAND_LENGTH_MAX),
      ]);
      const heads = ["NAME", "AGENT", "STATUS", ">PID", ">RESTARTS", ">OUTPUT", "LAST END", "COMMAND"];
      await print(io, tableOf(heads, cells));
    });
};
