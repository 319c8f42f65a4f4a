/**
 * Archives of ended trees: their history leaves the journal's database for a folder or a bucket, and is read from there as before. An agent
 * that is taken up again appends to what it has; the next move takes that along.
 *
 * V1  A tree that cannot be moved is named, and left as it is; the others are moved.
 * V2  Nothing is taken out of a place that others may use: only what came back to the journal, and what a crash left over, and both in
 *     the data folder's own archive alone.
 */
import { BanyanError } from "../base/errors.ts";
import type { AgentId } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";
import { forSeveral } from "../base/several.ts";
import type { ArchivePart, Archiving } from "../journal/archive.ts";

/** The place that means the archive in the data folder. */
export const OWN_PLACE = "";

export interface ArchivableTree {
  readonly root: AgentId;
  readonly agents: readonly AgentId[];
}

export interface ArchivedTree {
  readonly root: AgentId;
  readonly parts: number;
  readonly records: number;
  /** Bytes of the records' bodies in the database, and of the parts that they became. */
  readonly bodyBytes: number;
  readonly bytes: number;
}

export interface ArchiveOutcome {
  /** Of a dry run those that would be moved, with no parts and no bytes. */
  readonly trees: readonly ArchivedTree[];
  readonly failed: readonly { readonly root: AgentId; readonly error: BanyanError }[];
  /** Of the database, before and after, and what stands free in it afterwards. */
  readonly databaseBytesBefore: number;
  readonly databaseBytesAfter: number;
  readonly freeBytes: number;
}

export interface ArchiveOptions {
  readonly archiving: Archiving;
  readonly trees: Iterable<ArchivableTree>;
  readonly place: string;
  readonly leftovers: Leftovers;
  readonly dryRun?: boolean | undefined;
  /** Gives the freed room back to the disk. */
  readonly shrink?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The archive in the data folder, for taking away what nobody needs. */
export interface Leftovers {
  keys(root: AgentId): AsyncIterable<string>;
  remove(key: string): Promise<void>;
}

/** @throws the signal's reason, SHUTTING_DOWN, DISK_FAILED (of the journal) */
export async function archiveTrees(options: ArchiveOptions): Promise<ArchiveOutcome> {
  const { archiving, trees, dryRun = false, shrink = false, signal } = options;
  const before = archiving.room().bytes;
  const moved: ArchivedTree[] = [];
  const failed: { root: AgentId; error: BanyanError }[] = [];
  await forSeveral(trees, LIMITS.treesArchivedAtOnceMax, async (tree) => {
    signal?.throwIfAborted();
    try {
      const there = archiving.weigh(tree.agents);
      if (there.records === 0) return;
      moved.push(dryRun ? { root: tree.root, parts: 0, bytes: 0, ...there } : await moveTree(options, tree));
    } catch (error) {
      if (!(error instanceof BanyanError) || error.code === "SHUTTING_DOWN") throw error;
      failed.push({ root: tree.root, error });
    }
  });
  if (shrink && !dryRun) await archiving.shrink();
  const { bytes, freeBytes } = archiving.room();
  return { trees: moved, failed, databaseBytesBefore: before, databaseBytesAfter: bytes, freeBytes };
}

async function moveTree(options: ArchiveOptions, { root, agents }: ArchivableTree): Promise<ArchivedTree> {
  const { archiving, place, leftovers, signal } = options;
  const parts: ArchivePart[] = [];
  for await (const part of archiving.moveOut(root, agents, place)) {
    parts.push(part);
    signal?.throwIfAborted();
  }
  if (place === OWN_PLACE) await removeLeftovers(archiving, root, leftovers);
  return sumOf(root, parts);
}

/** @throws INPUT_INVALID (nothing of it is in an archive), JOURNAL_DAMAGED, STORE_FAILED, STORE_DENIED, DISK_FAILED, SHUTTING_DOWN */
export async function bringTreeBack(
  { archiving, leftovers }: Pick<ArchiveOptions, "archiving" | "leftovers">,
  root: AgentId,
): Promise<ArchivedTree> {
  const parts = await Array.fromAsync(archiving.bringBack(root));
  if (parts.length === 0)
    throw new BanyanError("INPUT_INVALID", `nothing of ${root} is in an archive`, { agent: root });
  await removeLeftovers(archiving, root, leftovers);
  return sumOf(root, parts);
}

/** V2. */
async function removeLeftovers(archiving: Archiving, root: AgentId, leftovers: Leftovers): Promise<void> {
  const needed = new Set(archiving.parts(root).map(({ key }) => key));
  for await (const key of leftovers.keys(root)) if (!needed.has(key)) await leftovers.remove(key);
}

/** What is in archives, of one tree or of all: a row for each tree and place. */
export function archivedTrees(archiving: Archiving, of?: AgentId): (ArchivedTree & { place: string; time: number })[] {
  const groups = Map.groupBy(archiving.parts(of), ({ root, place }) => `${root} ${place}`);
  return [...groups.values()].map((parts) => {
    const [{ root, place }] = parts as [ArchivePart];
    return { ...sumOf(root, parts), place, time: Math.max(...parts.map(({ time }) => time)) };
  });
}

export interface ArchiveCheck {
  readonly parts: number;
  readonly bytes: number;
  readonly unsound: readonly {
    readonly root: AgentId;
    readonly place: string;
    readonly key: string;
    readonly what: string;
  }[];
}

/** Reads every part again. @throws the signal's reason */
export async function checkArchives(archiving: Archiving, signal?: AbortSignal): Promise<ArchiveCheck> {
  const unsound: { root: AgentId; place: string; key: string; what: string }[] = [];
  let [parts, bytes] = [0, 0];
  for (const part of archiving.parts()) {
    signal?.throwIfAborted();
    const { root, place, key } = part;
    const error = await archiving.check(part).then(
      () => undefined,
      (failure: Error) => failure,
    );
    if (error) unsound.push({ root, place, key, what: error.message });
    parts += 1;
    bytes += part.bytes;
  }
  return { parts, bytes, unsound };
}

function sumOf(root: AgentId, parts: readonly ArchivePart[]): ArchivedTree {
  const sum = { root, parts: parts.length, records: 0, bodyBytes: 0, bytes: 0 };
  for (const { records, bodyBytes, bytes } of parts) {
    sum.records += records;
    sum.bodyBytes += bodyBytes;
    sum.bytes += bytes;
  }
  return sum;
}
