/** The tree of agents as a terminal shows it: `banyan run` and `banyan top` draw it again and again, `banyan tree` once. */
import { STATUSES } from "../agent/status.ts";
import { addUsage, NO_USAGE, promptTokens, type Usage } from "../agent/usage.ts";
import type { Overview, OverviewLine, Total } from "../server/contract/overview.ts";
import type { TreeRow } from "../server/contract/tree.ts";
import { restOf } from "../server/rest.ts";
import { compact, dollars, plural } from "./figures.ts";
import { LOOK, type Paint, painter, type Style } from "./look.ts";
import { cut, displayWidth, oneLine, padTo } from "./terminal.ts";
import { visibleLines } from "./visible-tree.ts";

export interface TreeView {
  /** Columns of the terminal; no line is longer. */
  readonly columns: number;
  /** Lines to fill at most, the two of the heading included. */
  readonly rows: number;
  readonly colour: boolean;
}

/**
 * The tree as text, without a line end behind it. Turns, tokens and cost of a line include all agents below it. Where there
 * are more agents than lines, finished subtrees go first, and what is left out is counted.
 */
export function renderTree(rows: Iterable<TreeRow>, view: TreeView): string {
  const all = [...rows];
  return renderOverview({ lines: visibleLines(all, linesFor(view)), total: totalOf(all) }, view);
}

/** Lines that are left for agents. */
export function linesFor({ rows }: Pick<TreeView, "rows">): number {
  return Math.max(0, rows - HEADING_LINES);
}

const HEADING_LINES = 2;

/** The same for an overview of `linesFor` lines. */
export function renderOverview(
  { lines: shown, total }: Pick<Overview, "lines" | "total">,
  { columns, rows: lines, colour }: TreeView,
): string {
  const paint = painter(colour);
  if (total.agents === 0) return paint("dim", cut("no agents yet", columns));
  const layout = layoutFor(columns, shown);
  const heading = paint(
    "dim",
    layout
      .map(({ title, width, align }) => padTo(title, width, align))
      .join(" ")
      .trimEnd(),
  );
  const body = shown.map((line) =>
    line.kind === "agent" ? agentLine(line, layout, paint) : restLine(line, columns, paint),
  );
  return [summaryLine(total, columns, paint), heading, ...body].slice(0, Math.max(1, lines)).join("\n");
}

/** Symbol and word, and what a waiting agent waits for. */
function statusText({ status, waitingFor }: Pick<TreeRow, "status" | "waitingFor">): string {
  const wait = status === "waiting" && waitingFor ? ` ${waitingFor === "rateLimit" ? "rate limit" : waitingFor}` : "";
  return `${LOOK[status].symbol} ${status}${wait}`;
}

/** One that Claude Code's own Agent tool asked for shows its type. */
function nameOf({ name, subagent }: Pick<TreeRow, "name" | "subagent">): string {
  return oneLine(subagent === undefined ? name : `${name} (${subagent})`);
}

function tokensOf(usage: Usage): number {
  return promptTokens(usage) + usage.output;
}

interface Column {
  readonly title: string;
  readonly width: number;
  readonly align: "left" | "right";
  readonly of: (row: TreeRow) => string;
  readonly style?: (row: TreeRow) => Style;
}

const FIGURES: readonly Column[] = [
  { title: "LVL", width: 3, align: "right", of: ({ level }) => String(level) },
  { title: "STATUS", width: 20, align: "left", of: statusText, style: ({ status }) => LOOK[status].style },
  { title: "TURNS", width: 6, align: "right", of: ({ subtree }) => compact(subtree.turns) },
  { title: "TOKENS", width: 6, align: "right", of: ({ subtree }) => compact(tokensOf(subtree.usage)) },
  { title: "COST", width: 8, align: "right", of: ({ subtree }) => dollars(subtree.costUsd) },
];
/** What is given up first in a narrow terminal. */
const DISPENSABLE = ["LVL", "TURNS", "TOKENS", "COST", "STATUS"];
const NAME_WIDTH_MIN = 12;
const NAME_WIDTH_MAX = 48;
const ACTIVITY_WIDTH_MIN = 12;
/** Of a name deep in a tree, however many guides stand before it. */
const NAME_SHOWN_MIN = 8;

/** The name's column takes what its longest line needs, the activity's what is left. */
function layoutFor(columns: number, lines: readonly OverviewLine[]): Column[] {
  let figures = FIGURES;
  const taken = () => figures.reduce((sum, { width }) => sum + width + 1, 0);
  for (const title of DISPENSABLE) {
    if (columns - taken() >= NAME_WIDTH_MIN) break;
    figures = figures.filter((column) => column.title !== title);
  }
  const wanted = Math.max(4, ...lines.map((line) => nameWidthOf(line)));
  const room = Math.max(1, columns - taken());
  const forName = Math.min(wanted, NAME_WIDTH_MAX, room);
  const left = room - forName - 1;
  const nameWidth = left >= ACTIVITY_WIDTH_MIN ? forName : Math.min(wanted, room);
  const name: Column = { title: "AGENT", width: nameWidth, align: "left", of: ({ name }) => name };
  const activity: Column = {
    title: "DOING",
    width: left,
    align: "left",
    of: doing,
    style: ({ status }) => (status === "failed" ? "red" : "dim"),
  };
  return [name, ...figures, ...(left >= ACTIVITY_WIDTH_MIN ? [activity] : [])];
}

function nameWidthOf(line: OverviewLine): number {
  const guides = (line.guides.length - 1) * 2;
  if (line.kind === "rest") return guides;
  return guides + displayWidth(nameOf(line.row)) + (line.closed ? belowText(line.row).length : 0);
}

function doing({ error, activity, status }: TreeRow): string {
  if (error) return oneLine(`${error.code}: ${error.message}`);
  return activity === status ? "" : oneLine(activity);
}

function agentLine(
  { row, guides, closed }: Extract<OverviewLine, { kind: "agent" }>,
  layout: readonly Column[],
  paint: Paint,
): string {
  const [name, ...others] = layout;
  const nameWidth = name?.width ?? 0;
  const below = closed && nameWidth >= NAME_SHOWN_MIN ? belowText(row) : "";
  const wanted = Math.min(displayWidth(nameOf(row) + below), Math.max(NAME_SHOWN_MIN, Math.floor(nameWidth / 2)));
  const branch = cut(guideText(guides, nameWidth - wanted), Math.max(0, nameWidth - below.length));
  const named = cut(nameOf(row), Math.max(0, nameWidth - displayWidth(branch + below)));
  const space = " ".repeat(Math.max(0, nameWidth - displayWidth(branch + named + below)));
  const cells = others.map(({ of, width, align, style }, index) => {
    const isLast = index === others.length - 1 && align === "left";
    const text = isLast ? cut(of(row), width) : padTo(of(row), width, align);
    return style ? paint(style(row), text) : text;
  });
  const shownName = row.level === 0 ? paint("bold", named) : named;
  return [paint("dim", branch) + shownName + paint("dim", below) + space, ...cells].join(" ");
}

/** How many agents below it are not shown. */
function belowText({ subtree }: TreeRow): string {
  return ` +${compact(subtree.agents - 1)}`;
}

function restLine(
  { count, agents, byStatus, guides }: Extract<OverviewLine, { kind: "rest" }>,
  columns: number,
  paint: Paint,
): string {
  const branch = guideText(guides, Math.floor(columns / 3));
  const below = agents > count ? ` (${plural(agents, "agent")} with those below)` : "";
  const text = `… ${count} more: ${countsOf(byStatus)}${below}`;
  return paint("dim", cut(branch + text, columns));
}

/** The lines that join a name to its parent; in a deep tree the outer ones are cut off. */
function guideText(guides: readonly boolean[], width: number): string {
  const steps = guides.slice(1).map((follows, index, all) => {
    const isOwn = index === all.length - 1;
    return isOwn ? (follows ? "├ " : "└ ") : follows ? "│ " : "  ";
  });
  if (steps.length * 2 <= width) return steps.join("");
  const kept = Math.max(1, Math.floor(width / 2) - 1);
  return `⋯ ${steps.slice(-kept).join("")}`;
}

function summaryLine({ agents, live, levels, costUsd, usage, byStatus }: Total, columns: number, paint: Paint): string {
  const share = (agents - live) / agents;
  const tokens = compact(tokensOf(usage));
  const size = `${plural(agents, "agent")} on ${plural(levels, "level")}`;
  const text = `${bar(share)} ${Math.floor(share * 100)} %  ${dollars(costUsd)}  ${tokens} tokens  ${size}: ${countsOf(byStatus)}`;
  return paint("bold", cut(text, columns));
}

/** Over rows of whole subtrees: each one's sums stand in the row of its top. */
function totalOf(rows: readonly TreeRow[]): Total {
  const ids = new Set(rows.map(({ id }) => id));
  const tops = rows.filter(({ parentId }) => parentId === null || !ids.has(parentId));
  const sum = (of: (row: TreeRow) => number) => tops.reduce((total, row) => total + of(row), 0);
  return {
    agents: sum(({ subtree }) => subtree.agents),
    live: sum(({ subtree }) => subtree.live),
    levels: rows.reduce((most, { level }) => Math.max(most, level + 1), 0),
    costUsd: sum(({ subtree }) => subtree.costUsd),
    usage: tops.reduce((all, { subtree }) => addUsage(all, subtree.usage), NO_USAGE),
    byStatus: restOf(rows.map(({ status }) => [status, 1])).byStatus,
  };
}

const BAR_WIDTH = 10;

function bar(share: number): string {
  const full = Math.floor(share * BAR_WIDTH);
  return "█".repeat(full) + "░".repeat(BAR_WIDTH - full);
}

/** `3 running, 1 failed`: in the order of a life. */
function countsOf(byStatus: Total["byStatus"]): string {
  return STATUSES.flatMap((status) => (byStatus[status] ? [`${byStatus[status]} ${status}`] : [])).join(", ");
}
