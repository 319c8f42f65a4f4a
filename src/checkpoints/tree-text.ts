/** A tree of files as text: a line for each entry, sorted by path, so that the same files are the same text. */
import { type Digest, isDigest } from "../blobs/blobs.ts";

export type TreeEntry =
  | { readonly kind: "folder"; readonly path: string; readonly mode: number }
  | {
      readonly kind: "file";
      readonly path: string;
      /** Permissions. */
      readonly mode: number;
      readonly bytes: number;
      readonly digest: Digest;
    }
  | { readonly kind: "link"; readonly path: string; readonly target: string };

const FIRST_LINE = "banyan tree 1";

export function treeText(entries: readonly TreeEntry[]): string {
  const sorted = entries.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return [FIRST_LINE, ...sorted.map((entry) => JSON.stringify(valuesOf(entry)))].join("\n");
}

/** Undefined for a text that is no tree. A folder comes before what is in it. */
export function parseTree(text: string): TreeEntry[] | undefined {
  const [first, ...lines] = text.split("\n");
  if (first !== FIRST_LINE) return undefined;
  const entries: TreeEntry[] = [];
  for (const line of lines) {
    const entry = entryOf(line);
    if (!entry) return undefined;
    entries.push(entry);
  }
  return entries;
}

function valuesOf(entry: TreeEntry): unknown[] {
  switch (entry.kind) {
    case "folder":
      return ["d", entry.path, entry.mode];
    case "file":
      return ["f", entry.path, entry.mode, entry.bytes, entry.digest];
    case "link":
      return ["l", entry.path, entry.target];
  }
}

function entryOf(line: string): TreeEntry | undefined {
  try {
    const [kind, path, ...rest]: unknown[] = JSON.parse(line);
    if (typeof path !== "string" || !isBelow(path)) return undefined;
    if (kind === "l") return typeof rest[0] === "string" ? { kind: "link", path, target: rest[0] } : undefined;
    const [mode, bytes, digest] = rest;
    if (!isMode(mode)) return undefined;
    if (kind === "d") return { kind: "folder", path, mode };
    const isFile = kind === "f" && Number.isSafeInteger(bytes) && isDigest(digest);
    return isFile ? { kind: "file", path, mode, bytes: bytes as number, digest: digest as Digest } : undefined;
  } catch {
    return undefined;
  }
}

function isMode(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 0o777;
}

/** True for a path of names below a folder: whatever a damaged or forged text says, nothing above is reached. */
function isBelow(path: string): boolean {
  return !path.includes("\0") && path.split("/").every((name) => name !== "" && name !== "." && name !== "..");
}
