/** What a Claude Code finds in its environment, which is also how it is told what not to do by itself. */
import { join } from "node:path";
import type { Line } from "./gateway.ts";
import type { ProgramOptions } from "./program.ts";

/** Longest delay that timers hold: waits end by what they wait for. */
export const FOREVER_MS = 2 ** 31 - 1;

const PASSED = ["PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ"];

/** Commands may ask for the background, and nothing goes there that did not. */
const LEFT_RUNNING = {
  BASH_MAX_TIMEOUT_MS: String(FOREVER_MS),
  CLAUDE_AUTO_BACKGROUND_TASKS: "0",
  CLAUDE_CODE_DISABLE_MCP_TASK_BACKGROUND: "1",
};

/** Of the environment it has only what PASSED names, what it is given, and what is said here. */
export function environmentOf(options: ProgramOptions, line: Line, home: string): Record<string, string> {
  const { environment, given } = options;
  const passed = PASSED.flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    PATH: "/usr/local/bin:/usr/bin:/bin",
    ...Object.fromEntries(passed),
    ...given,
    ANTHROPIC_API_KEY: line.token,
    ...rulesOf(options, line, home),
  };
}

/** What nobody else is to say. None of it is secret. */
export function rulesOf(
  { outputTokensMax, transcript, goesOn, leavesRunning }: ProgramOptions,
  line: Line,
  home: string,
): Record<string, string> {
  return {
    HOME: home,
    TMPDIR: home,
    CLAUDE_CONFIG_DIR: join(home, ".claude"),
    ANTHROPIC_BASE_URL: line.url,
    CLAUDE_CODE_MAX_OUTPUT_TOKENS: String(outputTokensMax),
    // One call of the model a turn, and nothing beside it: no retries, summaries, titles, telemetry or updates.
    CLAUDE_CODE_MAX_RETRIES: "0",
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    DISABLE_AUTO_COMPACT: "1",
    CLAUDE_CODE_DISABLE_AUTO_MEMORY: "1",
    ...(leavesRunning ? LEFT_RUNNING : { CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: "1" }),
    // Said after results and taken back with the next call, so that every call would miss the cache.
    CLAUDE_CODE_TOTAL_TOKENS_REMINDER: "off",
    // It waits for as long as a hold lasts.
    API_TIMEOUT_MS: String(FOREVER_MS),
    CLAUDE_STREAM_IDLE_TIMEOUT_MS: String(FOREVER_MS),
    MCP_TOOL_TIMEOUT: String(FOREVER_MS),
    CLAUDE_CODE_SDK_MCP_TOOL_IDLE_TIMEOUT: String(FOREVER_MS),
    // It calls the model at once, and waits for no message.
    ...(transcript && goesOn && { CLAUDE_CODE_RESUME_INTERRUPTED_TURN: "1" }),
  };
}
