/** Reads what the tools answer: listings, file heads, search matches and children's ends. */
import type { Outcome } from "./calls.ts";

export interface Listing {
  readonly folders: string[];
  readonly files: { readonly name: string; readonly bytes: number }[];
  links: number;
  entries: number;
  /** Where the listing goes on; undefined when it is whole. */
  next: number | undefined;
}

/**
 * First line `<path>: N entries`, then `d name/`, `f name bytes` or `l name`, at last `... M more; continue with offset K`. A
 * name in double quotes is JSON text.
 */
export function parseListing(text: string): Listing {
  const [head = "", ...lines] = text.split("\n");
  const listing: Listing = { folders: [], files: [], links: 0, entries: count(/: (\d+) entr/, head), next: undefined };
  for (const line of lines) {
    const more = /^\.\.\. \d+ more; continue with offset (\d+)$/.exec(line);
    const file = /^f (.+) (\d+)$/.exec(line);
    if (more) listing.next = Number(more[1]);
    else if (file?.[1]) listing.files.push({ name: shownName(file[1]), bytes: Number(file[2]) });
    else if (line.startsWith("d ")) listing.folders.push(shownName(line.slice(2).replace(/\/$/, "")));
    else if (line.startsWith("l ")) listing.links++;
  }
  return listing;
}

/** First line `<path>: lines A-B of T, N bytes`. Undefined for a binary file, and for a failed call. */
export function linesOf({ text, failed }: Outcome): number | undefined {
  const lines = failed ? null : /^.*: lines \d+-\d+ of (\d+),/.exec(text);
  return lines ? Number(lines[1]) : undefined;
}

export interface Match {
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

/** First line `N matches`, then `path:line:text`. `count` is of all, shown or not. */
export function parseMatches(text: string): { count: number; matches: Match[] } {
  const [head = "", ...lines] = text.split("\n");
  const matches = lines.flatMap((line) => {
    const match = /^(.+?):(\d+):(.*)$/.exec(line);
    return match ? [{ path: shownName(match[1] ?? ""), line: Number(match[2]), text: match[3] ?? "" }] : [];
  });
  return { count: count(/^(\d+) match/, head), matches };
}

/** How a child ended. */
export interface Ended {
  readonly name: string;
  readonly status: string;
  readonly output: string;
  readonly error: string | undefined;
}

/** A JSON array, one child a line or all in one; lines that are damaged are left out. */
export function parseEnded(text: string): Ended[] {
  const whole = parsed(text);
  const each = Array.isArray(whole) ? whole : text.split("\n").map((line) => parsed(line.replace(/,\s*$/, "")));
  return each.flatMap((value) => {
    if (typeof value !== "object" || value === null || typeof value.name !== "string") return [];
    const { name, status, output, error } = value;
    return [{ name, status: String(status), output: String(output ?? ""), error: errorText(error) }];
  });
}

/** The text in which a result that was too long for a message is replaced. */
const CUT = /\n\[cut: (\d+) bytes in total; read the rest with read_artifact ref=(sha256:[0-9a-f]{64})\]$/;

/** The reference of a result that was cut, its bytes, and what is there of it. */
export function cutOf(text: string): { head: string; bytes: number; ref: string } | undefined {
  const cut = CUT.exec(text);
  return cut?.[2] ? { head: text.slice(0, cut.index), bytes: Number(cut[1]), ref: cut[2] } : undefined;
}

function shownName(shown: string): string {
  const name = shown.startsWith('"') ? parsed(shown) : shown;
  return typeof name === "string" ? name : shown;
}

function errorText(error: unknown): string | undefined {
  if (error === undefined || error === null) return undefined;
  return typeof error === "string" ? error : JSON.stringify(error);
}

function count(pattern: RegExp, text: string): number {
  return Number(pattern.exec(text)?.[1] ?? 0);
}

function parsed(text: string) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
