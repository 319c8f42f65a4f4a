/** `banyan cancel`: ends a subtree. */
import { type CommonOptions, dataCommand, type Register } from "../command.ts";
import { steer } from "../steer.ts";

interface Options extends CommonOptions {
  readonly reason?: string;
}

export const register: Register = (program, io) => {
  dataCommand(
    program,
    "cancel <agent>",
    "end a subtree: what is in flight stops, and nothing of it runs afterwards",
    "{agent, name, status}",
  )
    .option("--reason <text>", "kept in the journal")
    .action((agent: string, { reason, ...options }: Options) =>
      steer(io, options, (client) => client.cancel({ agent, reason })),
    );
};
