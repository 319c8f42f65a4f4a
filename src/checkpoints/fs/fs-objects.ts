/** Objects as files in a folder: written beside, synced, and linked or renamed into place. */
import { createReadStream } from "node:fs";
import { link, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { systemClock } from "../../base/clock.ts";
import { makeFolder } from "../../base/durable-folder.ts";
import { BanyanError } from "../../base/errors.ts";
import { createIds } from "../../base/ids.ts";
import { systemRandom } from "../../base/random.ts";
import type { Objects } from "../objects.ts";

const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]*(\/[A-Za-z0-9_][A-Za-z0-9._-]*)*$/;
const TEMPORARY = ".part";

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

  async put(name: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#place(name, content, (temporary, path) => rename(temporary, path));
  }

  async create(name: string, content: Uint8Array): Promise<boolean> {
    const once = (async function* () {
      yield content;
    })();
    try {
      // A link is refused when the name is taken, which a rename is not (O2).
      await this.#place(name, once, (temporary, path) => link(temporary, path));
      return true;
    } catch (error) {
      const { code } = (error as BanyanError).cause as NodeJS.ErrnoException;
      if (code === "EEXIST") return false;
      throw error;
    }
  }

  async *get(name: string): AsyncGenerator<Uint8Array> {
    try {
      yield* createReadStream(this.#pathOf(name));
    } catch (cause) {
      const isAbsent = (cause as NodeJS.ErrnoException).code === "ENOENT";
      throw new BanyanError(isAbsent ? "BLOB_NOT_FOUND" : "DISK_FAILED", `the object ${name}: ${cause}`, { cause });
    }
  }

  async *list(prefix: string): AsyncGenerator<{ name: string; bytes: number }> {
    const folder = prefix.includes("/") ? dirname(`${prefix}x`) : "";
    yield* this.#below(folder, prefix);
  }

  async *#below(folder: string, prefix: string): AsyncGenerator<{ name: string; bytes: number }> {
    const entries = await readdir(join(this.#folder, folder), { withFileTypes: true }).catch(() => []);
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const name = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) yield* this.#below(name, prefix);
      else if (!name.endsWith(TEMPORARY) && name.startsWith(prefix)) {
        yield { name, bytes: (await stat(join(this.#folder, name))).size };
      }
    }
  }

  async #place(
    name: string,
    content: AsyncIterable<Uint8Array>,
    move: (temporary: string, path: string) => Promise<void>,
  ): Promise<void> {
    const path = this.#pathOf(name);
    const temporary = `${path}.${this.#name()}${TEMPORARY}`;
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const file = await open(temporary, "wx", 0o600);
      try {
        for await (const chunk of content) await file.writeFile(chunk);
        await file.datasync();
      } finally {
        await file.close();
      }
      await move(temporary, path);
      await syncFolder(dirname(path));
    } catch (cause) {
      if (cause instanceof BanyanError) throw cause;
      throw new BanyanError("DISK_FAILED", `the object ${name}: ${(cause as Error).message}`, { cause });
    } finally {
      await rm(temporary, { force: true }).catch(() => undefined);
    }
  }

  #pathOf(name: string): string {
    if (!NAME.test(name)) throw new BanyanError("INPUT_INVALID", `not a name of an object: ${name.slice(0, 80)}`);
    return join(this.#folder, name);
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
