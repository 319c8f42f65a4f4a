/** The archives of a data folder: one in the folder itself, and whatever other places its trees were moved to. */
import { join } from "node:path";
import { BanyanError } from "../base/errors.ts";
import type { AgentId } from "../base/ids.ts";
import { bytesOf, type Objects } from "../blobs/objects.ts";
import {
  type ArchivableTree,
  type ArchiveCheck,
  type ArchivedTree,
  type ArchiveOutcome,
  archivedTrees,
  archiveTrees,
  bringTreeBack,
  checkArchives,
  type Leftovers,
  OWN_PLACE,
} from "../checkpoints/archives.ts";
import type { ArchiveStore, Archiving } from "../journal/archive.ts";
import { type Environment, objectPlace, openObjects } from "./object-store.ts";
import type { Runtime } from "./open.ts";

const FOLDER = "archive";

/** Opens each place when it is first needed. */
export class ArchivePlaces implements ArchiveStore {
  readonly #folder: string;
  readonly #environment: Environment;
  readonly #opened = new Map<string, Promise<Objects>>();

  constructor(folder: string, environment: Environment) {
    this.#folder = folder;
    this.#environment = environment;
  }

  async put(place: string, key: string, bytes: Uint8Array): Promise<void> {
    await (await this.#open(place)).put(key, bytes);
  }

  async get(place: string, key: string): Promise<Uint8Array> {
    return bytesOf((await this.#open(place)).get(key));
  }

  /** @throws CONFIG_INVALID, DISK_FAILED */
  #open(place: string): Promise<Objects> {
    const path = place === OWN_PLACE ? join(this.#folder, FOLDER) : place;
    const found =
      this.#opened.get(place) ??
      openObjects(path, { environment: this.#environment, region: this.#environment.AWS_REGION });
    this.#opened.set(place, found);
    found.catch(() => this.#opened.delete(place));
    return found;
  }
}

export interface ArchiveRuntimeOptions {
  /** Only this tree, which must have ended. Otherwise all that have. */
  readonly root?: AgentId | undefined;
  /** Only trees in which nothing has happened for so long. */
  readonly idleMs?: number | undefined;
  /** A folder or a bucket's address; without it the archive in the data folder. */
  readonly place?: string | undefined;
  readonly dryRun?: boolean | undefined;
  readonly shrink?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** @throws INPUT_INVALID (a tree that has not ended), CONFIG_INVALID (the place), the signal's reason, DISK_FAILED, SHUTTING_DOWN */
export async function archiveRuntime(runtime: Runtime, options: ArchiveRuntimeOptions = {}): Promise<ArchiveOutcome> {
  const { root, idleMs = 0, place, dryRun, shrink, signal } = options;
  const outcome = await archiveTrees({
    ...{ archiving: archivingOf(runtime), leftovers: leftoversOf(runtime), dryRun, shrink, signal },
    trees: root === undefined ? endedTrees(runtime, idleMs) : [treeOf(runtime, root)],
    place: place === undefined ? OWN_PLACE : objectPlace(place, runtime.folder),
  });
  for (const { root: of, error } of outcome.failed) runtime.faults.note(of, error);
  return outcome;
}

/** @throws INPUT_INVALID, JOURNAL_DAMAGED, STORE_FAILED, STORE_DENIED, DISK_FAILED, SHUTTING_DOWN */
export function restoreArchived(runtime: Runtime, root: AgentId): Promise<ArchivedTree> {
  return bringTreeBack({ archiving: archivingOf(runtime), leftovers: leftoversOf(runtime) }, root);
}

/** Of one tree, or of all; nothing where the journal has no archive. */
export function listArchived({ services }: Runtime, root?: AgentId): ReturnType<typeof archivedTrees> {
  return services.journal.archiving ? archivedTrees(services.journal.archiving, root) : [];
}

/** @throws the signal's reason */
export function checkArchived(runtime: Runtime, signal?: AbortSignal): Promise<ArchiveCheck> {
  return checkArchives(archivingOf(runtime), signal);
}

function archivingOf({ services }: Runtime): Archiving {
  if (!services.journal.archiving) throw new BanyanError("CONFIG_INVALID", "this journal has no archive");
  return services.journal.archiving;
}

function treeOf({ coordinator }: Runtime, root: AgentId): ArchivableTree {
  const node = coordinator.forest.get(root);
  if (!node) throw new BanyanError("AGENT_NOT_FOUND", `no agent ${root}`, { agent: root });
  if (node.parent) throw new BanyanError("INPUT_INVALID", "whole trees are archived: name the root", { agent: root });
  if (node.subtree.live > 0) {
    const what = `${node.subtree.live} of its agents have not ended`;
    throw new BanyanError("INPUT_INVALID", `the tree cannot be archived: ${what}`, { agent: root });
  }
  return { root, agents: [...coordinator.forest.subtree(root)].map(({ agent }) => agent) };
}

function* endedTrees(runtime: Runtime, idleMs: number): Generator<ArchivableTree> {
  const { forest } = runtime.coordinator;
  const before = runtime.services.clock.now() - idleMs;
  for (const { agent, subtree } of forest.roots()) {
    if (subtree.live > 0) continue;
    const isIdle = [...forest.subtree(agent)].every(({ head }) => head.time <= before);
    if (isIdle) yield treeOf(runtime, agent);
  }
}

function leftoversOf({ folder }: Runtime): Leftovers {
  const open = () => openObjects(join(folder, FOLDER));
  return {
    async *keys(root) {
      for await (const { key } of (await open()).list(`${root}/`)) yield key;
    },
    remove: async (key) => (await open()).delete(key),
  };
}
