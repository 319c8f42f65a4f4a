/** What is in a folder, and what is below it, in the order of code units. */

import type { Dirent } from "node:fs";
import { opendir } from "node:fs/promises";
import { BanyanError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { showName } from "../show.ts";
import { failure, type Pin, type Root } from "./pin.ts";

/** `link` is never followed from here; `special` is a FIFO, a socket or a device and never opened. */
export type Kind = "folder" | "file" | "link" | "special";

export interface Entry {
  readonly name: string;
  readonly kind: Kind;
}

/**
 * All entries, sorted by name.
 * @throws CONTENT_TOO_LARGE over `entriesMax` entries
 */
export async function readFolder(
  pin: Pin,
  below: string,
  signal: AbortSignal,
  entriesMax: number = LIMITS.folderEntriesMax,
): Promise<Entry[]> {
  const entries: Entry[] = [];
  try {
    for await (const entry of await opendir(pin.path, { bufferSize: 256 })) {
      signal.throwIfAborted();
      if (entries.length === entriesMax) {
        throw new BanyanError("CONTENT_TOO_LARGE", `${showName(below)} has over ${entriesMax} entries`);
      }
      entries.push({ name: entry.name, kind: kindOf(entry) });
    }
  } catch (error) {
    signal.throwIfAborted();
    throw failure(error as NodeJS.ErrnoException, below);
  }
  return entries.sort((a, b) => compare(a.name, b.name));
}

export interface Walk {
  /** Whether to go into folders inside the folder. */
  readonly recursive: boolean;
  /** Folders and files after which it ends. */
  readonly visitsMax: number;
  readonly signal: AbortSignal;
}

export type Found = { readonly file: string } | { readonly unreadable: string } | { readonly stoppedBefore: string };

/**
 * The regular files below a folder, by path, and the folders that could not be read. Links are not followed, so that nothing
 * is met twice and no circle is walked.
 */
export async function* filesBelow(root: Root, start: string, walk: Walk): AsyncGenerator<Found> {
  const { recursive, visitsMax, signal } = walk;
  const waiting: { path: string; kind: Kind }[] = [{ path: start, kind: "folder" }];
  for (let visits = 0, next = waiting.pop(); next; visits++, next = waiting.pop()) {
    if (visits === visitsMax) {
      yield { stoppedBefore: next.path };
      return;
    }
    if (next.kind === "file") {
      yield { file: next.path };
      continue;
    }
    const folder = next.path;
    const entries = await entriesOf(root, folder, signal);
    if (!entries) yield { unreadable: folder };
    const wanted = (entries ?? []).filter(({ kind }) => kind === "file" || (kind === "folder" && recursive));
    // The last is met first. A folder sorts as if its name ended in a slash: files then come in the order of their paths.
    wanted.sort((a, b) => compare(sortName(b), sortName(a)));
    for (const { name, kind } of wanted) waiting.push({ path: folder === "." ? name : `${folder}/${name}`, kind });
    // What lies deeper than the visits that are left is never met.
    waiting.splice(0, waiting.length - visitsMax);
  }
}

async function entriesOf(root: Root, folder: string, signal: AbortSignal): Promise<Entry[] | undefined> {
  try {
    await using pin = await root.pin(folder);
    return await readFolder(pin, folder, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof BanyanError) return undefined;
    throw error;
  }
}

function sortName({ name, kind }: Entry): string {
  return kind === "folder" ? `${name}/` : name;
}

/** Order of UTF-16 code units, the same on every machine. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function kindOf(entry: Dirent): Kind {
  if (entry.isDirectory()) return "folder";
  if (entry.isFile()) return "file";
  return entry.isSymbolicLink() ? "link" : "special";
}
