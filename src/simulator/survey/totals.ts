/**
 * What a survey counts, of one folder or of a subtree, and how the counts of subfolders are added to it. This is also
 * the form in which a child reports to its parent. Lists are the first of a fixed order, so that adding them in any
 * order gives the same list.
 */
import { z } from "zod";

const count = z.int().nonnegative();

/** Paths are relative to the folder that the totals are of. */
export const totals = z.strictObject({
  agents: count,
  levels: count,
  folders: count,
  files: count,
  bytes: count,
  lines: count,
  /** Text files whose lines are not known: they vanished, or the folder has too many. */
  unread: count,
  languages: z.record(z.string(), z.strictObject({ files: count, bytes: count, lines: count })),
  largest: z.array(z.strictObject({ path: z.string(), bytes: count, lines: count })),
  exports: z.strictObject({ count, first: z.array(z.string()) }),
  fixmes: z.strictObject({
    count,
    first: z.array(z.strictObject({ path: z.string(), line: count, text: z.string() })),
  }),
  missing: z.strictObject({ count, first: z.array(z.strictObject({ path: z.string(), why: z.string() })) }),
});
export type Totals = z.infer<typeof totals>;

const LARGEST_MAX = 10;
const NAMES_MAX = 50;
const FIXMES_MAX = 20;
const MISSING_MAX = 20;

/** A folder's own totals and those of its subfolders, whose paths are given relative to it. */
export function added(own: Totals, children: readonly { readonly folder: string; readonly totals: Totals }[]): Totals {
  const parts = [own, ...children.map(({ folder, totals }) => moved(totals, folder))];
  const sum = (of: (part: Totals) => number) => parts.reduce((all, part) => all + of(part), 0);
  return ordered({
    agents: sum(({ agents }) => agents),
    levels: own.levels + Math.max(0, ...children.map(({ totals }) => totals.levels)),
    folders: sum(({ folders }) => folders),
    files: sum(({ files }) => files),
    bytes: sum(({ bytes }) => bytes),
    lines: sum(({ lines }) => lines),
    unread: sum(({ unread }) => unread),
    languages: addedLanguages(parts),
    largest: parts.flatMap(({ largest }) => largest),
    exports: { count: sum(({ exports }) => exports.count), first: parts.flatMap(({ exports }) => exports.first) },
    fixmes: { count: sum(({ fixmes }) => fixmes.count), first: parts.flatMap(({ fixmes }) => fixmes.first) },
    missing: { count: sum(({ missing }) => missing.count), first: parts.flatMap(({ missing }) => missing.first) },
  });
}

/** The same totals with every list in its order and cut to its length. */
export function ordered(of: Totals): Totals {
  const byPath = (a: { path: string; line?: number }, b: { path: string; line?: number }) =>
    compare(a.path, b.path) || (a.line ?? 0) - (b.line ?? 0);
  return {
    ...of,
    languages: Object.fromEntries(Object.entries(of.languages).sort(([a], [b]) => compare(a, b))),
    largest: of.largest.toSorted((a, b) => b.bytes - a.bytes || compare(a.path, b.path)).slice(0, LARGEST_MAX),
    exports: { ...of.exports, first: [...new Set(of.exports.first)].sort(compare).slice(0, NAMES_MAX) },
    fixmes: { ...of.fixmes, first: of.fixmes.first.toSorted(byPath).slice(0, FIXMES_MAX) },
    missing: { ...of.missing, first: of.missing.first.toSorted(byPath).slice(0, MISSING_MAX) },
  };
}

function moved(of: Totals, folder: string): Totals {
  const into = <Item extends { readonly path: string }>(items: readonly Item[]) =>
    items.map((item) => ({ ...item, path: item.path === "." ? folder : `${folder}/${item.path}` }));
  return {
    ...of,
    largest: into(of.largest),
    fixmes: { ...of.fixmes, first: into(of.fixmes.first) },
    missing: { ...of.missing, first: into(of.missing.first) },
  };
}

function addedLanguages(parts: readonly Totals[]): Totals["languages"] {
  const sum: Totals["languages"] = {};
  for (const [language, { files, bytes, lines }] of parts.flatMap((part) => Object.entries(part.languages))) {
    const known = sum[language] ?? { files: 0, bytes: 0, lines: 0 };
    sum[language] = { files: known.files + files, bytes: known.bytes + bytes, lines: known.lines + lines };
  }
  return sum;
}

/** By code units: the same on every machine. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
