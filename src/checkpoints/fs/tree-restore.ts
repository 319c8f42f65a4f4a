/**
 * Putting a folder back to a tree. First what the tree does not have is removed, then what it has is made: folders, then files and
 * links, each written beside its place, synced, and renamed into it. Doing it again does what is left to do (W3).
 */
import type { BigIntStats } from "node:fs";
import { constants, lstat, mkdir, open, readlink, rename, rmdir, symlink, unlink } from "node:fs/promises";
import type { Blobs } from "../../blobs/blobs.ts";
import type { TreeEntry } from "../tree-text.ts";
import { isSame, type RestoredTree } from "../work-trees.ts";
import { type HeldFolder, holdIn, holdRoot } from "./held-folder.ts";
import { isUnchanged, type KnownFiles, TEMPORARY_PREFIX } from "./tree-scan.ts";

export interface RestoreOptions {
  readonly blobs: Blobs;
  readonly target: ReadonlyMap<string, TreeEntry>;
  /** What was kept of the folder just now, and what its files were when they were read (W2). */
  readonly now: ReadonlyMap<string, TreeEntry>;
  readonly known: KnownFiles;
}

/** Rejects with the system's error, or that of the blobs. */
export async function restoreTree(root: string, options: RestoreOptions): Promise<RestoredTree> {
  await using folder = await holdRoot(root);
  const restorer = new Restorer(folder, options);
  await restorer.remove();
  await restorer.make();
  return restorer;
}

class Restorer implements RestoredTree {
  written = 0;
  removed = 0;
  spared = 0;
  readonly #root: HeldFolder;
  readonly #options: RestoreOptions;

  constructor(root: HeldFolder, options: RestoreOptions) {
    this.#root = root;
    this.#options = options;
  }

  /** What the tree does not have, or has as something else: the deepest first. */
  async remove(): Promise<void> {
    const { now, target } = this.#options;
    const gone = [...now.values()].filter(({ path, kind }) => target.get(path)?.kind !== kind).reverse();
    for (const entry of gone) {
      await this.#in(entry.path, async (folder, name) => {
        if (!(await this.#isKept(folder, name, entry))) {
          const isThere = await lstat(folder.at(name)).catch(() => undefined);
          if (isThere) this.spared += 1;
          return;
        }
        const isGone = await (entry.kind === "folder" ? rmdir(folder.at(name)) : unlink(folder.at(name))).then(
          () => true,
          // Something in it was not kept, or came meanwhile: it stays.
          () => false,
        );
        if (!isGone) this.spared += 1;
        else if (entry.kind !== "folder") this.removed += 1;
      });
    }
  }

  async make(): Promise<void> {
    const { now, target } = this.#options;
    for (const entry of target.values()) {
      const present = now.get(entry.path);
      if (present && isSame(present, entry)) continue;
      const isReached = await this.#in(entry.path, (folder, name) => this.#place(folder, name, entry));
      if (!isReached) this.spared += 1;
    }
    // Last, and the deepest first: a folder that may not be written in could not be filled.
    for (const entry of [...target.values()].reverse()) {
      const present = now.get(entry.path);
      if (entry.kind !== "folder" || (present && isSame(present, entry))) continue;
      await this.#in(entry.path, async (folder, name) => {
        const made = await holdIn(folder, name).catch(() => undefined);
        await made?.handle.chmod(entry.mode);
        await made?.[Symbol.asyncDispose]();
      });
    }
  }

  async #place(folder: HeldFolder, name: string, entry: TreeEntry): Promise<void> {
    const there = await lstat(folder.at(name), { bigint: true }).catch(() => undefined);
    if (entry.kind === "folder") return this.#placeFolder(folder, name, there);
    const known = this.#options.now.get(entry.path);
    // W2.
    if (there && (!known || !(await this.#isKept(folder, name, known, there)))) {
      this.spared += 1;
      return;
    }
    const temporary = folder.at(`${TEMPORARY_PREFIX}${name.slice(0, 64)}`);
    await unlink(temporary).catch(() => undefined);
    if (entry.kind === "link") await symlink(entry.target, temporary);
    else await this.#write(temporary, entry);
    await rename(temporary, folder.at(name));
    await folder.handle.sync();
    this.written += 1;
  }

  async #placeFolder(folder: HeldFolder, name: string, there: BigIntStats | undefined): Promise<void> {
    if (there && !there.isDirectory()) this.spared += 1;
    if (there) return;
    await mkdir(folder.at(name), { mode: 0o700 });
    await folder.handle.sync();
  }

  async #write(path: string, { digest, mode }: Extract<TreeEntry, { kind: "file" }>): Promise<void> {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const handle = await open(path, flags, 0o600);
    try {
      for await (const chunk of this.#options.blobs.get(digest)) await handle.write(chunk);
      await handle.chmod(mode);
      await handle.datasync();
    } finally {
      await handle.close();
    }
  }

  /** True while what stands there is what was kept of it. */
  async #isKept(folder: HeldFolder, name: string, entry: TreeEntry, stat?: BigIntStats): Promise<boolean> {
    const there = stat ?? (await lstat(folder.at(name), { bigint: true }).catch(() => undefined));
    switch (entry.kind) {
      case "folder":
        return there?.isDirectory() ?? false;
      case "link":
        return (await readlink(folder.at(name)).catch(() => undefined)) === entry.target;
      case "file": {
        const known = this.#options.known.get(entry.path);
        return there !== undefined && known !== undefined && there.isFile() && isUnchanged(known, there);
      }
    }
  }

  /** Does something in the folder that a path leads to; false when a part of the path is no folder. */
  async #in(path: string, work: (folder: HeldFolder, name: string) => Promise<void>): Promise<boolean> {
    const parts = path.split("/");
    const name = parts.pop() ?? "";
    const held: HeldFolder[] = [];
    try {
      let folder = this.#root;
      for (const part of parts) {
        const next = await holdIn(folder, part).catch(() => undefined);
        if (!next) return false;
        held.push(next);
        folder = next;
      }
      await work(folder, name);
      return true;
    } finally {
      for (const folder of held) await folder[Symbol.asyncDispose]();
    }
  }
}
