/**
 * A host to be killed: four agents on a real disk, each with a server that is started again whenever it ends, and that leaves a
 * grandchild in a session of its own. With `commands` they wait for such a program instead, and have no process; with `talk` each has a
 * program that says something, a secret among it, and is not started again.
 *
 *     node test/e2e/process-host.ts FOLDER [commands|talk]
 */
import { Banyan, commands, files, processes } from "../../src/index.ts";
import { scriptedModel } from "../support/models.ts";

const [folder, what] = process.argv.slice(2);
if (!folder) throw new Error("which folder?");
const AGENTS = 4;

const script = "setsid -f sleep 1000; sleep 1000 & exec sleep 1000";
const argv = ["sh", "-c", script];
const talk = ["sh", "-c", `echo listening; echo key sk-ant-${"a1B2".repeat(12)}; printf 'no end'; exec sleep 1000`];
const ASKED: Readonly<Record<string, { name: string; input: object }>> = {
  commands: { name: "run_command", input: { argv } },
  talk: { name: "start_process", input: { name: "server", argv: talk } },
};
const asked = ASKED[what ?? ""] ?? {
  name: "start_process",
  input: { name: "server", argv, restart: "always", restartsMax: 1_000 },
};
const model = scriptedModel(({ prompt }) =>
  prompt.some(({ role }) => role === "assistant") ? "up" : { calls: [{ id: "c", ...asked }] },
);

// Without whoever would kill it, it would work for ever.
process.stdin.resume().once("end", () => process.exit(1));
const banyan = await Banyan.open(folder, { models: [model] });
if (banyan.roots().length === 0) {
  for (let i = 0; i < AGENTS; i++) {
    await banyan.spawn({
      name: "host",
      model,
      mode: "chat",
      task: "go",
      tools: [files({ root: folder }), what === "commands" ? commands() : processes()],
    });
  }
}
