/** Objects as files in a folder: written beside, synced, and linked or renamed into place. */
import { createReadStream } from "node:fs";
import { link, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { systemClock } from "../../base/clock.ts";
import { makeFolder, syncFolder } from "../../base/durable-folder.ts";
import { BanyanError } from "../../base/errors.ts";
import { createIds } from "../../base/ids.ts";
import { systemRandom } from "../../base/random.ts";
import type { Range } from "../blobs.ts";
import { type Condition, checkKey, type ObjectInfo, type Objects } from "../objects.ts";

/** No part of a key begins so: what a crash left is in nobody's way. */
const TEMPORARY = ".";

/** In `folder`, which is made. @throws DISK_FAILED */
export function openFsObjects(folder: string): Objects {
  makeFolder(folder);
  return new FsObjects(folder);
}

class FsObjects implements Objects {
  readonly #folder: string;
  readonly #name = createIds({ clock: systemClock(), random: systemRandom });

  constructor(folder: string) {
    this.#folder = folder;
  }

  async put(key: string, bytes: Uint8Array, only?: Condition): Promise<ObjectInfo | undefined> {
    const once = (async function* () {
      yield bytes;
    })();
    try {
      // A link is refused when the name is taken, which a rename is not (O2).
      return await this.#place(key, once, only ? link : rename);
    } catch (error) {
      if (only && causeOf(error) === "EEXIST") return undefined;
      throw error;
    }
  }

  putParts(key: string, parts: AsyncIterable<Uint8Array>): Promise<ObjectInfo> {
    return this.#place(key, parts, rename);
  }

  async *get(key: string, { from, to }: Range = { from: 0, to: Number.POSITIVE_INFINITY }): AsyncGenerator<Uint8Array> {
    const path = this.#pathOf(key);
    if (from >= to) {
      if (!(await this.head(key))) throw new BanyanError("OBJECT_NOT_FOUND", `no object ${key}`);
      return;
    }
    try {
      // One descriptor, so one version of the object (O3).
      yield* createReadStream(path, { start: from, end: to - 1 });
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") {
        throw new BanyanError("OBJECT_NOT_FOUND", `no object ${key}`, { cause });
      }
      throw failed(key, cause);
    }
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    return infoOf(key, this.#pathOf(key));
  }

  async delete(key: string): Promise<void> {
    const path = this.#pathOf(key);
    try {
      await rm(path, { force: true });
      await syncFolder(dirname(path));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw failed(key, cause);
    }
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo> {
    const folder = prefix.replace(/\/$/, "");
    if (folder !== "") checkKey(folder);
    yield* this.#below(folder);
  }

  async *#below(folder: string): AsyncGenerator<ObjectInfo> {
    const entries = await readdir(join(this.#folder, folder), { withFileTypes: true }).catch((cause) => {
      if (cause.code === "ENOENT") return [];
      throw failed(folder, cause);
    });
    // A folder is at the place of the keys in it: `a-b` comes before `a/b`.
    const ordered = entries
      .filter(({ name }) => !name.startsWith(TEMPORARY))
      .map((entry) => ({ entry, order: entry.isDirectory() ? `${entry.name}/` : entry.name }))
      .sort((a, b) => (a.order < b.order ? -1 : 1));
    for (const { entry } of ordered) {
      const key = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) yield* this.#below(key);
      else {
        const info = await infoOf(key, join(this.#folder, key));
        if (info) yield info;
      }
    }
  }

  /** O1. */
  async #place(
    key: string,
    content: AsyncIterable<Uint8Array>,
    move: (temporary: string, path: string) => Promise<void>,
  ): Promise<ObjectInfo> {
    const path = this.#pathOf(key);
    const temporary = join(dirname(path), `${TEMPORARY}${this.#name()}`);
    let own: unknown;
    try {
      makeFolder(dirname(path));
      const file = await open(temporary, "wx", 0o600);
      try {
        for await (const chunk of withOwn(content, (error) => {
          own = error;
        }))
          await file.writeFile(chunk);
        await file.datasync();
      } finally {
        await file.close();
      }
      await move(temporary, path);
      await syncFolder(dirname(path));
      const info = await infoOf(key, path);
      if (!info) throw new Error("it is gone");
      return info;
    } catch (cause) {
      throw own ?? (cause instanceof BanyanError ? cause : failed(key, cause));
    } finally {
      await rm(temporary, { force: true }).catch(() => undefined);
    }
  }

  #pathOf(key: string): string {
    checkKey(key);
    return join(this.#folder, key);
  }
}

async function infoOf(key: string, path: string): Promise<ObjectInfo | undefined> {
  try {
    const { size, ino, mtimeNs } = await stat(path, { bigint: true });
    return { key, bytes: Number(size), etag: `${ino.toString(36)}-${mtimeNs.toString(36)}` };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw failed(key, cause);
  }
}

/** What the content throws is told as it is: it is no failure of the store. */
async function* withOwn(
  content: AsyncIterable<Uint8Array>,
  note: (error: unknown) => void,
): AsyncGenerator<Uint8Array> {
  try {
    yield* content;
  } catch (error) {
    note(error);
    throw error;
  }
}

function failed(key: string, cause: unknown): BanyanError {
  return new BanyanError("DISK_FAILED", `the object ${key}: ${(cause as Error).message}`, { cause });
}

function causeOf(error: unknown): string | undefined {
  return ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code;
}
