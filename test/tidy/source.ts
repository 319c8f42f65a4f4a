/** A file as the tidy rules see it: parsed, so that no string or comment can pass for code. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, posix, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { type Comment, type Program, parseSync, Visitor, type VisitorObject } from "oxc-parser";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Where our own text lives: everything but what is installed, built or recorded. */
const FOLDERS = [".ci", "bench", "bin", "docs", "examples", "scripts", "sim", "src", "test"];
const NOT_OURS = new Set(["node_modules", "dist", "golden", "package-lock.json"]);
const TEXT = /\.(ts|tsx|mjs|js|md|json|sh|yml|yaml|css|html)$|^(run|LICENSE)$/;
const CODE = /\.(ts|tsx|mjs|js)$/;

interface Link {
  /** As written: `../base/ids.ts`, `node:fs` or `zod`. */
  readonly specifier: string;
  /** The file it names, from the root of the repository; absent for packages. */
  readonly target: string | undefined;
  /** `import`: loaded with the file; `lazy`: by `import()`; `url`: named for a worker; `type`: not loaded. */
  readonly how: "import" | "lazy" | "url" | "type";
  /** Where the specifier stands in the text. */
  readonly start: number;
  readonly line: number;
}

export interface Source {
  /** From the root of the repository, with slashes. */
  readonly path: string;
  readonly text: string;
  /** Absent when the file is not code. */
  readonly program: Program | undefined;
  readonly comments: readonly Comment[];
  readonly links: readonly Link[];
  lineAt(offset: number): number;
}

/** Every text file of ours, code and not. */
export function readSources(): Source[] {
  const top = readdirSync(ROOT, { withFileTypes: true }).filter((entry) => entry.isFile() && TEXT.test(entry.name));
  const paths = [...top.map((entry) => entry.name), ...FOLDERS.flatMap((folder) => listFiles(join(ROOT, folder)))];
  return paths
    .filter((path) => !path.split("/").some((part) => NOT_OURS.has(part)))
    .map((path) => parseSource(path, readFileSync(join(ROOT, path), "utf8")));
}

/** Our folders and what stands in them, such as `sim`, `src/agent` and `src/index.ts`. */
export function listTree(): string[] {
  const tops = FOLDERS.filter((folder) => existsSync(join(ROOT, folder)));
  return tops.flatMap((folder) => [folder, ...readdirSync(join(ROOT, folder)).map((name) => `${folder}/${name}`)]);
}

function listFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && TEXT.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join("/"));
}

/** @throws when the code does not parse: a rule that sees nothing would find nothing. */
export function parseSource(path: string, text: string): Source {
  const starts = lineStarts(text);
  const lineAt = (offset: number) => starts.findLastIndex((start) => start <= offset) + 1;
  if (!CODE.test(path)) return { path, text, program: undefined, comments: [], links: [], lineAt };
  const { program, comments, errors } = parseSync(path, text);
  if (errors[0]) throw new Error(`${path}: ${errors[0].message}`);
  return { path, text, program, comments, links: linksOf(path, program, lineAt), lineAt };
}

export function visit(source: Source, visitor: VisitorObject): void {
  if (source.program) new Visitor(visitor).visit(source.program);
}

function lineStarts(text: string): number[] {
  return [0, ...Array.from(text.matchAll(/\n/g), (match) => match.index + 1)];
}

function linksOf(path: string, program: Program, lineAt: (offset: number) => number): Link[] {
  const links: Link[] = [];
  const add = (node: { value: unknown; start: number }, how: Link["how"]) => {
    if (typeof node.value !== "string") return;
    const specifier = node.value;
    const target = /^\.\.?\//.test(specifier) ? posix.join(posix.dirname(path), specifier) : undefined;
    links.push({ specifier, target, how, start: node.start, line: lineAt(node.start) });
  };
  new Visitor({
    ImportDeclaration: (node) => add(node.source, node.importKind === "type" ? "type" : "import"),
    ExportAllDeclaration: (node) => add(node.source, node.exportKind === "type" ? "type" : "import"),
    ExportNamedDeclaration: (node) => node.source && add(node.source, node.exportKind === "type" ? "type" : "import"),
    ImportExpression: (node) => node.source.type === "Literal" && add(node.source, "lazy"),
    TSImportType: (node) => add(node.source, "type"),
    NewExpression({ callee, arguments: [first, base] }) {
      // `new URL("./x.ts", import.meta.url)` names a file as well: a worker's, most often.
      const isUrl = callee.type === "Identifier" && callee.name === "URL" && base !== undefined;
      if (isUrl && first?.type === "Literal") add(first, "url");
    },
  }).visit(program);
  return links;
}
