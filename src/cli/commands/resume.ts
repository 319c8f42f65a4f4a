/** `banyan resume`: releases a hold, and has an interrupted agent go on. */
import { type CommonOptions, dataCommand, type Register } from "../command.ts";
import { steer } from "../steer.ts";

export const register: Register = (program, io) => {
  dataCommand(
    program,
    "resume <agent>",
    "release a hold, and have an interrupted agent go on",
    "{agent, name, status}",
  ).action((agent: string, options: CommonOptions) => steer(io, options, (client) => client.resume({ agent })));
};
