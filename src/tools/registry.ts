/**
 * The tools that a process knows, by name. An agent's journal names its tools, so a name must mean one tool for as long
 * as the process lives.
 *
 * R1  A name stands for one tool; another tool of the same name is refused. Were it to replace the first, one tree's
 *     agents would be handed what was made for another's.
 */
import { BanyanError } from "../base/errors.ts";
import type { Tool } from "./tool.ts";

export interface ToolRegistry {
  find(name: string): Tool | undefined;
  /** The tools of those names, in that order. @throws TOOL_UNKNOWN */
  pick(names: readonly string[]): Tool[];
  /** Adds a tool; harmless when it is registered already. @throws CONFIG_INVALID for another tool of a taken name, or a bad name */
  register(tool: Tool): void;
}

/** @throws CONFIG_INVALID as `register` does */
export function toolRegistry(tools: readonly Tool[]): ToolRegistry {
  const byName = new Map<string, Tool>();
  const registry: ToolRegistry = {
    find: (name) => byName.get(name),
    pick: (names) =>
      names.map((name) => {
        const tool = byName.get(name);
        if (!tool) throw new BanyanError("TOOL_UNKNOWN", `no tool ${JSON.stringify(name.slice(0, 80))} is registered`);
        return tool;
      }),
    register: (tool) => {
      if (!TOOL_NAME_SYNTAX.test(tool.name))
        throw invalid(tool.name, "is no name of a tool: use 1 to 64 letters, digits, _ and -");
      const known = byName.get(tool.name);
      if (known && known !== tool)
        throw invalid(tool.name, "is registered already: define the tool once and pass the same object");
      byName.set(tool.name, tool);
    },
  };
  for (const tool of tools) registry.register(tool);
  return registry;
}

/** The definitions exactly as the model is shown them: JSON text, the same for the same tools in the same order. */
export function toolsetText(tools: readonly Tool[]): string {
  return JSON.stringify(tools.map(({ name, description, inputSchema }) => ({ name, description, inputSchema })));
}

/** What the Messages API and the chat completions API both take. */
const TOOL_NAME_SYNTAX = /^[a-zA-Z0-9_-]{1,64}$/;

function invalid(name: string, why: string): BanyanError {
  return new BanyanError("CONFIG_INVALID", `tool ${JSON.stringify(name.slice(0, 80))} ${why}`);
}
