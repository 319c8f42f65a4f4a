/** Keeping what stands in a folder: every entry is looked at, and files that are not known as they are now are read. */
import type { BigIntStats } from "node:fs";
import { constants, lstat, open, readdir, readlink } from "node:fs/promises";
import { BanyanError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { BlobInfo, Blobs } from "../../blobs/blobs.ts";
import type { TreeEntry } from "../tree-text.ts";
import { type HeldFolder, holdIn, holdRoot } from "./held-folder.ts";
import { type IgnoreRules, ignoreRules } from "./ignore-rules.ts";

/** What a file was when it was read: while it is that still, its content is known. */
export interface KnownFile extends BlobInfo {
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  /** It may have changed since without its times telling: they grow in steps. */
  readonly isFresh: boolean;
  /** When its content was put, in milliseconds since the epoch. */
  readonly putTime: number;
}

export type KnownFiles = Map<string, KnownFile>;

/** Which folder is never gone into: that of the data itself. */
export interface Identity {
  readonly dev: bigint;
  readonly ino: bigint;
}

export interface Scan {
  readonly entries: TreeEntry[];
  readonly known: KnownFiles;
  readonly bytes: number;
  readonly left: number;
}

export interface ScanOptions {
  readonly blobs: Blobs;
  readonly known: KnownFiles;
  readonly except: Identity | undefined;
  /** Of now, in milliseconds since the epoch. */
  readonly now: number;
}

/** Names of files that are being put back: they are nobody's. */
export const TEMPORARY_PREFIX = ".banyan-restore-";

/** @throws TOOL_FAILED, CONTENT_TOO_LARGE, DISK_FAILED */
export async function scan(root: string, options: ScanOptions): Promise<Scan> {
  await using folder = await holdRoot(root);
  const scanner = new Scanner(root, options);
  await scanner.visit(folder, "", await ignoreRules(folder), 0);
  return scanner;
}

/** A clock's steps, and what machines that share a disk may differ by. */
const STEP_NS = 100_000_000n;

class Scanner implements Scan {
  readonly entries: TreeEntry[] = [];
  readonly known: KnownFiles = new Map();
  bytes = 0;
  left = 0;
  readonly #root: string;
  readonly #options: ScanOptions;

  constructor(root: string, options: ScanOptions) {
    this.#root = root;
    this.#options = options;
  }

  async visit(folder: HeldFolder, prefix: string, rules: IgnoreRules, depth: number): Promise<void> {
    const names = await readdir(folder.path);
    for (const name of names.sort()) {
      if (name === ".git" || name.startsWith(TEMPORARY_PREFIX)) continue;
      const stat = await lstat(folder.at(name), { bigint: true }).catch(() => undefined);
      // It went meanwhile.
      if (!stat) continue;
      const path = prefix + name;
      if (rules.ignores(path, stat.isDirectory())) continue;
      if (name.includes("\uFFFD")) this.left += 1;
      else if (stat.isDirectory()) await this.#folder(folder, name, { path, stat, rules, depth });
      else if (stat.isFile()) await this.#file(folder, name, { path, stat });
      else if (stat.isSymbolicLink()) await this.#link(folder, name, path);
      else this.left += 1;
    }
  }

  async #folder(
    parent: HeldFolder,
    name: string,
    { path, stat, rules, depth }: { path: string; stat: BigIntStats; rules: IgnoreRules; depth: number },
  ): Promise<void> {
    const { except } = this.#options;
    if (except && stat.dev === except.dev && stat.ino === except.ino) return;
    if (depth >= LIMITS.workTreeDepthMax) {
      this.left += 1;
      return;
    }
    const folder = await holdIn(parent, name).catch(() => undefined);
    if (!folder) {
      this.left += 1;
      return;
    }
    try {
      this.#add({ kind: "folder", path, mode: permissions(stat) });
      await this.visit(folder, `${path}/`, await rules.within(folder, path), depth + 1);
    } finally {
      await folder[Symbol.asyncDispose]();
    }
  }

  async #file(folder: HeldFolder, name: string, { path, stat }: { path: string; stat: BigIntStats }): Promise<void> {
    const known = this.#options.known.get(path);
    const isKnown = known && !known.isFresh && isUnchanged(known, stat) && this.#isThere(known);
    const found = isKnown ? known : await this.#read(folder, name, stat);
    if (!found) {
      this.left += 1;
      return;
    }
    this.known.set(path, found);
    this.bytes += found.bytes;
    if (this.bytes > LIMITS.workTreeBytesMax) this.#tooLarge(`over ${LIMITS.workTreeBytesMax} bytes`);
    this.#add({ kind: "file", path, mode: permissions(stat), bytes: found.bytes, digest: found.digest });
  }

  async #link(folder: HeldFolder, name: string, path: string): Promise<void> {
    const target = await readlink(folder.at(name)).catch(() => undefined);
    if (target === undefined || target.includes("\uFFFD")) this.left += 1;
    else this.#add({ kind: "link", path, target });
  }

  /** Undefined for a file that is not to be kept: too large, or not to be read. */
  async #read(folder: HeldFolder, name: string, stat: BigIntStats): Promise<KnownFile | undefined> {
    if (stat.size > BigInt(LIMITS.workTreeFileBytesMax)) return undefined;
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const handle = await open(folder.at(name), flags).catch(() => undefined);
    if (!handle) return undefined;
    try {
      const before = await handle.stat({ bigint: true });
      if (!before.isFile() || before.size > BigInt(LIMITS.workTreeFileBytesMax)) return undefined;
      const { digest, bytes } = await this.#options.blobs.put(await handle.readFile());
      const { ino, size, mtimeNs, ctimeNs } = before;
      const newest = mtimeNs > ctimeNs ? mtimeNs : ctimeNs;
      const isFresh = newest > BigInt(Math.floor(this.#options.now)) * 1_000_000n - STEP_NS;
      return { digest, bytes, ino, size, mtimeNs, ctimeNs, isFresh, putTime: this.#options.now };
    } finally {
      await handle.close();
    }
  }

  /** A collection may have removed what was put long ago, if nobody came to refer to it. */
  #isThere({ putTime }: KnownFile): boolean {
    return Math.abs(this.#options.now - putTime) < LIMITS.blobRememberedMsMax;
  }

  #add(entry: TreeEntry): void {
    this.entries.push(entry);
    if (this.entries.length > LIMITS.workTreeFilesMax) this.#tooLarge(`over ${LIMITS.workTreeFilesMax} files`);
  }

  #tooLarge(why: string): never {
    throw new BanyanError("CONTENT_TOO_LARGE", `${this.#root} has ${why} to keep: ignore some in .banyanignore`);
  }
}

export function isUnchanged(known: KnownFile, stat: BigIntStats): boolean {
  const { ino, size, mtimeNs, ctimeNs } = known;
  return stat.ino === ino && stat.size === size && stat.mtimeNs === mtimeNs && stat.ctimeNs === ctimeNs;
}

function permissions({ mode }: BigIntStats): number {
  return Number(mode & 0o777n);
}
