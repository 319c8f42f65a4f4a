/** The tools for background processes: programs that run on while the agent does other things. Off unless the rights allow commands. */
import { z } from "zod";
import { name } from "../../agent/events.ts";
import { type ProcessPolicy, probe, processArgv } from "../../agent/process-policy.ts";
import { BanyanError } from "../../base/errors.ts";
import { presentIsOver } from "../../base/event-loop.ts";
import { LIMITS } from "../../base/limits.ts";
import { defineTool } from "../define.ts";
import { pathField } from "../files/paths.ts";
import { compilePattern, type Pattern } from "../files/pattern.ts";
import { showLine } from "../show.ts";
import type { ProcessInfo } from "../tool.ts";

const MiB = 1024 * 1024;
const processName = name.describe("The name that you gave it.");

export const startProcess = defineTool({
  name: "start_process",
  description:
    "Start a program that runs in the background of your folder while you go on: a server, a watcher, a long build. No shell: no pipes, globs or `&&`. " +
    "Answers at once; a message tells you when it has ended. It ends with you at the latest. Its probes say what counts as hung.",
  input: z.strictObject({
    name: name.describe("What you will call it."),
    argv: processArgv.describe('The program and its arguments, such as ["npm", "run", "dev"].'),
    cwd: pathField.default(".").describe("Folder to run in, relative to your root."),
    restart: z
      .enum(["never", "onFailure", "always"])
      .default("never")
      .describe("Start it again when it ends; onFailure: unless it exits with 0."),
    restartsMax: z
      .int()
      .min(1)
      .max(1_000)
      .default(LIMITS.processRestartsDefault)
      .describe("Restarts within withinMs after which it is given up."),
    withinMs: z.int().min(1).max(LIMITS.processMsMax).default(LIMITS.processWithinMsDefault),
    timeoutMs: z.int().min(1).max(LIMITS.processMsMax).optional().describe("Milliseconds after which it is ended."),
    memoryMiB: z
      .int()
      .min(1)
      .max(1024 * 1024)
      .default(LIMITS.processMemoryBytesDefault / MiB)
      .describe("Memory of it and what it starts, over which it is ended."),
    probes: z.array(probe).max(LIMITS.processProbesMax).default([]).describe("How to see that it is well."),
  }),
  async run({ name, argv, cwd, restart, restartsMax, withinMs, timeoutMs, memoryMiB, probes }, { processes }) {
    const policy: ProcessPolicy = {
      ...{ restart, restartsMax, withinMs, probes },
      ...(timeoutMs !== undefined && { timeMsMax: timeoutMs }),
      memoryBytesMax: memoryMiB * MiB,
      outputBytesMax: LIMITS.processOutputBytesMax,
    };
    const { pid } = await processes.start({ name, argv, cwd, policy });
    return `process ${name} started, pid ${pid}`;
  },
});

export const listProcesses = defineTool({
  name: "list_processes",
  description:
    "List the processes that you started. Answers `N processes`, then `<name> <how it stands> <what it runs>` a line.",
  input: z.strictObject({}),
  onUnknownOutcome: "rerun",
  async run(_, { processes }) {
    const all = await processes.list();
    return [`${all.length} processes`, ...all.map(lineOf)].join("\n");
  },
});

const LINES_DEFAULT = 50;
const LINE_LENGTH_MAX = 2_000;

export const processOutput = defineTool({
  name: "process_output",
  description:
    "Show what a process put out, both streams together: the newest lines, lines from a number on, or the lines that match a pattern. Answers how it " +
    "stands and which lines follow, then `<number>: <line>` a line. Only the newest output is at hand; once it has ended, the whole is the artifact `<name>.output`, for read_artifact.",
  input: z.strictObject({
    name: processName,
    from: z.int().min(1).optional().describe("First line to show; the newest lines when absent."),
    lines: z.int().min(1).max(LIMITS.readLinesMax).default(LINES_DEFAULT).describe("Most lines to show."),
    pattern: z
      .string()
      .min(1)
      .max(LIMITS.searchPatternLengthMax)
      .optional()
      .describe("A regular expression: only lines that it matches, the newest of them."),
  }),
  onUnknownOutcome: "rerun",
  async run({ name, from, lines, pattern }, { processes }) {
    const { text, firstLine, info } = await processes.output(name);
    const numbered = text
      .replace(/\n$/, "")
      .split("\n")
      .map((line, index) => ({ number: firstLine === 0 ? index + 1 : firstLine + index, line }));
    const all = text === "" ? [] : numbered;
    const found = pattern === undefined ? all : await matching(all, await compilePattern(pattern));
    const shown =
      from === undefined ? found.slice(-lines) : found.filter(({ number }) => number >= from).slice(0, lines);
    const counted =
      firstLine === 0 ? "lines are counted from where the newest output begins" : `of ${all.length} lines at hand`;
    return [
      `${name} ${standing(info)}, ${info.bytes} bytes put out${info.digest ? `, all of them ${info.digest}` : ""}`,
      `${shown.length} lines, ${counted}`,
      ...shown.map(({ number, line }) => `${number}: ${showLine(line, LINE_LENGTH_MAX)}`),
    ].join("\n");
  },
});

export const sendInput = defineTool({
  name: "send_input",
  description: "Write a text to the input of a process. Answers `written`; what comes of it shows in process_output.",
  input: z.strictObject({
    name: processName,
    text: z.string().max(LIMITS.processInputBytesMax).describe("As it is: end a line with a newline."),
    end: z.boolean().default(false).describe("Nothing more will come."),
  }),
  async run({ name, text, end }, { processes }) {
    await processes.write(name, text, end);
    return "written";
  },
});

export const stopProcess = defineTool({
  name: "stop_process",
  description:
    "End a process and what it started, for good. Answers when it is gone. It is asked to end first, and has `graceMs` for that.",
  input: z.strictObject({
    name: processName,
    graceMs: z.int().min(0).max(60_000).default(2_000).describe("Milliseconds to tidy up."),
  }),
  onUnknownOutcome: "rerun",
  async run({ name, graceMs }, { processes }) {
    return lineOf(await processes.stop(name, graceMs));
  },
});

export const waitForProcess = defineTool({
  name: "wait_for_process",
  description:
    "Wait until a process has ended and will not be started again. Answers how it ended. Waiting costs nothing; a server that never ends is waited for in vain.",
  input: z.strictObject({ name: processName }),
  onUnknownOutcome: "rerun",
  waitsFor: "process",
  async run({ name }, { processes }) {
    if ((await processes.list()).some((process) => process.name === name)) return "";
    throw new BanyanError("PROCESS_NOT_FOUND", `name: you started no process ${name}; see list_processes`);
  },
});

const ARGV_LENGTH_MAX = 200;

function lineOf(info: ProcessInfo): string {
  return `${info.name} ${standing(info)}: ${showLine(info.argv.join(" "), ARGV_LENGTH_MAX)}`;
}

/** How it stands, in a few words. */
function standing({ phase, pid, ready, restarts, end }: ProcessInfo): string {
  const again = restarts > 0 ? `, started again ${restarts} times` : "";
  switch (phase) {
    case "ended":
      return `ended (${end ?? "unknown"}${again})`;
    case "backingOff":
      return `to be started again (${end ?? "unknown"}${again})`;
    case "running":
      return `running (pid ${pid}, ${ready ? "ready" : "not ready yet"}${again})`;
    case "starting":
    case "stopping":
      return phase;
  }
}

/** Between so many characters everything else has its turn. */
const BUSY_LENGTH_MAX = 16 * 1024;

async function matching<Line extends { line: string }>(lines: readonly Line[], matches: Pattern): Promise<Line[]> {
  const found: Line[] = [];
  let length = 0;
  for (const each of lines) {
    if (matches(each.line.slice(0, LIMITS.searchLineLengthMax))) found.push(each);
    length += each.line.length;
    if (length < BUSY_LENGTH_MAX) continue;
    length = 0;
    await presentIsOver();
  }
  return found;
}
