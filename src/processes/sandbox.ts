/**
 * A program in a sandbox, by bubblewrap (Debian's package `bubblewrap`, Linux): what stands before it in its arguments.
 *
 * B1  It sees the system's programs and libraries, its agent's folder, and what was named; no home, no other folder, no environment but
 *     its own. Banyan's data is hidden even where it lies in that folder.
 * B2  It writes to its agent's folder, to its own home and to a /tmp of its own, which go with it.
 * B3  It has no network unless it was given one.
 * B4  It sees no process but its own, has no capabilities, and everything in it ends with its first process: what cleans its environment
 *     and leaves its group too.
 * B5  Where that cannot be had nothing runs.
 */
import { execFile } from "node:child_process";
import { existsSync, readlinkSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { relative } from "node:path";
import type { Rights } from "../agent/events.ts";
import { BanyanError } from "../base/errors.ts";

/** What programs of any language need of /etc; no more of it, because keys and passwords are there too. */
const ETC = [
  ...["alternatives", "ca-certificates", "ca-certificates.conf", "group", "host.conf", "hosts", "ld.so.cache"],
  ...["ld.so.conf", "ld.so.conf.d", "localtime", "mime.types", "nsswitch.conf", "os-release", "passwd", "protocols"],
  ...["resolv.conf", "services", "ssl", "timezone"],
].map((name) => `/etc/${name}`);
const SYSTEM = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];

export interface SandboxParts {
  readonly rights: Rights;
  /** Where the program runs; may be a path that is good for this moment only. */
  readonly cwd: string;
  /** Its home. */
  readonly scratch: string;
  /** Folders that it must not see, wherever they are. */
  readonly hidden: readonly string[];
}

/** The arguments before those of the program itself. @throws SANDBOX_NONE */
export async function sandboxed({ rights, cwd, scratch, hidden }: SandboxParts, path: string): Promise<string[]> {
  const { sandbox, root } = rights;
  if (!sandbox || root === undefined) throw new BanyanError("SANDBOX_NONE", "a sandbox needs a folder");
  const bwrap = await findBubblewrap(path);
  const folder = await realpath(root);
  const place = await realpath(cwd);
  if (hidden.some((each) => isWithin(each, folder) && isWithin(folder, each)))
    throw new BanyanError("SANDBOX_NONE", "the agent's folder is where Banyan keeps its data");
  const within = await Promise.all(hidden.map((each) => realpath(each).catch(() => each)));
  return [
    ...[bwrap, "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"],
    ...(sandbox.network ? [] : ["--unshare-net"]),
    ...["--die-with-parent", "--cap-drop", "ALL", "--hostname", "sandbox"],
    ...SYSTEM.flatMap(shown),
    ...ETC.flatMap((each) => ["--ro-bind-try", each, each]),
    ...["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"],
    ...sandbox.readable.flatMap((each) => ["--ro-bind-try", each, each]),
    ...["--bind", folder, folder, "--bind", scratch, scratch],
    ...within.filter((each) => mayShow(each, [folder, ...sandbox.readable])).flatMap((each) => ["--tmpfs", each]),
    ...["--chdir", place, "--"],
  ];
}

/** A program that a sandbox does not show cannot be started in it, though the host has it. @throws TOOL_FAILED */
export function mustBeShown(file: string, { root = "", sandbox }: Rights): void {
  const places = [...SYSTEM, ...(sandbox?.readable ?? []), root];
  if (places.some((place) => place !== "" && isWithin(place, file))) return;
  const why = "its sandbox does not show it; name its folder in `readable`";
  throw new BanyanError("TOOL_FAILED", `${JSON.stringify(file.slice(0, 200))} did not start: ${why}`);
}

let found: { path: string; is: Promise<string> } | undefined;

/** B5: looked for and tried once. */
function findBubblewrap(path: string): Promise<string> {
  if (found?.path !== path) found = { path, is: tryBubblewrap(path) };
  return found.is;
}

async function tryBubblewrap(path: string): Promise<string> {
  const bwrap = path
    .split(":")
    .map((folder) => `${folder}/bwrap`)
    .find((each) => existsSync(each));
  if (process.platform !== "linux" || !bwrap) {
    throw new BanyanError("SANDBOX_NONE", "there is no `bwrap` on this machine's PATH");
  }
  const args = ["--ro-bind", "/", "/", "--proc", "/proc", "--unshare-pid", "--unshare-net", "--cap-drop", "ALL"];
  const said = await new Promise<string | undefined>((resolve) => {
    execFile(bwrap, [...args, "true"], { timeout: 10_000 }, (error, _, stderr) => {
      resolve(error ? stderr.trim() || error.message : undefined);
    });
  });
  if (said === undefined) return bwrap;
  throw new BanyanError("SANDBOX_NONE", `bubblewrap does not work here: ${said.slice(0, 500)}`);
}

/** As it is here: /bin is a link into /usr on most systems. */
function shown(place: string): string[] {
  try {
    return ["--symlink", readlinkSync(place), place];
  } catch {
    return ["--ro-bind-try", place, place];
  }
}

function mayShow(place: string, folders: readonly string[]): boolean {
  return folders.some((folder) => isWithin(folder, place)) && existsSync(place);
}

function isWithin(folder: string, place: string): boolean {
  const below = relative(folder, place);
  return below === "" || (!below.startsWith("..") && !below.startsWith("/"));
}
