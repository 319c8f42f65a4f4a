/** `banyan interrupt`: stops what is in flight; the agent lives on. */
import { type CommonOptions, dataCommand, type Register } from "../command.ts";
import { plural } from "../figures.ts";
import { steer } from "../steer.ts";

interface Options extends CommonOptions {
  readonly subtree?: boolean;
}

export const register: Register = (program, io) => {
  dataCommand(
    program,
    "interrupt <agent>",
    "stop the call or the tools in flight and keep what was said",
    "{agent, name, status, interrupted}",
  )
    .option("--subtree", "in all agents below it too")
    .action((agent: string, { subtree, ...options }: Options) =>
      steer(
        io,
        options,
        (client) => client.interrupt({ agent, subtree }),
        ({ interrupted }) => `; ${plural(interrupted, "agent")} had something in flight`,
      ),
    );
};
