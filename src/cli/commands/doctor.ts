/** `banyan doctor`: looks at what agents need to run well, and says what to do about each thing that is wrong. */
import { styleText } from "node:util";
import { type CommonOptions, dataCommand, dataFolder, type Register } from "../command.ts";
import { examinations, type Finding } from "../examine.ts";
import { type Io, print, printJson } from "../io.ts";
import { oneLine, padTo } from "../terminal.ts";

const FAILED_EXIT = 1;
const LOOK = { ok: "green", warn: "yellow", fail: "red" } as const;

export const register: Register = (program, io) => {
  dataCommand(
    program,
    "doctor",
    "look at what agents need to run well; exits 1 when something fails",
    "{findings: [{level, about, says, remedy}], ok}",
  ).action((options: CommonOptions) => doctor(io, options));
};

async function doctor(io: Io, options: CommonOptions): Promise<void> {
  const findings: Finding[] = [];
  for await (const finding of examinations(await dataFolder(io, options), io.clock)) {
    findings.push(finding);
    if (!options.json) await print(io, lineOf(io, finding));
  }
  if (options.json) await printJson(io, { findings, ok: findings.every(({ level }) => level !== "fail") });
  if (findings.some(({ level }) => level === "fail")) io.exitCode = FAILED_EXIT;
}

function lineOf({ colour }: Io, { level, about, says, remedy }: Finding): string {
  const word = padTo(level, 4);
  const shown = colour ? styleText(LOOK[level], word, { validateStream: false }) : word;
  const line = `${shown}  ${padTo(about, 12)}  ${oneLine(says)}`;
  return remedy ? `${line}\n${" ".repeat(20)}${oneLine(remedy)}` : line;
}
