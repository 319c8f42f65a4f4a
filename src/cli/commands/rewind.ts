/** `banyan rewind`: back to an earlier point of a conversation. */
import { type CommonOptions, dataCommand, type Register, restorePoint } from "../command.ts";
import { steer } from "../steer.ts";

/** As a command of its own, and under `checkpoint`. */
export const registerRewind: Register = (program, io) => {
  dataCommand(
    program,
    "rewind <agent> <point>",
    "go back to an event's sequence or a checkpoint's name, and on from there",
    "{agent, name, status}",
  )
    .option("--files", "put the files in its folder back too, if they were kept")
    .addHelpText(
      "after",
      "\nSequences are those of `banyan logs --messages`; 0 is before the first message. What was spent stays spent.",
    )
    .action((agent: string, point: string, { files, ...options }: CommonOptions & { readonly files?: boolean }) =>
      steer(io, options, (client) => client.rewind({ agent, to: restorePoint(point), files })),
    );
};
