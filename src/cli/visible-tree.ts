/**
 * Which agents a screen shows when there are more than lines. A tree of 10,000 on 40 lines must show that it is deep, that
 * it is wide, and where it is alive; what is left out is counted where it would stand.
 *
 * V1  Never more lines than asked for.
 * V2  Every agent is shown, or counted: in the line of an ancestor whose children are all left out, or in a line of its own.
 * V3  An agent is shown only below its shown parent, in the order of spawning.
 * V4  The choice depends on nothing that changes from frame to frame but ends and spawns, so that lines do not jump about.
 */
import type { TreeRow } from "../server/contract/tree.ts";

export interface AgentLine {
  readonly kind: "agent";
  readonly row: TreeRow;
  /** For each step from the top: whether more lines of that step follow below. */
  readonly guides: readonly boolean[];
  /** None of its children is shown. */
  readonly closed: boolean;
}

/** Stands for the siblings that are left out at this place, with all below them. */
export interface RestLine {
  readonly kind: "rest";
  readonly rows: readonly TreeRow[];
  readonly guides: readonly boolean[];
}

export type TreeLine = AgentLine | RestLine;

interface Branch {
  readonly row: TreeRow | undefined;
  /** In the order in which they are chosen: living first, then by age. */
  readonly children: readonly Branch[];
  readonly order: number;
  readonly depth: number;
  /** How many of `children` are shown. */
  shown: number;
}

/** Lines for rows whose parents come before them. A row whose parent is not among them stands at the top. */
export function visibleLines(rows: Iterable<TreeRow>, linesMax: number): TreeLine[] {
  const top = plant(rows);
  choose(top, linesMax);
  const lines: TreeLine[] = [];
  draw(top, [], lines);
  return lines;
}

function plant(rows: Iterable<TreeRow>): Branch {
  const top = { row: undefined, children: [] as Branch[], order: 0, depth: -1, shown: 0 };
  const byId = new Map<string, { children: Branch[]; depth: number }>();
  let order = 0;
  for (const row of rows) {
    const parent = (row.parentId === null ? undefined : byId.get(row.parentId)) ?? top;
    const branch = { row, children: [] as Branch[], order: order++, depth: parent.depth + 1, shown: 0 };
    parent.children.push(branch);
    byId.set(row.id, branch);
  }
  return top;
}

/**
 * Shows branches one by one while there are lines. Each open branch offers its next child; the cheapest offer is taken, and
 * a child costs its depth and its place among its siblings: so the first path goes deep as fast as the top goes wide.
 * Finished subtrees come last, those that failed before the others.
 */
function choose(top: Branch, linesMax: number): void {
  const open: Branch[] = [];
  let lines = restLines(top, 0);
  const add = (branch: Branch) => {
    (branch.children as Branch[]).sort((a, b) => rankOf(a) - rankOf(b) || a.order - b.order);
    if (branch.children.length > 0) open.push(branch);
  };
  add(top);
  while (open.length > 0) {
    let best = 0;
    for (let i = 1; i < open.length; i++) if (priceOf(open[i]) < priceOf(open[best])) best = i;
    const parent = open[best] as Branch;
    const child = parent.children[parent.shown] as Branch;
    const more = 1 + restLines(parent, parent.shown + 1) - restLines(parent, parent.shown);
    if (lines + more <= linesMax) {
      lines += more;
      parent.shown += 1;
      add(child);
      if (parent.shown < parent.children.length) continue;
    }
    open.splice(open.indexOf(parent), 1);
  }
}

/** The forest has no line of its own to count in, so what is left out of it always takes one. */
function restLines({ row, children }: Branch, shown: number): number {
  return shown < children.length && (shown > 0 || !row) ? 1 : 0;
}

/** 0 while something of it lives, then failed, then otherwise ended. */
function rankOf({ row }: Branch): number {
  if (!row || row.subtree.live > 0) return 0;
  return row.status === "failed" ? 1 : 2;
}

const RANK_PRICE = 1_000_000;

function priceOf(branch: Branch | undefined): number {
  const child = branch?.children[branch.shown];
  if (!branch || !child) return Number.POSITIVE_INFINITY;
  return child.depth + branch.shown + rankOf(child) * RANK_PRICE;
}

function draw(branch: Branch, guides: readonly boolean[], lines: TreeLine[]): void {
  const shown = branch.children.slice(0, branch.shown).sort((a, b) => a.order - b.order);
  const rest = branch.children.slice(branch.shown).flatMap(({ row }) => (row ? [row] : []));
  shown.forEach((child, index) => {
    const follows = index < shown.length - 1 || rest.length > 0;
    const below = [...guides, follows];
    const closed = child.shown === 0 && child.children.length > 0;
    if (child.row) lines.push({ kind: "agent", row: child.row, guides: below, closed });
    draw(child, below, lines);
  });
  if (restLines(branch, branch.shown) > 0) lines.push({ kind: "rest", rows: rest, guides: [...guides, false] });
}
