/**
 * The package carries built `.js` files, and the compiler rewrites imports alone: a file that is named in any other way must
 * take its ending from the file that names it.
 */
import { type Finding, placeOf, type Rule } from "../rule.ts";
import { type Source, visit } from "../source.ts";

export const built: Rule = {
  name: "files are found in the built package too",
  check: checkBuilt,
  bad: [
    ["src/journal/a.ts", 'new Worker(new URL("./writer.ts", import.meta.url));'],
    ["src/journal/a.ts", "const folder = `${here}/writer.ts`; fork(folder);"],
    ["src/journal/a.ts", 'import.meta.resolve("./writer.ts");'],
  ],
  good: [
    ["src/journal/a.ts", "new Worker(new URL(`./writer${extname(import.meta.filename)}`, import.meta.url));"],
    ["src/journal/a.ts", 'import { b } from "./b.ts"; export * from "./c.ts"; await import("./d.ts"); // see ./e.ts'],
    ["src/simulator/a.ts", 'const languages = { ".ts": "TypeScript" }; type B = import("./b.ts").B;'],
    ["test/a.test.ts", 'new URL("./writer.ts", import.meta.url);'],
  ],
};

const NAMES_A_FILE = /^\.{0,2}\/.*\.ts$/;

function checkBuilt(source: Source): Finding[] {
  if (placeOf(source.path).top !== "src") return [];
  const imported = new Set(source.links.filter(({ how }) => how !== "url").map(({ start }) => start));
  const findings: Finding[] = [];
  const find = (text: unknown, start: number) => {
    if (typeof text !== "string" || !NAMES_A_FILE.test(text) || imported.has(start)) return;
    const message = `${text} is a .js file once built: end it with extname(import.meta.filename)`;
    findings.push({ path: source.path, line: source.lineAt(start), message });
  };
  visit(source, {
    Literal: (node) => find(node.value, node.start),
    TemplateElement: (node) => find(node.value.cooked, node.start),
  });
  return findings;
}
