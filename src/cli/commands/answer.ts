/** `banyan answer`: what to do with a call whose outcome is unknown. */
import { Argument } from "commander";
import { type CommonOptions, dataCommand, type Register } from "../command.ts";
import { steer } from "../steer.ts";

export const register: Register = (program, io) => {
  dataCommand(
    program,
    "answer <agent> <call>",
    "say what to do with a call whose outcome is unknown",
    "{agent, name, status}",
  )
    .addArgument(
      new Argument("<decision>", "run it again, or report to the model that it was interrupted").choices([
        "rerun",
        "report",
      ]),
    )
    .action((agent: string, callId: string, decision: "rerun" | "report", options: CommonOptions) =>
      steer(io, options, (client) => client.answer({ agent, callId, decision })),
    );
};
