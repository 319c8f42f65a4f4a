/** An archive in memory, and journals that move everything there as soon as it is written. */
import { BanyanError } from "../../../src/base/errors.ts";
import type { ArchiveStore } from "../../../src/journal/archive.ts";
import type { Journal } from "../../../src/journal/journal.ts";
import type { JournalWorld } from "../../conformance/journal-world.ts";
import { type SqliteWorld, sqliteWorld } from "./world.ts";

const PLACE = "shelf";

export class MemoryArchive implements ArchiveStore {
  readonly parts = new Map<string, Uint8Array>();
  /** Called before each access; it may throw. */
  before: (what: "put" | "get", key: string) => void = () => undefined;

  async put(place: string, key: string, bytes: Uint8Array): Promise<void> {
    this.before("put", key);
    this.parts.set(`${place}/${key}`, bytes);
  }

  async get(place: string, key: string): Promise<Uint8Array> {
    this.before("get", key);
    const bytes = this.parts.get(`${place}/${key}`);
    if (!bytes) throw new BanyanError("OBJECT_NOT_FOUND", `no ${place}/${key}`);
    return bytes;
  }
}

export interface ArchivedWorld extends SqliteWorld {
  readonly archive: MemoryArchive;
}

export async function archivedWorld(): Promise<ArchivedWorld> {
  const archive = new MemoryArchive();
  const world = await sqliteWorld({ archive });
  return { ...world, archive };
}

/** Each append is followed by the move of all that its agents have. */
export async function movingWorld(): Promise<JournalWorld> {
  const world = await archivedWorld();
  return {
    open: async () => moving(await world.open()),
    dispose: () => world.dispose(),
  };
}

function moving(journal: Journal): Journal {
  return new Proxy(journal, {
    get(target, name) {
      if (name === "append") {
        return async (appends: Parameters<Journal["append"]>[0]) => {
          await target.append(appends);
          // A journal that is closed meanwhile moves nothing, which is as good.
          for (const { agent } of appends) await moveOut(target, agent).catch(ignoreShutdown);
        };
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** Moves what agents have, and says how many parts that made. */
export async function moveOut(journal: Journal, ...agents: [string, ...string[]]): Promise<number> {
  return (await Array.fromAsync(archivingOf(journal).moveOut(agents[0], agents, PLACE))).length;
}

export function archivingOf(journal: Journal) {
  if (!journal.archiving) throw new Error("this journal does not archive");
  return journal.archiving;
}

function ignoreShutdown(error: unknown): void {
  if ((error as BanyanError).code !== "SHUTTING_DOWN") throw error;
}
