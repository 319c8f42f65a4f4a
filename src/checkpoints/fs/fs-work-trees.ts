/** Work trees as folders of the file system. What was read of them is remembered, so that keeping a tree again reads what changed. */
import { stat } from "node:fs/promises";
import type { Clock } from "../../base/clock.ts";
import { asBanyanError, BanyanError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Blobs, Digest } from "../../blobs/blobs.ts";
import { treeText } from "../tree-text.ts";
import {
  contentsOf,
  contentsOfTree,
  type RestoredTree,
  readTree,
  type SavedTree,
  type WorkTrees,
} from "../work-trees.ts";
import { restoreTree } from "./tree-restore.ts";
import { type Identity, type KnownFiles, scan } from "./tree-scan.ts";

export interface FsWorkTreesOptions {
  readonly blobs: Blobs;
  readonly clock: Clock;
  /** A folder that is part of no work tree, wherever it stands: that of the data. */
  readonly except: string;
}

export function openFsWorkTrees(options: FsWorkTreesOptions): WorkTrees {
  return new FsWorkTrees(options);
}

class FsWorkTrees implements WorkTrees {
  readonly #options: FsWorkTreesOptions;
  /** By root, the least recently used first. */
  readonly #known = new Map<string, KnownFiles>();
  /** One at a time for a folder. */
  readonly #busy = new Map<string, Promise<unknown>>();

  constructor(options: FsWorkTreesOptions) {
    this.#options = options;
  }

  save(root: string, before?: Digest): Promise<SavedTree> {
    return this.#alone(root, async () => {
      const { blobs, clock } = this.#options;
      const known = this.#known.get(root) ?? new Map();
      const found = await scan(root, { blobs, known, except: await this.#except(), now: clock.now() });
      this.#remember(root, found.known);
      const { digest: tree } = await blobs.put(Buffer.from(treeText(found.entries)));
      const contents = contentsOf(found.entries);
      // One that cannot be read any more is as good as none: then all contents are new.
      const old = before && before !== tree ? await contentsOfTree(blobs, before).catch(() => undefined) : undefined;
      const added = before === tree ? [] : [...contents].filter((digest) => !old?.has(digest));
      const files = found.entries.filter(({ kind }) => kind === "file").length;
      return { tree, files, bytes: found.bytes, left: found.left, added };
    });
  }

  restore(root: string, tree: Digest, now: Digest): Promise<RestoredTree> {
    return this.#alone(root, async () => {
      const { blobs } = this.#options;
      const [target, present] = [await readTree(blobs, tree), await readTree(blobs, now)];
      const known = this.#known.get(root) ?? new Map();
      return await restoreTree(root, { blobs, target, now: present, known });
    });
  }

  async #except(): Promise<Identity | undefined> {
    return stat(this.#options.except, { bigint: true }).catch(() => undefined);
  }

  #remember(root: string, known: KnownFiles): void {
    this.#known.delete(root);
    this.#known.set(root, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > LIMITS.workTreesKnownMax && oldest !== undefined) this.#known.delete(oldest);
  }

  async #alone<T>(root: string, work: () => Promise<T>): Promise<T> {
    const before = this.#busy.get(root);
    const mine = (async () => {
      await before?.catch(() => undefined);
      return await work();
    })();
    this.#busy.set(root, mine);
    try {
      return await mine;
    } catch (error) {
      throw failureOf(root, error);
    } finally {
      if (this.#busy.get(root) === mine) this.#busy.delete(root);
    }
  }
}

/** What the system says of the work tree is no failure of the data's disk. */
function failureOf(root: string, error: unknown): BanyanError {
  if (error instanceof BanyanError) return error;
  if (error instanceof Error && "syscall" in error) {
    return new BanyanError("TOOL_FAILED", `the files in ${root}: ${error.message}`, { cause: error });
  }
  return asBanyanError(error);
}
