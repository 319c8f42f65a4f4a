/** `banyan verify`: checks all that is stored. */
import { verifyFolder } from "../../runtime/verify.ts";
import { type CommonOptions, dataCommand, dataFolder, type Register } from "../command.ts";
import { plural } from "../figures.ts";
import { type Io, print, printJson } from "../io.ts";
import { tableOf } from "../table.ts";

/** What a process exits with whose data is damaged. */
const DAMAGED_EXIT = 1;

export const register: Register = (program, io) => {
  dataCommand(
    program,
    "verify",
    "check every record, event, agent and blob; exits 1 when something is damaged",
    "{agents, events, blobs, damaged: [{agent, seq, what}], ok}",
  )
    .addHelpText("after", "\nWorks beside a running process, and writes nothing.")
    .action((options: CommonOptions) => verify(io, options));
};

async function verify(io: Io, options: CommonOptions): Promise<void> {
  const report = await verifyFolder(await dataFolder(io, options));
  const { agents, events, blobs, damaged, ok } = report;
  if (!ok) io.exitCode = DAMAGED_EXIT;
  if (options.json) return printJson(io, { agents, events, blobs, damaged, ok });
  if (!ok) {
    const rows = damaged.map(({ agent, seq, what }) => [agent ?? "?", seq ?? "?", what]);
    await print(io, tableOf(["AGENT", ">EVENT", "DAMAGE"], rows));
  }
  const counted = `${plural(agents, "agent")}, ${plural(events, "event")}, ${plural(blobs, "blob")}`;
  await print(io, ok ? `all sound: ${counted}` : `${plural(damaged.length, "place")} damaged, out of ${counted}`);
}
