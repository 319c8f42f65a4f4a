/**
 * The dashboard's files as they were built, read whole when the server starts: what is asked for is looked up among them, so that no path of a
 * request ever reaches the disk.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { extname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { BanyanError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";

export interface PageFile {
  readonly bytes: Buffer;
  readonly type: string;
  readonly etag: string;
  /** Its name changes with its bytes, so that it may be kept. */
  readonly isLasting: boolean;
}

/** By the path under which each is asked for, such as `/` and `/assets/index-B4cd.js`. */
export type PageFiles = ReadonlyMap<string, PageFile>;

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".webmanifest": "application/manifest+json",
};

/** No script but its own files, no frame around it, and nothing from anywhere else. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Where this installation has the dashboard: beside the compiled server, or where a source clone builds it. */
export function pageFolder(): string {
  const isSource = import.meta.filename.endsWith(".ts");
  return fileURLToPath(new URL(isSource ? "../../dist/web" : "../web", import.meta.url));
}

/** Empty when there is no such folder: the dashboard was not built. @throws CONFIG_INVALID when it is too large to be one */
export function readPage(folder: string): PageFiles {
  const files = new Map<string, PageFile>();
  let bytesLeft = LIMITS.pageBytesMax;
  for (const path of filesIn(folder)) {
    const type = TYPES[extname(path)];
    if (type === undefined) continue;
    const bytes = readFileSync(join(folder, path));
    bytesLeft -= bytes.length;
    if (bytesLeft < 0) throw new BanyanError("CONFIG_INVALID", `${folder} is larger than a dashboard can be`);
    const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
    const name = `/${path.split(sep).join("/")}`;
    files.set(name === "/index.html" ? "/" : name, { bytes, type, etag, isLasting: name.startsWith("/assets/") });
  }
  return files;
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  } catch {
    return [];
  }
}
