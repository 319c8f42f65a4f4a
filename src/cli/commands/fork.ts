/** `banyan fork`: a new agent with another's past. */
import { Option } from "commander";
import { type CommonOptions, dataCommand, type Register, restorePoint } from "../command.ts";
import { steer } from "../steer.ts";

interface Options extends CommonOptions {
  readonly at?: number | string;
  readonly subtree?: boolean;
  readonly as?: "root" | "sibling";
  readonly task?: string;
  readonly name?: string;
}

/** As a command of its own, and under `checkpoint`. */
export const registerFork: Register = (program, io) => {
  dataCommand(
    program,
    "fork <agent>",
    "make a new agent with another's past; the other runs on",
    "{agent, name, status, path}",
  )
    .option("--at <point>", "an event's sequence or a checkpoint's name (default: now)", restorePoint)
    .option("--subtree", "with all agents below it, as they were then")
    .addOption(new Option("--as <place>", "a tree of its own, or beside its origin").choices(["root", "sibling"]))
    .option("--task <text>", "the first message that it reads")
    .option("--name <name>", "default: that of its origin, with a number")
    .action((agent: string, { at, subtree, as, task, name, ...options }: Options) =>
      steer(
        io,
        options,
        (client) => client.fork({ agent, at, subtree, as, task, name }),
        ({ path }) => `, at ${path}`,
      ),
    );
};
