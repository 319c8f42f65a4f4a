/** `banyan pause`: a hold on a subtree. */
import { type CommonOptions, dataCommand, type Register } from "../command.ts";
import { steer } from "../steer.ts";

interface Options extends CommonOptions {
  readonly reason?: string;
  readonly interrupt?: boolean;
}

export const register: Register = (program, io) => {
  dataCommand(
    program,
    "pause <agent>",
    "hold a subtree: no model call starts in it until it is resumed",
    "{agent, name, status}",
  )
    .option("--reason <text>", "shown to whoever looks")
    .option("--interrupt", "stop calls in flight too")
    .action((agent: string, { reason, interrupt, ...options }: Options) =>
      steer(io, options, (client) => client.pause({ agent, reason, interrupt })),
    );
};
