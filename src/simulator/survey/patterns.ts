/** What the survey searches for. Both patterns are in the subset that RE2 and JavaScript read alike. */
import type { Match } from "./results.ts";

/** Open markers. The brackets keep this file from finding itself. */
export const OPEN_MARKERS = String.raw`\b(?:FIXM[E]|TOD[O])\b`;

const NAME = String.raw`([A-Za-z_$][\w$]*)`;

/** Definitions that other files can use, by what the line starts with. One anchor for all: an engine gives up early. */
const INDENTED = [
  String.raw`export\s+(?:(?:abstract|async|declare|default)\s+)*(?:function\s*\*?|class|const|let|var|interface|type|enum|namespace)\s+${NAME}`,
  String.raw`export\s+(?:type\s+)?\{([^}]*)\}`,
  String.raw`(?:module\.)?exports\.${NAME}\s*=`,
  String.raw`pub\s+(?:async\s+)?(?:fn|struct|enum|trait|const|static|type|mod)\s+(\w+)`,
];
const AT_THE_MARGIN = [
  String.raw`(?:async\s+)?def\s+([A-Za-z]\w*)`,
  String.raw`class\s+([A-Za-z]\w*)\s*(?:\([^)]*\))?:`,
  String.raw`func\s+(?:\([^)]*\)\s*)?([A-Z]\w*)`,
];
export const EXPORTS = `^(?:\\s*(?:${INDENTED.join("|")})|${AT_THE_MARGIN.join("|")})`;

const EXPORT = new RegExp(EXPORTS);

/** The names that a matching line exports; of a list in braces, those on the line. */
export function exportedNames({ text }: Match): string[] {
  const groups = EXPORT.exec(text)?.slice(1) ?? [];
  const found = groups.find((group) => group !== undefined);
  if (found === undefined) return [];
  const names = found.split(",").map((each) => each.trim().split(/\s+/).at(-1) ?? "");
  return names.filter((name) => name !== "");
}
