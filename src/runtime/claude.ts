/** Agents of Claude Code, as a person asks for them: `driver: claude({ model, tools: ["Read", "Bash"], folder: "." })`. */
import { resolve } from "node:path";
import type { Rights } from "../agent/events.ts";
import { BanyanError } from "../base/errors.ts";

/**
 * Those of Claude Code's tools that ask nobody. `Bash` runs commands; `Agent` has agents work below it, each one a node with all that nodes
 * have; the others stay in the folder.
 */
export const CLAUDE_TOOLS = ["Agent", "Bash", "Edit", "Glob", "Grep", "NotebookEdit", "Read", "Write"] as const;
export type ClaudeTool = (typeof CLAUDE_TOOLS)[number];

export interface ClaudeAgentOptions {
  /** Such as `claude-sonnet-4-5`. */
  readonly model: string;
  /** None when absent. */
  readonly tools?: readonly ClaudeTool[];
  /** Where the tools work; needed with any. It becomes the agent's right, and its children's. */
  readonly folder?: string;
  /**
   * What Claude Code's own rules do not let pass, such as a file outside the folder, waits for a person: see `Agent.answer`. Default:
   * it is refused, and the model is told.
   */
  readonly asksBeyond?: boolean;
}

/** What `claude` makes: spawn an agent with it as its `driver`. */
export interface ClaudeAgent {
  readonly driver: "claude";
  readonly model: string;
  readonly tools: readonly ClaudeTool[];
  readonly asksBeyond: boolean;
  readonly rights: Partial<Rights>;
}

/**
 * An agent that Claude Code executes. It needs the package @anthropic-ai/claude-agent-sdk, which is loaded with the first such agent.
 * @throws CONFIG_INVALID
 */
export function claude({ model, tools = [], folder, asksBeyond = false }: ClaudeAgentOptions): ClaudeAgent {
  const unknown = tools.find((tool) => !CLAUDE_TOOLS.includes(tool));
  if (unknown !== undefined) {
    const message = `Claude Code's ${String(unknown)} cannot be used here; there are ${CLAUDE_TOOLS.join(", ")}`;
    throw new BanyanError("CONFIG_INVALID", message);
  }
  if (tools.length > 0 && folder === undefined)
    throw new BanyanError("CONFIG_INVALID", "tools of Claude Code need a folder to work in");
  const root = folder === undefined ? {} : { root: resolve(folder) };
  return {
    driver: "claude",
    model,
    tools: [...tools],
    asksBeyond,
    rights: {
      ...root,
      ...(tools.includes("Bash") && { commands: true }),
      ...(tools.includes("Agent") && { spawn: true }),
    },
  };
}
