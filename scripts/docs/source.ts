/** What a source file says beside its values: doc comments of what it declares, and the relations it asserts. */
import { readFileSync } from "node:fs";
import { type Node, type Program, parseSync, Visitor, visitorKeys } from "oxc-parser";

interface Source {
  readonly text: string;
  readonly program: Program;
  /** The doc comment right before an offset. */
  readonly commentBefore: (offset: number) => string | undefined;
}

/** Reads a file, named from the root of the repository. */
export function readSource(path: string): Source {
  return parseSource(path, readFileSync(new URL(`../../${path}`, import.meta.url), "utf8"));
}

export function parseSource(path: string, text: string): Source {
  const { program, comments, errors } = parseSync(path, text);
  if (errors[0]) throw new Error(`${path}: ${errors[0].message}`);
  const commentBefore = (offset: number) => {
    const comment = comments.findLast(({ end }) => end <= offset);
    const isDoc = comment?.type === "Block" && comment.value.startsWith("*");
    return isDoc && text.slice(comment.end, offset).trim() === "" ? proseOf(comment.value) : undefined;
  };
  return { text, program, commentBefore };
}

/** Doc comments by dotted path: `EVENTS.turn.ended.estimated` is a property of `EVENTS["turn.ended"]`. */
export function commentsIn({ program, commentBefore }: Source): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const walk = (node: Node, path: string, start = node.start): void => {
    const name = nameOf(node);
    const here = name === undefined ? path : path === "" ? name : `${path}.${name}`;
    const comment = name === undefined ? undefined : commentBefore(start);
    if (comment) found.set(here, comment);
    // A comment stands before the whole `export const a`, not before `a`.
    const outer = node.type === "ExportNamedDeclaration" || node.type === "VariableDeclaration" ? start : undefined;
    for (const child of childrenOf(node)) walk(child, here, outer);
  };
  walk(program, "");
  return found;
}

/** The relations that the file asserts when it is loaded: the condition as it is written, and what it means. */
export function assertionsIn({ text, program }: Source): { condition: string; says: string }[] {
  const found: { condition: string; says: string }[] = [];
  new Visitor({
    CallExpression({ callee, arguments: [condition, says] }) {
      if (callee.type !== "Identifier" || callee.name !== "assert" || !condition) return;
      if (says?.type !== "Literal")
        throw new Error(`an assertion says nothing: ${text.slice(condition.start, condition.end)}`);
      found.push({ condition: text.slice(condition.start, condition.end), says: String(says.value) });
    },
  }).visit(program);
  return found;
}

function nameOf(node: Node): string | undefined {
  const named = node.type === "VariableDeclarator" ? node.id : node.type === "Property" ? node.key : undefined;
  if (named?.type === "Identifier") return named.name;
  return named?.type === "Literal" ? String(named.value) : undefined;
}

function childrenOf(node: Node): Node[] {
  const fields = node as unknown as Readonly<Record<string, Node | Node[] | null>>;
  return (visitorKeys[node.type] ?? []).flatMap((key) => fields[key] ?? []);
}

function proseOf(comment: string): string {
  return comment
    .replace(/^\s*\*+ ?/gm, "")
    .replace(/\s+/g, " ")
    .trim();
}
