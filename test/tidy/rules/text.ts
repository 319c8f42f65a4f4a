/**
 * What may not stand in any text of ours.
 *
 * T1  No marker of unfinished work. In code only comments count; a word in backticks is mentioned, not meant.
 * T2  No path of someone's machine.
 */
import { type Finding, isCode, type Rule } from "../rule.ts";
import type { Source } from "../source.ts";

const MARKER = /\b(TODO|FIXME|XXX|HACK)\b/g;
/** `me` is nobody: a sample may be someone's. */
const MACHINE_PATH = /(?<![\w.~/-])\/(work|root|(home|Users)(?!\/me\b))\/[\w.-]+/g;

export const markers: Rule = {
  name: "no unfinished work is left behind",
  check: (source) => {
    const texts = isCode(source)
      ? source.comments.map(({ value, start }) => ({ text: value, offset: start }))
      : [{ text: source.text, offset: 0 }];
    return texts.flatMap(({ text, offset }) =>
      findAll(source, withoutMentions(text), MARKER, offset, (marker) => `${marker}: finish it, or open an issue`),
    );
  },
  bad: [
    ["src/agent/a.ts", "// TODO: finish"],
    ["src/agent/a.ts", "/**\n * Adds.\n * FIXME later\n */"],
    ["docs/a.md", "XXX write this"],
    [".ci/run", "# HACK"],
  ],
  good: [
    [
      "src/simulator/a.ts",
      'const marker = /FIXME|TODO/; const says = "TODO"; // counts `FIXME` marks, that is, FIXMEs',
    ],
    ["docs/a.md", "The map lists open `TODO` marks."],
  ],
};

export const machinePaths: Rule = {
  name: "no path of someone's machine",
  check: (source) =>
    findAll(source, source.text, MACHINE_PATH, 0, (path) => `${path}: make it relative, or take it from the caller`),
  bad: [
    ["docs/a.md", `See ${["", "work", "main"].join("/")}.`],
    ["src/agent/a.ts", `const folder = "${["", "root", "data"].join("/")}";`],
    ["scripts/a.ts", `// ${["", "home", "anna"].join("/")}`],
  ],
  good: [["docs/a.md", "The folder `src/home/` and https://example.org/home/x and ./root/x, or /home/me/x."]],
};

function withoutMentions(text: string): string {
  return text.replace(/`[^`\n]*`/g, (mention) => " ".repeat(mention.length));
}

function findAll(
  source: Source,
  text: string,
  pattern: RegExp,
  offset: number,
  say: (found: string) => string,
): Finding[] {
  return Array.from(text.matchAll(pattern), (match) => ({
    path: source.path,
    line: source.lineAt(offset + match.index),
    message: say(match[0]),
  }));
}
