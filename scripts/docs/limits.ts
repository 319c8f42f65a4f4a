/** docs/limits.md: every bound, what it bounds, and how the bounds stand to each other. */
import { LIMITS } from "../../src/base/limits.ts";
import { code, opening, table } from "./markdown.ts";
import { assertionsIn, commentsIn, readSource } from "./source.ts";

const SOURCE = "src/base/limits.ts";

export function limitsPage(): string {
  const source = readSource(SOURCE);
  const relations = assertionsIn(source).map(({ condition, says }) => `- ${says}: ${code(condition)}`);
  return `${opening("Limits", SOURCE)}
Nothing in Banyan grows without a bound, and this is every one of them. What is over a limit waits, or is refused with
an error that names the limit.

${table(["limit", "value", "what it bounds"], rowsOf(commentsIn(source)))}

## Relations

They are checked whenever Banyan starts.

${relations.join("\n")}
`;
}

/** A limit without a comment of its own shares the row, and the comment, of the one before it. */
function rowsOf(comments: ReadonlyMap<string, string>): string[][] {
  const rows: [names: string, values: string, says: string][] = [];
  for (const [name, value] of Object.entries(LIMITS)) {
    const says = comments.get(`LIMITS.${name}`);
    const row = rows.at(-1);
    if (says) rows.push([code(name), show(name, value), says]);
    else if (row) {
      row[0] += `, ${code(name)}`;
      row[1] += `, ${show(name, value)}`;
    } else throw new Error(`${SOURCE}: the first limit has no comment`);
  }
  return rows;
}

/** The unit stands in the name. */
function show(name: string, value: number): string {
  if (/Bytes(Max|Min|Default)$/.test(name)) return inUnits(value, 1024, ["bytes", "KiB", "MiB", "GiB"]);
  if (/Ms(Max|Min|Default)$/.test(name)) return inUnits(value, 1000, ["ms", "s"]);
  return value.toLocaleString("en-US");
}

/** In the largest unit that shows it whole. */
function inUnits(value: number, step: number, [unit = "", ...larger]: readonly string[]): string {
  if (larger.length === 0 || value === 0 || value % step !== 0) return `${value.toLocaleString("en-US")} ${unit}`;
  return inUnits(value / step, step, larger);
}
