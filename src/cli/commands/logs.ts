/** `banyan logs`: events as they became durable, or the conversation of one agent. */
import { BanyanError } from "../../base/errors.ts";
import type { Client } from "../../client.ts";
import { type CommonOptions, dataCommand, type Register, wholeNumber, withClient } from "../command.ts";
import { type Io, print, printJson, remark } from "../io.ts";
import { entryText, eventLine } from "../log-lines.ts";

interface Options extends CommonOptions {
  readonly follow?: boolean;
  readonly subtree?: boolean;
  readonly from?: number;
  readonly messages?: boolean;
}

export const register: Register = (program, io) => {
  dataCommand(
    program,
    "logs [agent]",
    "show events: of one agent, of a subtree, or of all",
    "an event or a message a line",
  )
    .option("-f, --follow", "go on with new ones as they come, until the agent has ended")
    .option("--subtree", "those of all agents below it too")
    .option("--from <position>", "only events after this position", wholeNumber)
    .option("--messages", "the conversation of the agent instead; its sequences are restore points")
    .addHelpText("after", "\n--json prints one object a line.")
    .action((agent: string | undefined, { messages, ...options }: Options) =>
      withClient(io, options, (client) =>
        messages ? conversation(io, client, agent, options) : events(io, client, agent, options),
      ),
    );
};

async function events(io: Io, client: Client, agent: string | undefined, options: Options): Promise<void> {
  const { follow, subtree, from, json } = options;
  if (follow && !client.live) remark(io, "no process runs on this data: there is nothing to follow");
  const names = new Map<string, string>();
  if (!json) for (const { id, name } of await client.tree().toArray()) names.set(id, name);
  try {
    for await (const event of client.logs({ agent, subtree, from, follow }, { signal: io.interrupted })) {
      if (event.event.type === "child.spawned") names.set(event.event.child, event.event.name);
      if (json) await printJson(io, event);
      else await print(io, eventLine(event, names.get(event.agent) ?? event.agent, io.colour));
    }
  } catch (error) {
    // Ctrl-C is how following is meant to end.
    if (!io.interrupted.aborted) throw error;
  }
}

async function conversation(io: Io, client: Client, agent: string | undefined, { json }: Options): Promise<void> {
  if (agent === undefined) throw new BanyanError("INPUT_INVALID", "say whose messages: banyan logs AGENT --messages");
  for await (const entry of client.messages({ agent }, { signal: io.interrupted })) {
    if (json) await printJson(io, entry);
    else await print(io, entryText(entry, io.colour));
  }
}
