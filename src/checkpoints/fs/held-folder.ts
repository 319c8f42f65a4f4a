/**
 * A folder that is held open while something is done in it. On Linux a name in it is reached through the descriptor, so that nobody who
 * swaps a folder above for a link can lead the way elsewhere. On other systems a name is reached by its path, which was no link when
 * it was looked at.
 */
import { existsSync } from "node:fs";
import { constants, type FileHandle, lstat, open, realpath } from "node:fs/promises";
import { join } from "node:path";
import { BanyanError } from "../../base/errors.ts";

export interface HeldFolder extends AsyncDisposable {
  /** Reaches the entry of that name in this very folder. */
  at(name: string): string;
  /** The folder itself, for listing. */
  readonly path: string;
  readonly handle: FileHandle;
}

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const byDescriptor = process.platform === "linux" && existsSync("/proc/self/fd");

/** The folder at `root`, links on the way to it resolved. @throws TOOL_FAILED when it is not there */
export async function holdRoot(root: string): Promise<HeldFolder> {
  try {
    return await holdPath(await realpath(root));
  } catch (cause) {
    throw new BanyanError("TOOL_FAILED", `the folder ${root} cannot be opened: ${(cause as Error).message}`, { cause });
  }
}

/** A folder in a folder. Rejects with the system's error; for a link, as for anything that is no folder, ENOTDIR or ELOOP. */
export function holdIn(folder: HeldFolder, name: string): Promise<HeldFolder> {
  return holdPath(folder.at(name));
}

async function holdPath(path: string): Promise<HeldFolder> {
  if (!byDescriptor && (await lstat(path)).isSymbolicLink()) {
    throw Object.assign(new Error(`${path} is a link`), { code: "ELOOP" });
  }
  const handle = await open(path, FOLDER);
  const own = byDescriptor ? `/proc/self/fd/${handle.fd}` : path;
  return {
    path: own,
    handle,
    at: (name) => join(own, name),
    [Symbol.asyncDispose]: () => handle.close(),
  };
}
