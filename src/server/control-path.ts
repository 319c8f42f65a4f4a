/**
 * Where the control socket of a data folder is. In the folder itself, unless its path is too long for a socket's address: then
 * in a private temporary folder, and a file in the data folder says where.
 *
 * A1  Only the user who owns the data can reach the socket: it has mode 0600, and a temporary folder for it 0700.
 */
import { chmod, lstat, mkdtemp, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";

const SOCKET = "control.sock";
/** Holds the socket's path, where it is elsewhere. */
const POINTER = "control.path";
const TEMPORARY = "banyan-control-";
/** Bytes of a socket's path: `sun_path` of Linux holds 108 and of macOS 104, a final zero included. */
const PATH_BYTES_MAX = 103;

/** The path at which to listen. What stood there before is removed: the caller has made sure that nobody listens. */
export async function makeSocketPath(folder: string): Promise<string> {
  await removeSocketPath(folder);
  const direct = join(resolve(folder), SOCKET);
  if (Buffer.byteLength(direct) <= PATH_BYTES_MAX) return direct;
  const elsewhere = join(await mkdtemp(join(tmpdir(), TEMPORARY)), SOCKET);
  await writeFile(join(folder, POINTER), `${elsewhere}\n`, { mode: 0o600 });
  return elsewhere;
}

/** The path of the socket, if there is one that belongs to this user. It may be a dead process's. */
export async function findSocketPath(folder: string): Promise<string | undefined> {
  const path = await recordedPath(folder);
  const found = await lstat(path).catch(() => undefined);
  const isOurs = found?.uid === process.getuid?.();
  return found?.isSocket() && isOurs ? path : undefined;
}

/** Removes the socket and what was made for it. Harmless when there is none. */
export async function removeSocketPath(folder: string): Promise<void> {
  const path = await findSocketPath(folder);
  if (path !== undefined) await rm(path, { force: true });
  const recorded = await recordedPath(folder);
  const isTemporary = basename(dirname(recorded)).startsWith(TEMPORARY);
  // Only an empty folder goes: whatever else is in there is not ours.
  if (isTemporary) await rmdir(dirname(recorded)).catch(() => undefined);
  await rm(join(folder, POINTER), { force: true });
}

/** A1. */
export async function makePrivate(socketPath: string): Promise<void> {
  await chmod(socketPath, 0o600);
}

async function recordedPath(folder: string): Promise<string> {
  const recorded = await readFile(join(folder, POINTER), "utf8").catch(() => "");
  return recorded.trim() || join(resolve(folder), SOCKET);
}
