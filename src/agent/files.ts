/**
 * The files of an agent's folder in its journal: what was kept of them, and that they are to be put back.
 *
 * H1  That the folder is to be put back is durable before a file of it is touched, and stays so until it was done or cannot be: what a
 *     crash cut short is done again.
 * H2  Files that did not change since they were kept make no event.
 */
import type { Command } from "./commands.ts";
import type { EventOf } from "./events.ts";
import type { Decision } from "./refusal.ts";
import type { State } from "./state.ts";

type CommandOf<Verb extends Command["do"]> = Extract<Command, { do: Verb }>;
export type FilesCommand = CommandOf<"saveFiles" | "endRestore">;

export function isFilesCommand(command: Command): command is FilesCommand {
  return command.do === "saveFiles" || command.do === "endRestore";
}

export function decideFiles({ files }: State, command: FilesCommand): Decision {
  if (command.do === "saveFiles") {
    const { do: _, ...fields } = command;
    return files?.tree === command.tree ? [] : [{ type: "files.saved", ...fields }];
  }
  const { do: _, ...fields } = command;
  return files?.restoring === command.tree ? [{ type: "files.restored", ...fields }] : [];
}

export function filesSaved(state: State, { tree }: EventOf<"files.saved">, seq: number): State {
  const restoring = state.files?.restoring;
  return { ...state, files: { tree, seq, ...(restoring !== undefined && { restoring }) } };
}

export function filesToRestore(state: State, { tree }: EventOf<"agent.rewound">, seq: number): State {
  if (tree === undefined) return state;
  return { ...state, files: { tree: state.files?.tree ?? tree, seq: state.files?.seq ?? seq, restoring: tree } };
}

/** What could not be put back whole is looked at again, so that what stands there now is kept next time. */
export function filesRestored(state: State, { tree, spared, error }: EventOf<"files.restored">, seq: number): State {
  const isWhole = error === undefined && spared === 0;
  return { ...state, files: { tree: isWhole ? tree : (state.files?.tree ?? tree), seq } };
}
