/** `banyan checkpoint`: a name for a restore point. */
import { type CommonOptions, dataCommand, type Register, wholeNumber } from "../command.ts";
import { steer } from "../steer.ts";

interface Options extends CommonOptions {
  readonly at?: number;
}

export const register: Register = (program, io) => {
  dataCommand(
    program,
    "checkpoint <agent> <name>",
    "name a restore point, for rewind and fork",
    "{agent, name, status, seq, checkpoint}",
  )
    .option("--at <seq>", "an event's sequence (default: the newest)", wholeNumber)
    .action((agent: string, name: string, { at, ...options }: Options) =>
      steer(
        io,
        options,
        (client) => client.checkpoint({ agent, name, at }),
        ({ checkpoint, seq }) => `; checkpoint ${checkpoint} is at ${seq}`,
      ),
    );
};
