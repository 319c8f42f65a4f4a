/** `banyan answer`: what to do with a call that may not run without a person, or whose outcome is unknown. */
import { Argument } from "commander";
import { type CommonOptions, dataCommand, type Register } from "../command.ts";
import { steer } from "../steer.ts";

/** Two words for each: of a call that has not run, and of one that may have. */
const DECISIONS = { allow: "rerun", deny: "report", rerun: "rerun", report: "report" } as const;

interface AnswerOptions extends CommonOptions {
  readonly reason?: string;
}

export const register: Register = (program, io) => {
  dataCommand(
    program,
    "answer <agent> <call>",
    "say what to do with a call that waits for a person",
    "{agent, name, status}",
  )
    .addArgument(
      new Argument(
        "<decision>",
        "have it run (again), or tell the model that it did not, or that nobody knows",
      ).choices(Object.keys(DECISIONS)),
    )
    .option("--reason <text>", "why; the model is told")
    .action((agent: string, callId: string, said: keyof typeof DECISIONS, options: AnswerOptions) => {
      const decision = DECISIONS[said];
      return steer(io, options, (client) => client.answer({ agent, callId, decision, reason: options.reason }));
    });
};
