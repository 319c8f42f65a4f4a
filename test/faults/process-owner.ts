/**
 * A process that owns data, for tests that stop, kill and outlive it. It tells of what it does by lines on its standard output, and
 * is told what to do by lines on its standard input: `send` writes to its agent, `answer` lets the call of its model end.
 *
 *     node test/faults/process-owner.ts FOLDER
 */
import { createInterface } from "node:readline";
import { Banyan, BanyanError } from "../../src/index.ts";
import { startControl } from "../../src/server/control-socket.ts";
import { handFed, partsOf, scriptedModel } from "../support/models.ts";

const folder = process.argv[2];
if (!folder) throw new Error("which folder?");

const call = handFed();
const model = scriptedModel(() => {
  tell({ at: "called" });
  return call.stream;
});
const onFault = (_agent: string, error: unknown) => tell({ fault: codeOf(error) });
const banyan = await Banyan.open(folder, { models: [model], onFault });
await startControl(banyan.runtime, { shutDown: () => void banyan.close() });
const lead = banyan.roots()[0] ?? (await banyan.spawn({ name: "lead", model, task: "go" }));
tell({ at: "open", lead: lead.id });

for await (const line of createInterface({ input: process.stdin })) {
  if (line === "answer") {
    call.feed(...partsOf("too late"));
    call.close();
  } else
    tell({
      sent: await lead.send(line).then(
        () => "ok",
        (error) => codeOf(error),
      ),
    });
}
await banyan.close();
tell({ at: "closed" });
process.exit(0);

function tell(what: object): void {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}

function codeOf(error: unknown): string {
  return error instanceof BanyanError ? error.code : String(error);
}
