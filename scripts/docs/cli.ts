/** docs/cli.md: every command, from the same definitions that make its help. */
import type { Command, Option } from "commander";
import { systemClock } from "../../src/base/clock.ts";
import { createProgram } from "../../src/cli/program.ts";
import { code, opening, table } from "./markdown.ts";

const SOURCE = "src/cli/commands";

export function cliPage(): string {
  const nowhere = { write: () => true, once: () => undefined };
  const program = createProgram({
    out: nowhere,
    err: nowhere,
    environment: {},
    folder: "/",
    clock: systemClock(),
    interrupted: new AbortController().signal,
    colour: false,
    exitCode: 0,
  });
  return `${opening("The command", SOURCE)}
An agent is named by its id, by 6 or more characters that only its id begins with, by its path of names
(\`/lead/worker\`), or by the name of its root. What could mean two agents is refused.

Commands speak with the process that runs the agents, through a socket in the data folder. Where none runs they read the
data themselves; a verb is journaled then, and the next process that opens the data goes on from there.

Answers go to the output, everything else to the error stream. \`--json\` prints for programs, errors included
(\`{"error":{"code","message","agent","remedy"}}\`). The exit code of an error is that of its [code](errors.md).

${program.commands.flatMap(sectionsOf).join("\n\n")}
`;
}

function sectionsOf(command: Command): string[] {
  if (command.commands.length > 0) return command.commands.flatMap(sectionsOf);
  const rows = command.options.filter(({ long }) => !COMMON.has(long ?? "")).map(rowOf);
  const json = command.options.find(({ long }) => long === "--json");
  return [
    `## ${code(usageOf(command))}`,
    sentence(command.description()),
    ...(rows.length > 0 ? [table(["option", "what it does", "default"], rows)] : []),
    ...(json ? [`${code("--json")}: ${json.description.replace("print JSON: ", "")}.`] : []),
  ];
}

/** Those that are told once, above. */
const COMMON = new Set(["--data", "--config", "--json"]);

function usageOf(command: Command): string {
  const names: string[] = [];
  for (let each: Command | null = command; each; each = each.parent) names.unshift(each.name());
  const given = command.registeredArguments.map((each) => (each.required ? `<${each.name()}>` : `[${each.name()}]`));
  return [...names, ...given].join(" ");
}

function rowOf({ flags, description, defaultValue, defaultValueDescription, argChoices }: Option): string[] {
  const choices = argChoices ? ` (${argChoices.join(", ")})` : "";
  const byDefault = defaultValueDescription ?? (defaultValue === undefined ? "" : String(defaultValue));
  return [code(flags), description + choices, byDefault && code(byDefault)];
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
