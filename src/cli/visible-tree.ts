/** The lines of a screen, chosen from rows that are all at hand. Where they are not, the process that has them chooses (`overview`). */
import type { OverviewLine } from "../server/contract/overview.ts";
import type { TreeRow } from "../server/contract/tree.ts";
import { restOf } from "../server/rest.ts";
import { shownLines } from "../server/shown-lines.ts";

export interface RowTwig {
  readonly row: TreeRow;
  readonly children: readonly RowTwig[];
  readonly lives: boolean;
  readonly failed: boolean;
}

/** Lines for rows whose parents come before them. A row whose parent is not among them stands at the top. */
export function visibleLines(rows: Iterable<TreeRow>, linesMax: number): OverviewLine[] {
  return shownLines(plant(rows), linesMax).map((line) => {
    const guides = [...line.guides];
    if (line.kind === "agent") return { kind: "agent", row: line.item.row, closed: line.closed, guides };
    return { kind: "rest", ...restOf(line.items.map(({ row }) => [row.status, row.subtree.agents])), guides };
  });
}

function plant(rows: Iterable<TreeRow>): RowTwig[] {
  const tops: RowTwig[] = [];
  const below = new Map<string, RowTwig[]>();
  for (const row of rows) {
    const children: RowTwig[] = [];
    const twig = { row, children, lives: row.subtree.live > 0, failed: row.status === "failed" };
    ((row.parentId === null ? undefined : below.get(row.parentId)) ?? tops).push(twig);
    below.set(row.id, children);
  }
  return tops;
}
