/**
 * Commands of Claude Code's Bash. Those that it is to leave running in the background are Banyan's processes, with limits, a group of their own
 * and an end that is told; Claude Code runs a word in their place. None that takes too long is moved to the background either: it
 * is ended, with all that Claude Code runs, and another Claude Code takes over.
 */
import type { Json } from "../../agent/content.ts";
import { LIMITS } from "../../base/limits.ts";
import type { BackgroundProgram } from "../driver.ts";
import { nameOf } from "./subagents.ts";

/** The tool that runs commands. */
export const COMMAND_TOOL = "Bash";

/** With this tool of Banyan's an agent may leave programs running. */
const PROCESS_TOOL = "start_process";

/** True for agents whose commands may run in the background. */
export function mayLeaveRunning(ownTools: readonly string[], tools: readonly string[]): boolean {
  return ownTools.includes(COMMAND_TOOL) && tools.includes(PROCESS_TOOL);
}

interface BashInput {
  readonly command?: unknown;
  readonly description?: unknown;
  readonly timeout?: unknown;
  readonly run_in_background?: unknown;
}

export function backgroundOf(input: Json): BackgroundProgram | undefined {
  const { command, description, run_in_background: isLeft } = input as BashInput;
  if (isLeft !== true || typeof command !== "string") return undefined;
  return {
    argv: [SHELL, "-c", command],
    name: nameOf(typeof description === "string" ? description : command, "shell"),
  };
}

const SHELL = "/bin/bash";

/** How long a command may take, in milliseconds: as it says, or as Claude Code has it. */
export function timeLimitOf(input: Json): number {
  const { timeout } = input as BashInput;
  return Math.min(LIMITS.toolMsMax, typeof timeout === "number" && timeout > 0 ? timeout : TIMEOUT_MS);
}

const TIMEOUT_MS = 120_000;

/** What Claude Code is to run in place of a command that was started already. */
export function sayingInstead(text: string): Record<string, unknown> {
  return { command: `printf %s '${text.replaceAll("'", "'\\''")}'`, description: "process", run_in_background: false };
}
