/** What the verbs share: ask for it, say how the agent stands then, and whether anyone is there to carry it out. */
import type { Client, Standing } from "../client.ts";
import { type CommonOptions, withClient } from "./command.ts";
import { type Io, print, printJson, remark } from "./io.ts";
import { oneLine } from "./terminal.ts";

/** `adds` is what people are told besides the standing. */
export async function steer<Answer extends Standing>(
  io: Io,
  options: CommonOptions,
  ask: (client: Client) => Promise<Answer>,
  adds: (answer: Answer) => string = () => "",
): Promise<void> {
  await withClient(io, options, async (client) => {
    const answer = await ask(client);
    if (options.json) await printJson(io, answer);
    else await print(io, `${oneLine(answer.name)} (${answer.agent}) is ${answer.status}${oneLine(adds(answer))}`);
    if (!client.live) remark(io, "no process runs on this data: the next one that opens it goes on from there");
  });
}
