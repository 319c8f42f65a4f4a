/** The chart of docs/performance.md: one panel a workload, one bar a contender, longer always better, drawn without a package. */
import { cellOf } from "./docs.ts";
import type { Line } from "./figures.ts";
import { rowsOf } from "./report.ts";

const PANELS: readonly (readonly [title: string, bench: string, figure: string, unit: string])[] = [
  ["W1: turns per second, 100 agents", "W1", "turns per second", ""],
  ["W2: loads per second, 500 turns (from the p50)", "W2", "load p50, 500 turns", "ms"],
  ["W3: spawns per second", "W3", "spawns per second", ""],
  ["W4: forks per second, 500 turns (from the median)", "W4", "fork, median", "ms"],
];
const [WIDTH, LABELS, VALUES, BAR, TITLE] = [760, 130, 80, 18, 34];

/** An SVG image. */
export function chart(lines: readonly Line[], ours: string): string {
  const rows = rowsOf(lines, ours);
  const contenders = [...new Set(lines.map(({ contender }) => contender))];
  const parts: string[] = [];
  let y = 0;
  for (const [title, bench, figure, unit] of PANELS) {
    const bars = contenders.flatMap((contender) => {
      const value = cellOf(rows, bench, figure, contender)?.median;
      // A time becomes what goes into a second, so that longer is better in every panel.
      return value ? [{ contender, rate: unit === "ms" ? 1_000 / value : value }] : [];
    });
    if (bars.length === 0) continue;
    const most = Math.max(...bars.map(({ rate }) => rate));
    parts.push(`<text x="0" y="${y + 22}" font-weight="600">${title}</text>`);
    y += TITLE;
    for (const { contender, rate } of bars) {
      const width = Math.max(1, ((WIDTH - LABELS - VALUES) * rate) / most);
      const fill = contender === ours ? "#2e7d4f" : "#8a97a6";
      parts.push(
        `<text x="${LABELS - 8}" y="${y + 13}" text-anchor="end">${contender}</text>`,
        `<rect x="${LABELS}" y="${y + 2}" width="${width.toFixed(1)}" height="${BAR - 4}" fill="${fill}"/>`,
        `<text x="${(LABELS + width + 6).toFixed(1)}" y="${y + 13}">${Math.round(rate).toLocaleString("en")}</text>`,
      );
      y += BAR;
    }
    y += 10;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}">`,
    "<title>W1 to W4 of every contender; the table on the page has the same figures</title>",
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    `<g font-family="sans-serif" font-size="12" fill="#222222">`,
    ...parts,
    "</g>",
    "</svg>\n",
  ].join("\n");
}
