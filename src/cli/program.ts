/** All commands of `banyan`, and the one way in which they end. To add a command, add its file to the list. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { type Register, reportError } from "./command.ts";
import { register as answer } from "./commands/answer.ts";
import { register as archive } from "./commands/archive.ts";
import { register as artifact } from "./commands/artifact.ts";
import { register as backup } from "./commands/backup.ts";
import { register as budget } from "./commands/budget.ts";
import { register as cancel } from "./commands/cancel.ts";
import { register as capacity } from "./commands/capacity.ts";
import { register as checkpoint } from "./commands/checkpoint.ts";
import { register as config } from "./commands/config.ts";
import { register as cost } from "./commands/cost.ts";
import { register as doctor } from "./commands/doctor.ts";
import { register as faults } from "./commands/faults.ts";
import { registerFork as fork } from "./commands/fork.ts";
import { register as interrupt } from "./commands/interrupt.ts";
import { register as logs } from "./commands/logs.ts";
import { register as pause } from "./commands/pause.ts";
import { register as ps } from "./commands/ps.ts";
import { register as replay } from "./commands/replay.ts";
import { register as resume } from "./commands/resume.ts";
import { registerRewind as rewind } from "./commands/rewind.ts";
import { register as run } from "./commands/run.ts";
import { register as send } from "./commands/send.ts";
import { register as simulate } from "./commands/simulate.ts";
import { register as token } from "./commands/token.ts";
import { register as top } from "./commands/top.ts";
import { register as tree } from "./commands/tree.ts";
import { register as up } from "./commands/up.ts";
import { register as verify } from "./commands/verify.ts";
import type { Io } from "./io.ts";

/** In the order of the help. */
const COMMANDS: readonly Register[] = [
  up,
  run,
  replay,
  tree,
  top,
  logs,
  pause,
  resume,
  interrupt,
  send,
  fork,
  rewind,
  cancel,
  checkpoint,
  answer,
  budget,
  artifact,
  ps,
  cost,
  capacity,
  verify,
  backup,
  archive,
  faults,
  doctor,
  simulate,
  token,
  config,
];

/** Runs one command line and resolves to the exit code. Never throws. */
export async function runProgram(words: readonly string[], io: Io): Promise<number> {
  try {
    await createProgram(io).parseAsync(words, { from: "user" });
    return io.exitCode;
  } catch (error) {
    return reportError(io, error, { json: words.includes("--json") });
  }
}

export function createProgram(io: Io): Command {
  const program = new Command("banyan")
    .description("The production runtime for trees of LLM agents.")
    .version(packageVersion(), "--version", "print the version")
    .helpCommand(false)
    .configureHelp({ subcommandTerm: (command) => `${command.name()} ${argumentsOf(command)}`.trim() })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out.write(text),
      writeErr: (text) => io.err.write(text),
      // Told once, in the form of all errors, by `reportError`.
      outputError: () => undefined,
      getOutHelpWidth: () => io.out.columns ?? 100,
      getOutHasColors: () => io.colour,
    });
  for (const register of COMMANDS) register(program, io);
  return program;
}

/** As the usage line has them. */
function argumentsOf({ registeredArguments }: Command): string {
  return registeredArguments
    .map((argument) => (argument.required ? `<${argument.name()}>` : `[${argument.name()}]`))
    .join(" ");
}

/** The manifest stands two folders up, from the sources and from what is built alike. */
function packageVersion(): string {
  return JSON.parse(readFileSync(join(import.meta.dirname, "..", "..", "package.json"), "utf8")).version;
}
