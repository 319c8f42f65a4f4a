/**
 * The work trees port: what stands in the folder that an agent's tools write in, kept in the blobs and put back, whichever tool wrote
 * it. A tree is the digest of a text that names every file by its digest, so a tree that did not change is kept once, and so is a file.
 *
 * W1  Nothing outside the folder is read, written or removed: no link is followed.
 * W2  Nothing is overwritten or removed that was not kept first: what is ignored, too large or newer stays as it is.
 * W3  Putting back can be cut at any moment and done again: each file is the old or the new one, and in the end all are the new ones.
 * W4  The same files are the same tree, whenever and by whomever they are kept.
 */
import { BanyanError } from "../base/errors.ts";
import type { Blobs, Digest } from "../blobs/blobs.ts";
import { parseTree, type TreeEntry } from "./tree-text.ts";

export interface SavedTree {
  readonly tree: Digest;
  readonly files: number;
  /** Of the files together. */
  readonly bytes: number;
  /** Files that were left out: too large, unreadable, or of a name that is no text. Ignored ones are not counted. */
  readonly left: number;
  /** Contents that `before` does not have. */
  readonly added: readonly Digest[];
}

export interface RestoredTree {
  readonly written: number;
  readonly removed: number;
  /** What stands in the way and was not kept (W2): it was left as it is. */
  readonly spared: number;
}

export interface WorkTrees {
  /**
   * Keeps what stands in the folder; durable when it resolves. `before` is a tree kept earlier.
   * @throws TOOL_FAILED when the folder is not there, CONTENT_TOO_LARGE, DISK_FAILED
   */
  save(root: string, before?: Digest): Promise<SavedTree>;
  /**
   * Puts the folder back to a tree. `now` is what `save` has just made of it.
   * @throws TOOL_FAILED, BLOB_NOT_FOUND, BLOB_DAMAGED, DISK_FAILED; it can be done again then (W3)
   */
  restore(root: string, tree: Digest, now: Digest): Promise<RestoredTree>;
}

/** The entries of a tree, by path. @throws BLOB_NOT_FOUND, BLOB_DAMAGED */
export async function readTree(blobs: Blobs, tree: Digest): Promise<Map<string, TreeEntry>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of blobs.get(tree)) chunks.push(chunk);
  const entries = parseTree(Buffer.concat(chunks).toString("utf8"));
  if (!entries) throw new BanyanError("BLOB_DAMAGED", `${tree} is no tree of files`);
  return new Map(entries.map((entry) => [entry.path, entry]));
}

/** Every content that a tree names. @throws BLOB_NOT_FOUND, BLOB_DAMAGED */
export async function contentsOfTree(blobs: Blobs, tree: Digest): Promise<Set<Digest>> {
  return contentsOf((await readTree(blobs, tree)).values());
}

export function contentsOf(entries: Iterable<TreeEntry>): Set<Digest> {
  const digests = new Set<Digest>();
  for (const entry of entries) if (entry.kind === "file") digests.add(entry.digest);
  return digests;
}

export interface TreeChange {
  readonly path: string;
  readonly change: "added" | "changed" | "removed";
}

/** What became of files and links between two trees, by path. */
export function changesBetween(
  before: ReadonlyMap<string, TreeEntry>,
  after: ReadonlyMap<string, TreeEntry>,
): TreeChange[] {
  const changes: TreeChange[] = [];
  for (const entry of after.values()) {
    if (entry.kind === "folder") continue;
    const known = before.get(entry.path);
    if (!known) changes.push({ path: entry.path, change: "added" });
    else if (!isSame(known, entry)) changes.push({ path: entry.path, change: "changed" });
  }
  for (const { path, kind } of before.values()) {
    if (kind !== "folder" && !after.has(path)) changes.push({ path, change: "removed" });
  }
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}

export function isSame(a: TreeEntry, b: TreeEntry): boolean {
  if (a.kind === "file") return b.kind === "file" && a.digest === b.digest && a.mode === b.mode;
  if (a.kind === "link") return b.kind === "link" && a.target === b.target;
  return b.kind === "folder" && a.mode === b.mode;
}
