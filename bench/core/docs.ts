/**
 * The generated part of docs/performance.md, and the chart beside it, from lines of results. What stands outside the two marks is
 * written by hand and stays.
 */
import { type Line, round, significant } from "./figures.ts";
import { type Cell, type Row, rowsOf } from "./report.ts";

export const BEGIN = "<!-- measured: begin (npm run bench -- core --write-docs) -->";
export const END = "<!-- measured: end -->";

/** Columns of the table of contenders: what it says above, the bench, and the figures that it shows. */
const COLUMNS: readonly (readonly [title: string, bench: string, figures: readonly string[]])[] = [
  ["W1 turns/s", "W1", ["turns per second"]],
  ["CPU us a turn", "W1", ["CPU a turn"]],
  ["peak MB", "W1", ["peak memory"]],
  ["disk / payload", "W1", ["disk over payload", "disk over payload, closed"]],
  ["W2 500 turns, p50 / p99 ms", "W2", ["load p50, 500 turns", "load p99, 500 turns"]],
  ["W1 beside", "W2", ["load p50, 500 turns, W1 beside", "load p99, 500 turns, W1 beside"]],
  ["W2 2,000 turns", "W2", ["load p50, 2000 turns", "load p99, 2000 turns"]],
  ["W1 beside", "W2", ["load p50, 2000 turns, W1 beside", "load p99, 2000 turns, W1 beside"]],
  ["W3 spawns/s", "W3", ["spawns per second"]],
  ["W4 ms, KB a fork", "W4", ["fork, median", "fork on disk"]],
];
/** Figures whose ratio to ours stands in the table of ratios. */
const COMPARED: readonly (readonly [bench: string, figure: string])[] = [
  ["W1", "turns per second"],
  ["W1", "CPU a turn"],
  ["W2", "load p50, 500 turns"],
  ["W2", "load p99, 500 turns"],
  ["W2", "load p99, 2000 turns"],
  ["W3", "spawns per second"],
  ["W4", "fork, median"],
];

/** The page with its generated part renewed. @throws when the marks are not there */
export function renewed(page: string, lines: readonly Line[], ours: string): string {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`the page lacks the marks ${BEGIN} and ${END}`);
  return `${before}${BEGIN}\n\n${generated(lines, ours)}\n${END}${after}`;
}

function generated(lines: readonly Line[], ours: string): string {
  const rows = rowsOf(lines, ours);
  const compared = rows.filter(({ bench }) => COLUMNS.some(([, each]) => each === bench));
  const contenders = [...new Set(compared.flatMap(({ cells }) => [...cells.keys()]))];
  const loads = lines.map(({ load }) => load);
  const runs = [...Map.groupBy(lines, ({ bench }) => bench)].map(
    ([bench, its]) => `${bench} ${Math.max(...its.map(({ run }) => run))}`,
  );
  return [
    `${lines[0]?.machine ?? ""}; load average ${Math.min(...loads)} to ${Math.max(...loads)}. Medians of runs side by side: ${runs.join(", ")}.`,
    "![W1 to W4 of every contender](performance.svg)",
    table([
      ["contender", ...COLUMNS.map(([title]) => title), "durable"],
      ...contenders.map((contender) => [
        contender,
        ...COLUMNS.map(([, bench, figures]) =>
          figures.map((figure) => shown(cellOf(rows, bench, figure, contender))).join(" / "),
        ),
        lines.find((line) => line.contender === contender)?.durable ?? "",
      ]),
    ]),
    `Medians of the ratios to ${ours} within a run: above 1 is more turns or spawns, or more CPU or milliseconds, than ${ours}.`,
    table([
      ["contender", ...COMPARED.map(([bench, figure]) => `${bench} ${figure}`)],
      ...contenders
        .filter((contender) => contender !== ours)
        .map((contender) => [
          contender,
          ...COMPARED.map(([bench, figure]) => ratio(cellOf(rows, bench, figure, contender))),
        ]),
    ]),
    contenders.map((contender) => about(lines, contender)).join("\n"),
    `${capital(ours)} alone:`,
    table([
      ["bench", "figure", "median", "range", "unit"],
      ...rows
        .filter((row) => !compared.includes(row))
        .map(({ bench, figure, unit, cells }) => [bench, figure, shown(cells.get(ours)), range(cells.get(ours)), unit]),
    ]),
  ]
    .map((part) => `${part}\n`)
    .join("\n");
}

/** Versions of what was measured, and what to know of it. */
function about(lines: readonly Line[], contender: string): string {
  const its = lines.filter((line) => line.contender === contender);
  const versions = Object.entries(its[0]?.versions ?? {}).map(([name, version]) => `${name} ${version}`);
  const parts = [...new Set(its.filter(({ scale = 1 }) => scale < 1).map(({ bench, scale }) => `${bench} x ${scale}`))];
  const scaled = parts.length > 0 ? ` Agents of the workload: ${parts.join(", ")}.` : "";
  return `- **${contender}**: ${versions.join(", ")}.${its[0]?.note ? ` ${capital(its[0].note)}.` : ""}${scaled}`;
}

function table([head, ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head ?? []), `|${"---|".repeat(head?.length ?? 0)}`, ...rows.map(line)].join("\n");
}

export function cellOf(rows: readonly Row[], bench: string, figure: string, contender: string): Cell | undefined {
  return rows.find((row) => row.bench === bench && row.figure === figure)?.cells.get(contender);
}

function shown(cell: Cell | undefined): string {
  return cell ? round(cell.median, 3).toLocaleString("en") : "-";
}

function range(cell: Cell | undefined): string {
  return cell && cell.runs > 1 ? `${cell.min.toLocaleString("en")} to ${cell.max.toLocaleString("en")}` : "";
}

function ratio(cell: Cell | undefined): string {
  return cell?.ratio === undefined ? "-" : String(significant(cell.ratio));
}

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
