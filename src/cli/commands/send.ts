/** `banyan send`: a message into an agent's inbox. */
import { type CommonOptions, dataCommand, type Register } from "../command.ts";
import { steer } from "../steer.ts";

interface Options extends CommonOptions {
  readonly id?: string;
}

export const register: Register = (program, io) => {
  dataCommand(
    program,
    "send <agent> <text>",
    "put a message into an agent's inbox; it reads it before its next turn",
    "{agent, name, status}",
  )
    .option("--id <id>", "a message that is sent again with the same id is delivered once")
    .action((agent: string, text: string, { id, ...options }: Options) =>
      steer(io, options, (client) => client.send({ agent, text, id })),
    );
};
