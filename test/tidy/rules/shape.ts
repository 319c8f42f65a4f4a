/**
 * The shape of a file.
 *
 * S1  It has 400 lines at most.
 * S2  It opens with a comment that says why it exists (tests, whose titles say it, and doors of one line need none).
 * S3  Its name says what is in it, so it is not named for a heap.
 */
import { type Finding, isCode, placeOf, type Rule } from "../rule.ts";

const LINES_MAX = 400;
const HEADER_LENGTH_MIN = 20;
const HEAPS = /(^|[/.-])(utils?|helpers?|common|managers?|misc|stuff)([/.-]|$)/;

const at = (path: string, line: number, message: string): Finding[] => [{ path, line, message }];

export const length: Rule = {
  name: "files are small",
  check: (source) => {
    const lines = source.text.split("\n").length - 1;
    if (!isCode(source) || lines <= LINES_MAX) return [];
    return at(source.path, LINES_MAX, `${lines} lines: say one thing a file, in ${LINES_MAX} lines at most`);
  },
  bad: [["src/agent/a.ts", "f();\n".repeat(LINES_MAX + 1)]],
  good: [
    ["src/agent/a.ts", "f();\n".repeat(LINES_MAX)],
    ["docs/a.md", "text\n".repeat(LINES_MAX + 1)],
  ],
};

export const header: Rule = {
  name: "files say why they exist",
  check: (source) => {
    const needsOne = isCode(source) && ["src", "sim", "bench", "scripts", "bin"].includes(placeOf(source.path).top);
    const body = source.text.replace(/^#!.*\n/, "").trimStart();
    const comment = /^(\/\*\*?[\s\S]*?\*\/|(\/\/.*\n?)+)/.exec(body)?.[0] ?? "";
    if (!needsOne || comment.replace(/[/*\s]/g, "").length >= HEADER_LENGTH_MIN) return [];
    return at(source.path, 1, "open it with a comment that says why the file exists, and its invariants");
  },
  bad: [
    ["src/agent/a.ts", "export const a = 1;\n"],
    ["src/agent/a.ts", 'import { b } from "./b.ts";\n/** What follows the imports is not a header. */\n'],
    ["scripts/a.ts", "// short\nf();\n"],
  ],
  good: [
    ["src/agent/a.ts", "/** Adds what agents used. A1: never goes down. */\nexport const a = 1;\n"],
    ["bin/a.js", "#!/usr/bin/env node\n// Starts the command on\n// a Node that can run it.\nf();\n"],
    ["test/agent/a.test.ts", "f();\n"],
  ],
};

export const names: Rule = {
  name: "files are named for what they say",
  check: ({ path }) =>
    HEAPS.test(path) ? at(path, 1, "name it for what is in it; split it when no one name fits") : [],
  bad: [
    ["src/agent/utils.ts", ""],
    ["src/helpers/a.ts", ""],
    ["test/agent/spawn-helper.ts", ""],
    ["src/coordinator/session-manager.ts", ""],
  ],
  good: [
    ["src/agent/commonality.ts", ""],
    ["src/coordinator/slots.ts", ""],
  ],
};
