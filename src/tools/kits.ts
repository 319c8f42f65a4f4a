/**
 * Kits: tools that belong together, with the rights that they need. What an agent is given is a list of kits and of tools
 * of one's own: `tools: [files({ root: "." }), artifacts(), spawning()]`.
 */
import { resolve } from "node:path";
import type { Rights } from "../agent/events.ts";
import { listAgents, sendMessage, spawnAgent, waitForAgents, waitForMessage } from "./agents/tools.ts";
import { listArtifacts, readArtifact, writeArtifact } from "./artifacts/tools.ts";
import { runCommand } from "./commands/run-command.ts";
import { listFiles } from "./files/list-files.ts";
import { readFile } from "./files/read-file.ts";
import { searchFiles } from "./files/search-files.ts";
import {
  listProcesses,
  processOutput,
  sendInput,
  startProcess,
  stopProcess,
  waitForProcess,
} from "./processes/tools.ts";
import type { Tool } from "./tool.ts";

export interface Kit {
  readonly tools: readonly Tool[];
  readonly rights: Partial<Rights>;
}

/** Reading files inside `root`: list, read, search. Nothing outside it can be reached. */
export function files({ root }: { root: string }): Kit {
  return { tools: [listFiles, readFile, searchFiles], rights: { root: resolve(root) } };
}

/** Writing artifacts, and reading those of the agent's own tree. */
export function artifacts(): Kit {
  return { tools: [writeArtifact, readArtifact, listArtifacts], rights: {} };
}

/** Spawning children and waiting for them. */
export function spawning(): Kit {
  return { tools: [spawnAgent, waitForAgents, listAgents], rights: { spawn: true } };
}

/** Messages between the agents of a tree. */
export function messaging(): Kit {
  return { tools: [sendMessage, waitForMessage], rights: {} };
}

export interface CommandsOptions {
  /**
   * Programs see the system's programs, the agent's folder and nothing else, and write to that folder alone. `network`: they have the
   * machine's. `readable`: folders that they may read too, absolute. Needs Debian's bubblewrap; without it they do not run
   * (SANDBOX_NONE). One kit with a sandbox is enough: `commands` and `processes` of an agent share it.
   */
  readonly sandbox?: boolean | { readonly network?: boolean; readonly readable?: readonly string[] };
}

/**
 * Running programs in the folder of `files`. Without a sandbox they run as the user that Banyan runs as and can read whatever that user
 * can: give this to agents whose model and input you trust that far, or run Banyan in a container.
 */
export function commands(options: CommandsOptions = {}): Kit {
  return { tools: [runCommand], rights: commandRights(options) };
}

/**
 * Programs that run in the background of the folder of `files`, supervised: they end with their agent at the latest. What is said of
 * `commands` holds for them.
 */
export function processes(options: CommandsOptions = {}): Kit {
  return {
    tools: [startProcess, processOutput, sendInput, stopProcess, listProcesses, waitForProcess],
    rights: commandRights(options),
  };
}

function commandRights({ sandbox = false }: CommandsOptions): Kit["rights"] {
  if (sandbox === false) return { commands: true };
  const { network = false, readable = [] } = sandbox === true ? {} : sandbox;
  return { commands: true, sandbox: { network, readable: readable.map((folder) => resolve(folder)) } };
}

/** What several kits allow together. What one of them bounds stays bound. */
export function rightsTogether(all: readonly Partial<Rights>[]): Partial<Rights> {
  const sandboxes = all.flatMap(({ sandbox }) => sandbox ?? []);
  const sandbox = sandboxes.length > 0 && {
    network: sandboxes.every(({ network }) => network),
    readable: [...new Set(sandboxes.flatMap(({ readable }) => readable))],
  };
  return Object.assign({}, ...all, sandbox && { sandbox });
}

/** A kit as it is; a tool as a kit of its own that needs no rights. */
export function kitOf(part: Tool | Kit): Kit {
  return "tools" in part ? part : { tools: [part], rights: {} };
}

/** Every tool that comes with Banyan. Agents of an earlier process find theirs among them. */
export function builtInTools(): Tool[] {
  return [files({ root: "." }), artifacts(), spawning(), messaging(), commands(), processes()].flatMap(
    ({ tools }) => tools,
  );
}
