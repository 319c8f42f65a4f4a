/**
 * The tool `run_command`: a program with its arguments, in the agent's folder. Off unless the rights say otherwise. It bounds
 * time, output, environment and what is left behind; what the program reads and where it writes is bound by a sandbox
 * alone.
 */
import { z } from "zod";
import { BanyanError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Ran, RanOutput } from "../../processes/launch.ts";
import { defineTool } from "../define.ts";
import { pathField } from "../files/paths.ts";

const argument = z
  .string()
  .max(LIMITS.commandArgumentLengthMax)
  .refine((text) => !text.includes("\0"), "an argument has no NUL");

export const runCommand = defineTool({
  name: "run_command",
  description:
    "Run a program in your folder and wait for it. No shell: no pipes, globs or `&&`. It gets no input, and what it leaves running in the background is " +
    "ended. Answers how it ended and after how long, then its output and its error output; the middle of a long output is left out.",
  input: z.strictObject({
    argv: z
      .array(argument)
      .min(1)
      .max(LIMITS.commandArgumentsMax)
      .describe('The program and its arguments, such as ["git", "log", "-3"].'),
    cwd: pathField.default(".").describe("Folder to run in, relative to your root."),
    timeoutMs: z
      .int()
      .min(1)
      .max(LIMITS.commandMsMax)
      .default(LIMITS.commandMsDefault)
      .describe("Milliseconds after which it is ended."),
  }),
  onUnknownOutcome: "report",
  // Its own limit comes first, so that the model sees what was put out until then.
  timeMsMax: LIMITS.commandMsMax + 10_000,
  async run({ argv, cwd, timeoutMs }, { rights, processes, signal }) {
    if (!rights.commands) throw new BanyanError("COMMAND_REFUSED", "this agent may not run commands");
    return report(await processes.run({ argv, cwd, timeMsMax: timeoutMs }, signal), timeoutMs);
  },
});

function report({ end, limit, tookMs, stdout, stderr, left }: Ran, timeoutMs: number): string {
  return [
    `${ending(end, limit, timeoutMs)}, ${Math.round(tookMs)} ms`,
    ...(left > 0 ? [`${left} processes that it started could not be ended`] : []),
    shown("stdout", stdout),
    shown("stderr", stderr),
  ].join("\n");
}

function ending(end: Ran["end"], limit: Ran["limit"], timeoutMs: number): string {
  if (limit === "time") return `ended by the time limit of ${timeoutMs} ms`;
  if (limit === "output") return `ended by the output limit of ${LIMITS.commandOutputBytesMax} bytes`;
  return "signal" in end ? `signal ${end.signal}` : `exit ${end.exitCode}`;
}

function shown(stream: string, output: RanOutput): string {
  return output.bytes === 0
    ? `${stream}: 0 bytes`
    : `${stream}: ${output.bytes} bytes\n${output.text.replace(/\n$/, "")}`;
}
