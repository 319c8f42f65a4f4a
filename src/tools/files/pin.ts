/**
 * Containment: how every file tool reaches a file. A path is not checked and then opened, because it may be another file
 * by then. The file is pinned first, the pin says where the file truly is, and what is read is what was pinned.
 *
 * P1  No byte, name or size of anything outside the root is handed out, whatever the path, the links on it, and whoever
 *     moves things meanwhile.
 * P2  Only folders and regular files are opened. Opening a FIFO would hang, opening a device may act.
 * P3  Outside the root, there and not there look the same.
 * P4  The kernel's own folders are no files of anybody's project (/proc/self/environ holds the provider's key): they are out
 *     of every root that is not itself in them.
 * P5  Neither is the runtime's own data, which has what every agent was told and said, and who may ask the server: it often lies in
 *     the very folder that agents work in.
 *
 * A hard link to a file outside cannot be told from a file; making one takes rights on the file and on the folder.
 */
import { existsSync, type Stats } from "node:fs";
import { constants, type FileHandle, lstat, open, readlink, realpath } from "node:fs/promises";
import { join } from "node:path";
import type { Rights } from "../../agent/events.ts";
import { BanyanError } from "../../base/errors.ts";
import { showName } from "../show.ts";
import { isInside, outOfRoot, pathBelow } from "./paths.ts";

/** A file or folder that was reached; it stays what it is until it is closed. */
export interface Pin extends AsyncDisposable {
  readonly stat: Stats;
  /** Reaches this very file, for as long as it is pinned. */
  readonly path: string;
  /** Where it truly is. */
  readonly real: string;
  /** For reading. Only regular files and folders (P2). */
  open(): Promise<FileHandle>;
}

export interface Root {
  /** As `pathBelow`, for this root. @throws OUT_OF_ROOT */
  below(path: string): string;
  /** @throws OUT_OF_ROOT; TOOL_FAILED when it is not there or may not be read */
  pin(below: string): Promise<Pin>;
}

/**
 * The folder that the rights name.
 * @throws OUT_OF_ROOT when they name none; TOOL_FAILED when it is not there
 */
export async function openRoot(
  { root }: Rights,
  {
    hidden,
    pinning = pinningHere,
  }: { readonly hidden?: string | undefined; readonly pinning?: Pinning | undefined } = {},
): Promise<Root> {
  if (root === undefined) throw new BanyanError("OUT_OF_ROOT", "no folder was given to this agent");
  const real = await realpath(root).catch(() => {
    throw new BanyanError("TOOL_FAILED", "the folder of this agent is not there");
  });
  return {
    below: (path) => (isInside(real, path) ? pathBelow(real, path) : pathBelow(root, path)),
    pin: (below) => pinInside(real, below, { pinning, hidden }),
  };
}

async function pinInside(
  root: string,
  below: string,
  { pinning, hidden }: { pinning: Pinning; hidden: string | undefined },
): Promise<Pin> {
  const pin = await pinning(join(root, below)).catch(async (error: NodeJS.ErrnoException) => {
    throw (await crossesLink(root, below)) ? outOfRoot(below) : failure(error, below);
  });
  const closed = hidden === undefined ? KERNEL_FOLDERS : [...KERNEL_FOLDERS, hidden];
  if (isInside(root, pin.real) && !closed.some((folder) => isInside(folder, pin.real) && !isInside(folder, root)))
    return pin;
  await pin[Symbol.asyncDispose]();
  throw outOfRoot(below);
}

const KERNEL_FOLDERS = ["/proc", "/sys", "/dev"];

/** How a path becomes a pin. Rejects with the system's error. */
export type Pinning = (path: string) => Promise<Pin>;

/**
 * Linux: an O_PATH descriptor is the file without opening it, and /proc/self/fd gives its place and opens what it is.
 * No swap of links can come between, because after the first step no path is resolved again.
 */
const pinByDescriptor: Pinning = async (path) => {
  const handle = await open(path, O_PATH);
  try {
    const own = `/proc/self/fd/${handle.fd}`;
    return {
      stat: await handle.stat(),
      path: own,
      real: await readlink(own),
      open: () => open(own, READ),
      [Symbol.asyncDispose]: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
};

/**
 * Elsewhere: the real path is opened without following links, and must be the same file in the same place afterwards. On macOS
 * that is exact. On a system that has neither way, someone who swaps folders for links fast enough could win a race.
 */
export const pinByIdentity: Pinning = async (path) => {
  const real = await realpath(path);
  const stat = await lstat(real);
  return {
    stat,
    path: real,
    real,
    open: async () => {
      const handle = await open(real, READ | constants.O_NOFOLLOW | NOFOLLOW_ANYWHERE);
      const opened = await handle.stat();
      const now = await realpath(real).catch(() => undefined);
      if (now === real && opened.ino === stat.ino && opened.dev === stat.dev) return handle;
      await handle.close();
      throw new BanyanError("OUT_OF_ROOT", "the file was moved while it was opened");
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
};

/** Linux's O_PATH, the same number on every processor that Node is built for. Node does not name it. */
const O_PATH = 0o10000000;
/** macOS's O_NOFOLLOW_ANY: fails when any part of the path is a link. */
const NOFOLLOW_ANYWHERE = process.platform === "darwin" ? 0x20000000 : 0;
/** Not waiting for a writer and not becoming a controlling terminal, should the file be none after all. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

const pinningHere = process.platform === "linux" && existsSync("/proc/self/fd") ? pinByDescriptor : pinByIdentity;

/** True when a part of the path is a link. Looked at only after a failure, to choose the words for it (P3). */
async function crossesLink(root: string, below: string): Promise<boolean> {
  let path = root;
  for (const part of below.split("/")) {
    path = join(path, part);
    const stat = await lstat(path).catch(() => undefined);
    if (!stat) return false;
    if (stat.isSymbolicLink()) return true;
  }
  return false;
}

/** Why a file cannot be had, without the true path of the root. */
export function failure(error: NodeJS.ErrnoException, below: string): BanyanError {
  if (error instanceof BanyanError) return error;
  const why = REASONS[error.code ?? ""] ?? error.code ?? "cannot be read";
  return new BanyanError("TOOL_FAILED", `${showName(below)}: ${why}`, { cause: error });
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  ENOTDIR: "there is no such file or folder",
  ENAMETOOLONG: "the name is too long",
  EACCES: "permission denied",
  EPERM: "permission denied",
};
