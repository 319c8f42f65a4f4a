/** What a survey hands over: the map of a folder, the root's page for people, and the report that a parent adds up. */
import { countTokens } from "../tokens.ts";
import { type Totals, totals } from "./totals.ts";

export interface SubfolderMap {
  readonly path: string;
  readonly own: Totals;
  readonly subtree: Totals;
  readonly subfolders: readonly { readonly folder: string; readonly totals: Totals }[];
  readonly links: number;
  readonly skipped: readonly string[];
}

/** Share of an answer's tokens that a map may take; the rest is for the call around it. */
const SHARE = 0.8;
const SUBFOLDERS_MAX = 200;
/** A report reaches the parent inside another JSON text, which must stay below what is shown whole (8 KiB). */
const REPORT_BYTES_MAX = 5_000;

/** The artifact `map.json`. Subfolders that do not fit an answer of that many tokens are left out, the smallest first, and counted. */
export function folderMap({ path, own, subtree, subfolders, links, skipped }: SubfolderMap, tokensMax: number): string {
  const bySize = subfolders.toSorted((a, b) => b.totals.bytes - a.totals.bytes);
  return fitting(tokensMax, (most) => {
    const shown = new Set(bySize.slice(0, most).map(({ folder }) => folder));
    const rows = subfolders
      .filter(({ folder }) => shown.has(folder))
      .map(({ folder, totals }) => ({
        folder,
        ...scalars(totals),
      }));
    const fields = Object.entries({
      path,
      links,
      skipped,
      own,
      subtree,
      subfoldersLeftOut: subfolders.length - rows.length,
    });
    const lines = fields.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
    const list = rows.map((row) => `\n${JSON.stringify(row)}`).join(",");
    return `{\n${lines.join(",\n")},\n"subfolders":[${list}]\n}\n`;
  });
}

/** The artifact `map.md`: the whole tree for people. */
export function rootPage({ subtree, subfolders }: SubfolderMap, tokensMax: number): string {
  const bySize = subfolders.toSorted((a, b) => b.totals.bytes - a.totals.bytes);
  return fitting(tokensMax, (most) =>
    [
      "# Map of the source tree",
      sentence(".", subtree),
      "## Languages",
      table(
        ["language", "files", "lines", "bytes"],
        Object.entries(subtree.languages).map(([name, { files, lines, bytes }]) => [name, files, lines, bytes]),
      ),
      "## Folders",
      table(
        ["folder", "agents", "levels", "files", "lines", "bytes", "exports", "open markers"],
        bySize
          .slice(0, most)
          .map(({ folder, totals: of }) => [
            folder,
            of.agents,
            of.levels,
            of.files,
            of.lines,
            of.bytes,
            of.exports.count,
            of.fixmes.count,
          ]),
      ),
      ...(subfolders.length > most ? [`${subfolders.length - most} smaller folders are not shown.`] : []),
      "## Largest files",
      table(
        ["file", "lines", "bytes"],
        subtree.largest.map(({ path, lines, bytes }) => [path, lines, bytes]),
      ),
      `## Exported names: ${subtree.exports.count}`,
      subtree.exports.first.join(", "),
      `## Open markers: ${subtree.fixmes.count}`,
      subtree.fixmes.first.map(({ path, line, text }) => `- ${path}:${line}: ${text}`).join("\n"),
      `## Missing: ${subtree.missing.count}`,
      subtree.missing.first.map(({ path, why }) => `- ${path}: ${why}`).join("\n"),
    ]
      .filter((part) => part !== "")
      .join("\n\n"),
  );
}

/** An agent's final words: a sentence for people, and its totals for its parent. */
export function report(path: string, subtree: Totals, failures: readonly string[]): string {
  const notes = failures.map((failure) => `${failure}\n`).join("");
  return `${sentence(path, subtree)}\n${notes}\n\`\`\`json\n${JSON.stringify(slim(subtree))}\n\`\`\``;
}

/** The totals in a report; undefined when there are none in their form. */
export function parseReport(text: string): Totals | undefined {
  const json = /```json\n([^\n]+)\n```/.exec(text)?.[1];
  if (json === undefined) return undefined;
  try {
    const parsed = totals.safeParse(JSON.parse(json));
    return parsed.data;
  } catch {
    return undefined;
  }
}

/** Halves the lists until the report fits a tool result that is shown whole; the counts stay true. */
function slim(of: Totals): Totals {
  if (Buffer.byteLength(JSON.stringify(of)) <= REPORT_BYTES_MAX) return of;
  const half = <Item>(items: readonly Item[]) => items.slice(0, Math.floor(items.length / 2));
  const { largest, exports, fixmes, missing } = of;
  if (largest.length + exports.first.length + fixmes.first.length + missing.first.length === 0) return of;
  return slim({
    ...of,
    largest: half(largest),
    exports: { ...exports, first: half(exports.first) },
    fixmes: { ...fixmes, first: half(fixmes.first) },
    missing: { ...missing, first: half(missing.first) },
  });
}

function sentence(path: string, of: Totals): string {
  const missing = of.missing.count > 0 ? `; ${of.missing.count} missing` : "";
  return `Surveyed ${path}: ${of.files} files, ${of.lines} lines and ${of.bytes} bytes in ${of.folders} folders, by ${of.agents} agents on ${of.levels} levels; ${of.exports.count} exports, ${of.fixmes.count} open markers${missing}.`;
}

function scalars({ agents, levels, folders, files, bytes, lines, unread, exports, fixmes, missing }: Totals) {
  const [exported, open, lost] = [exports.count, fixmes.count, missing.count];
  return { agents, levels, folders, files, bytes, lines, unread, exports: exported, fixmes: open, missing: lost };
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const row = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  return [row(head), row(head.map(() => "---")), ...rows.map(row)].join("\n");
}

/** The longest text that fits, of those with fewer and fewer rows. It is measured as JSON, as it goes into a call. */
function fitting(tokensMax: number, render: (rowsMax: number) => string): string {
  for (let rowsMax = SUBFOLDERS_MAX; ; rowsMax = Math.floor(rowsMax / 2)) {
    const text = render(rowsMax);
    if (rowsMax === 0 || countTokens(JSON.stringify(text)) <= tokensMax * SHARE) return text;
  }
}
