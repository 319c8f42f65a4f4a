/**
 * Which agents the same ready Claude Code can become: those whose sessions are started alike. Instructions are none of that, since they
 * are filled in (stand-ins.ts), but whether there are any is.
 */
import { hash } from "node:crypto";
import { callsOf } from "../../agent/content.ts";
import type { Execution } from "../../agent/events.ts";
import type { State } from "../../agent/state.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Profile as PoolProfile } from "../driver.ts";
import { COMMAND_TOOL } from "./shells.ts";
import { AGENT_TOOL } from "./subagents.ts";

/** All that sessions of the profile begin with. */
export function profileOf(
  state: State,
  /** What it is given by its tenant's operator. */
  given: object,
  warm: NonNullable<PoolProfile["warm"]>,
): PoolProfile {
  const { execution, rights } = state.head;
  const { model, outputTokensMax, asksBeyond = false } = execution;
  const ownTools = ownToolsOf(execution, rights);
  const { root = null, commands } = rights;
  const hasInstructions = state.instructions !== "";
  const begins = [model, outputTokensMax, asksBeyond, ownTools, root, commands, state.toolset, hasInstructions, given];
  return {
    key: hash("sha256", JSON.stringify(begins)),
    memoryBytes: LIMITS.claudeMemoryBytesDefault,
    warmupMs: LIMITS.claudeWarmupMs,
    takesWarm: !hasFilesInPast(state),
    warm,
  };
}

/** A child may have fewer rights than its parent, whose execution it has. */
export function ownToolsOf({ ownTools = [] }: Execution, rights: State["head"]["rights"]): string[] {
  return ownTools.filter((tool) => (tool !== COMMAND_TOOL || rights.commands) && (tool !== AGENT_TOOL || rights.spawn));
}

/**
 * Claude Code changes only files that it has read, as far as it knows from its past. An agent with calls of these tools in its past
 * begins with a Claude Code that is started from a transcript.
 */
export function remembersFile(tool: string): boolean {
  return FILE_TOOLS.has(tool);
}

const FILE_TOOLS: ReadonlySet<string> = new Set(["Read", "Edit", "Write", "NotebookEdit"]);

function hasFilesInPast({ entries }: State): boolean {
  for (let at = entries.length - 1; at >= 0; at--) {
    const entry = entries.at(at);
    if (entry?.kind === "assistant" && callsOf(entry.parts).some(({ name }) => remembersFile(name))) return true;
  }
  return false;
}
