/**
 * Which agents a screen shows when there are more than lines. A tree of 10,000 on 40 lines must show that it is deep, that
 * it is wide, and where it is alive; what is left out is counted where it would stand. Looks at no agent but those shown and their
 * siblings, however large the tree.
 *
 * V1  Never more lines than asked for.
 * V2  Every agent is shown, or counted: in the line of an ancestor whose children are all left out, or in a line of its own.
 * V3  An agent is shown only below its shown parent, in the order of spawning.
 * V4  The choice depends on nothing that changes from frame to frame but ends and spawns, so that lines do not jump about.
 */

/** What the choice looks at: an agent of a forest, or a row and those below it. */
export interface Twig {
  /** In the order of spawning. */
  readonly children: readonly Twig[];
  /** Something of it lives. */
  readonly lives: boolean;
  readonly failed: boolean;
}

export type ShownLine<Item extends Twig> =
  | {
      readonly kind: "agent";
      readonly item: Item;
      /** For each step from the top: whether more lines of that step follow below. */
      readonly guides: readonly boolean[];
      /** None of its children is shown. */
      readonly closed: boolean;
    }
  /** Stands for the siblings that are left out at this place, with all below them. */
  | { readonly kind: "rest"; readonly items: readonly Item[]; readonly guides: readonly boolean[] };

interface Branch<Item> {
  readonly item: Item | undefined;
  /** In the order in which they are chosen: living first, then by age. Made when the branch is opened. */
  children: readonly Branch<Item>[];
  readonly order: number;
  readonly depth: number;
  /** How many of `children` are shown. */
  shown: number;
}

/** The lines for the trees of these tops. */
export function shownLines<Item extends Twig>(tops: readonly Item[], linesMax: number): ShownLine<Item>[] {
  const top: Branch<Item> = { item: undefined, children: [], order: 0, depth: -1, shown: 0 };
  choose(top, tops, linesMax);
  const lines: ShownLine<Item>[] = [];
  draw(top, [], lines);
  return lines;
}

/**
 * Shows branches one by one while there are lines. Each open branch offers its next child; the cheapest offer is taken, and
 * a child costs its depth and its place among its siblings: so the first path goes deep as fast as the top goes wide.
 * Finished subtrees come last, those that failed before the others.
 */
function choose<Item extends Twig>(top: Branch<Item>, tops: readonly Item[], linesMax: number): void {
  const open: Branch<Item>[] = [];
  const add = (branch: Branch<Item>, items: readonly Item[]) => {
    const { depth } = branch;
    branch.children = items
      .map((item, order): Branch<Item> => ({ item, children: [], order, depth: depth + 1, shown: 0 }))
      .sort((a, b) => rankOf(a) - rankOf(b) || a.order - b.order);
    if (branch.children.length > 0) open.push(branch);
  };
  add(top, tops);
  let lines = restLines(top, 0);
  while (open.length > 0) {
    const best = linesMax === Number.POSITIVE_INFINITY ? open.length - 1 : cheapest(open);
    const parent = open[best] as Branch<Item>;
    const child = parent.children[parent.shown] as Branch<Item>;
    const more = 1 + restLines(parent, parent.shown + 1) - restLines(parent, parent.shown);
    if (lines + more <= linesMax) {
      lines += more;
      parent.shown += 1;
      if (parent.shown === parent.children.length) open.splice(best, 1);
      add(child, (child.item?.children ?? []) as readonly Item[]);
      continue;
    }
    open.splice(best, 1);
  }
}

function cheapest(open: readonly Branch<Twig>[]): number {
  let best = 0;
  for (let i = 1; i < open.length; i++) if (priceOf(open[i]) < priceOf(open[best])) best = i;
  return best;
}

/** The forest has no line of its own to count in, so what is left out of it always takes one. */
function restLines({ item, children }: Branch<Twig>, shown: number): number {
  return shown < children.length && (shown > 0 || !item) ? 1 : 0;
}

/** 0 while something of it lives, then failed, then otherwise ended. */
function rankOf({ item }: Branch<Twig>): number {
  if (!item || item.lives) return 0;
  return item.failed ? 1 : 2;
}

const RANK_PRICE = 1_000_000;

function priceOf(branch: Branch<Twig> | undefined): number {
  const child = branch?.children[branch.shown];
  if (!branch || !child) return Number.POSITIVE_INFINITY;
  return child.depth + branch.shown + rankOf(child) * RANK_PRICE;
}

function draw<Item extends Twig>(branch: Branch<Item>, guides: readonly boolean[], lines: ShownLine<Item>[]): void {
  const shown = branch.children.slice(0, branch.shown).sort((a, b) => a.order - b.order);
  const rest = branch.children.slice(branch.shown).flatMap(({ item }) => (item ? [item] : []));
  shown.forEach((child, index) => {
    const follows = index < shown.length - 1 || rest.length > 0;
    const below = [...guides, follows];
    const closed = child.shown === 0 && child.children.length > 0;
    if (child.item) lines.push({ kind: "agent", item: child.item, guides: below, closed });
    draw(child, below, lines);
  });
  if (restLines(branch, branch.shown) > 0) lines.push({ kind: "rest", items: rest, guides: [...guides, false] });
}
