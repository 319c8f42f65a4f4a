/** What the tools told about one folder, counted. */
import { languageOf } from "./languages.ts";
import { exportedNames } from "./patterns.ts";
import type { Listing, Match } from "./results.ts";
import { ordered, type Totals } from "./totals.ts";

export interface FolderFacts {
  readonly listing: Listing;
  /** Lines by file name; absent where they are not known. */
  readonly lines: ReadonlyMap<string, number>;
  readonly exports: { readonly count: number; readonly matches: readonly Match[] };
  readonly fixmes: { readonly count: number; readonly matches: readonly Match[] };
  readonly missing: readonly { readonly path: string; readonly why: string }[];
}

const TEXT_LENGTH_MAX = 60;

/** The folder alone: one agent, one level, without its subfolders. */
export function totalsOf({ listing, lines, exports, fixmes, missing }: FolderFacts): Totals {
  const languages: Totals["languages"] = {};
  let [bytes, lineCount, unread] = [0, 0, 0];
  for (const file of listing.files) {
    const language = languageOf(file.name);
    const known = lines.get(file.name);
    const sum = languages[language] ?? { files: 0, bytes: 0, lines: 0 };
    languages[language] = { files: sum.files + 1, bytes: sum.bytes + file.bytes, lines: sum.lines + (known ?? 0) };
    bytes += file.bytes;
    lineCount += known ?? 0;
    if (known === undefined && language !== "Binary") unread++;
  }
  const names = exports.matches.flatMap(exportedNames);
  return ordered({
    agents: 1,
    levels: 1,
    folders: 1,
    files: listing.files.length,
    bytes,
    lines: lineCount,
    unread,
    languages,
    largest: listing.files.map(({ name, bytes }) => ({ path: name, bytes, lines: lines.get(name) ?? 0 })),
    exports: { count: names.length + exports.count - exports.matches.length, first: names },
    fixmes: {
      count: fixmes.count,
      first: fixmes.matches.map(({ path, line, text }) => ({ path: baseName(path), line, text: shortened(text) })),
    },
    missing: { count: missing.length, first: [...missing] },
  });
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function shortened(text: string): string {
  return text.trim().slice(0, TEXT_LENGTH_MAX).toWellFormed();
}
