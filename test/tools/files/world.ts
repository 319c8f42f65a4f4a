/** A folder to work in, and beside it what must never be seen. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export const SECRET = "SECRET-OUTSIDE-THE-ROOT";

export interface World extends Disposable {
  /** The agent's folder, canonical. */
  readonly root: string;
  /** Beside it; holds `secret.txt` and `folder/secret.txt`. */
  readonly outside: string;
  /** Writes files below the root. */
  write(files: Readonly<Record<string, string | Uint8Array>>): void;
}

export function makeWorld(files: Readonly<Record<string, string | Uint8Array>> = {}): World {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "banyan-test-")));
  const root = join(base, "root");
  const outside = join(base, "outside");
  mkdirSync(root);
  put(outside, { "secret.txt": SECRET, "folder/secret.txt": SECRET });
  // A neighbour whose path begins like the root's.
  put(`${root}-neighbour`, { "secret.txt": SECRET });
  put(root, files);
  return {
    root,
    outside,
    write: (more) => put(root, more),
    [Symbol.dispose]: () => rmSync(base, { recursive: true, force: true }),
  };
}

function put(folder: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  mkdirSync(folder, { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}
