/**
 * Which files of a work tree are not kept: what `.gitignore` files say, then `.banyanignore` in the folder itself, over what is never
 * wanted: other people's code, and files that hold secrets, which must not be copied about.
 */
import { constants, open } from "node:fs/promises";
import ignore, { type Ignore } from "ignore";
import { LIMITS } from "../../base/limits.ts";
import type { HeldFolder } from "./held-folder.ts";

/** A `!` line in `.banyanignore` or `.gitignore` takes one of these back. */
const DEFAULTS = ["node_modules", ".env", ".env.*", "!.env.example", "*.pem", "id_rsa", "id_ed25519", ".DS_Store"];

export interface IgnoreRules {
  /** `path` is below the root; a folder's files are not asked for when it is ignored. */
  ignores(path: string, isFolder: boolean): boolean;
  /** With the rules that stand in a folder below. */
  within(folder: HeldFolder, path: string): Promise<IgnoreRules>;
}

interface Level {
  /** Paths are matched relative to it; empty for the root. */
  readonly prefix: string;
  readonly rules: Ignore;
}

export async function ignoreRules(root: HeldFolder): Promise<IgnoreRules> {
  const levels: Level[] = [{ prefix: "", rules: ignore().add(DEFAULTS) }];
  for (const file of [".gitignore", ".banyanignore"]) {
    const text = await readRules(root, file);
    if (text) levels.push({ prefix: "", rules: ignore().add(text) });
  }
  return of(levels);
}

function of(levels: readonly Level[]): IgnoreRules {
  return {
    ignores(path, isFolder) {
      for (const { prefix, rules } of levels.toReversed()) {
        const { ignored, unignored } = rules.test(`${path.slice(prefix.length)}${isFolder ? "/" : ""}`);
        if (ignored || unignored) return ignored;
      }
      return false;
    },
    async within(folder, path) {
      const text = await readRules(folder, ".gitignore");
      return text ? of([...levels, { prefix: `${path}/`, rules: ignore().add(text) }]) : of(levels);
    },
  };
}

async function readRules(folder: HeldFolder, name: string): Promise<string | undefined> {
  const handle = await open(folder.at(name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    () => undefined,
  );
  if (!handle) return undefined;
  try {
    const { size, isFile } = await handle.stat().then((stat) => ({ size: stat.size, isFile: stat.isFile() }));
    if (!isFile || size > LIMITS.ignoreFileBytesMax) return undefined;
    return await handle.readFile("utf8");
  } finally {
    await handle.close();
  }
}
