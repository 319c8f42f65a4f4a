/**
 * Draws docs/tree.svg, the picture of the README: the live tree of `banyan run` over this repository's own sources, caught
 * in the middle. `npm run picture`
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { renderTree } from "../src/cli/live-tree.ts";
import { DEFAULT_INSTRUCTIONS } from "../src/cli/run/instructions.ts";
import { startJob } from "../src/cli/run/job.ts";
import { openModel } from "../src/cli/run/model.ts";
import { Banyan } from "../src/index.ts";
import { treeRows } from "../src/server/rows.ts";

const COLUMNS = 110;
const ROWS = 26;
const LINE_HEIGHT = 19;
const CHARACTER_WIDTH = 8.4;
/** The terminal's colours, readable on a dark ground. */
const COLOURS: Readonly<Record<string, string>> = {
  "2": "#8b949e",
  "31": "#ff7b72",
  "32": "#7ee787",
  "33": "#e3b341",
  "35": "#d2a8ff",
  "36": "#79c0ff",
};

const repository = fileURLToPath(new URL("..", import.meta.url));
const folder = await mkdtemp(join(tmpdir(), "banyan-picture-"));
try {
  const text = await midway(folder);
  await writeFile(join(repository, "docs", "tree.svg"), svgOf(text));
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** The tree when half of its agents have ended. */
async function midway(data: string): Promise<string> {
  await using source = await openModel({ model: "claude-sonnet-4-5", environment: {} });
  await using banyan = await Banyan.open(data, { runningMax: 4 });
  const { coordinator } = banyan.runtime;
  const { tree } = await startJob(banyan, {
    task: "survey this source tree",
    dir: join(repository, "src"),
    source,
    outputTokensMax: 8_192,
    instructions: DEFAULT_INSTRUCTIONS,
    budget: { costUsd: 20 },
    allowCommands: false,
    keepFiles: false,
  });
  return await new Promise((resolve) => {
    const stop = coordinator.watch(() => {
      const { agents = 0, live = 0 } = coordinator.forest.get(tree.id)?.subtree ?? {};
      if (agents < 20 || live > agents / 2) return;
      stop();
      resolve(renderTree(treeRows(coordinator.forest, tree.id), { columns: COLUMNS, rows: ROWS, colour: true }));
    });
  });
}

function svgOf(text: string): string {
  const lines = text.split("\n");
  const columns = Math.max(...lines.map((line) => stripVTControlCharacters(line).length));
  const [width, height] = [Math.ceil(columns * CHARACTER_WIDTH) + 32, lines.length * LINE_HEIGHT + 32];
  const rows = lines.map(
    (line, row) => `<text x="16" y="${30 + row * LINE_HEIGHT}" xml:space="preserve">${spansOf(line)}</text>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="A tree of agents in a terminal">`,
    `<rect width="100%" height="100%" rx="8" fill="#0d1117"/>`,
    `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14" fill="#e6edf3">`,
    ...rows,
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

/** Text between two colour codes becomes a span of that colour. */
function spansOf(line: string): string {
  const [first = "", ...rest] = line.split(`${String.fromCharCode(27)}[`);
  return (
    xmlOf(first) +
    rest
      .map((piece) => {
        const end = piece.indexOf("m");
        const colour = COLOURS[piece.slice(0, end)];
        const text = xmlOf(piece.slice(end + 1));
        return colour ? `<tspan fill="${colour}">${text}</tspan>` : text;
      })
      .join("")
  );
}

function xmlOf(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
