/** Paints cells, names, shapes and edges onto the canvas, from what the pure model has computed. Knows nothing of agents but where they lie. */
import { at } from "../../fleet/columns.ts";
import type { Fleet } from "../../fleet/fleet.ts";
import type { Cells } from "../../fleet/time/cells.ts";
import { FACES, URGENT_FACE } from "../../fleet/time/faces.ts";
import type { ForkEdges } from "../../fleet/time/forks.ts";
import type { Runs } from "../../fleet/time/runs.ts";
import { visibleLine } from "../parts/format.ts";
import { SHAPES } from "../parts/state.tsx";
import type { Palette } from "./palette.ts";

/** From this height and width on a cell has an edge, a pattern, its shape, its name. */
const EDGE_PX = 6;
const SHAPE_PX = 14;
const NAME_PX = 54;
const NAMES_MAX = 260;
const NAME_LEFT = 21;
const LETTER_PX = 6.1;
const MARK_PX = 15;
const MARKS_MAX = 80;

const shapes = FACES.map((face) => new Path2D(SHAPES[face === "failedHandled" ? "failed" : face] ?? ""));
const HELD = FACES.indexOf("held");
const STRUCK = new Set([FACES.indexOf("cancelled"), FACES.indexOf("failedHandled")]);
const marked = new Map<number, number>();
const box = new Int32Array(4);

export function paintCells(context: CanvasRenderingContext2D, cells: Cells, palette: Palette): void {
  const order = cells.painted();
  let style = "";
  for (let index = 0; index < cells.count; index++) {
    const cell = at(order, index);
    const width = at(cells.width, cell);
    const height = at(cells.height, cell);
    const face = at(cells.face, cell);
    const isLarge = height >= SHAPE_PX && width >= SHAPE_PX;
    const next = (isLarge ? palette.large[face] : palette.small[face]) ?? "";
    if (next !== style) {
      context.fillStyle = next;
      style = next;
    }
    // Air between cells, where there is room for it.
    const shownWidth = width > 4 ? width - 1 : width;
    const shownHeight = height > 4 ? height - 1 : height;
    context.fillRect(at(cells.x, cell), at(cells.y, cell), shownWidth, shownHeight);
    if (width < EDGE_PX || height < EDGE_PX) continue;
    // Where its shape is shown, only what is cut or broken needs a pattern besides.
    const pattern = isLarge && !STRUCK.has(face) ? undefined : palette.patterns[face];
    if (pattern) {
      context.fillStyle = pattern;
      context.fillRect(at(cells.x, cell), at(cells.y, cell), shownWidth, shownHeight);
    }
    context.fillStyle = palette.full[face] ?? "";
    context.fillRect(at(cells.x, cell), at(cells.y, cell), 2, shownHeight);
    style = "";
  }
}

/**
 * How high the run of a face stands in its strip, in eighths: what works is high, what waits low, and what needs a person sticks out; so
 * that runs are told apart by height before they are by hue.
 */
const RUN_EIGHTHS = FACES.map((face) => {
  if (face === "completed" || face === "cancelled") return 1;
  if (face === "queued" || face === "waiting") return 3;
  if (face === "starting" || face === "held") return 5;
  return FACES.indexOf(face) >= URGENT_FACE ? 12 : 8;
});

/** Height of the strip at the foot of a cell in which its past runs along. */
function stripOf(height: number): number {
  if (height < SHAPE_PX) return 3;
  if (height < 18) return 2;
  return Math.min(10, Math.round(height / 5));
}

/** What each agent showed before, along the foot of its cell. */
export function paintRuns(context: CanvasRenderingContext2D, cells: Cells, past: Runs, palette: Palette): void {
  const order = past.painted();
  const { runs } = past;
  let shown = -1;
  for (let index = 0; index < runs.count; index++) {
    const run = at(order, index);
    const cell = at(runs.cell, run);
    const face = at(runs.face, run);
    if (face !== shown) context.fillStyle = palette.past[face] ?? "";
    shown = face;
    const height = at(cells.height, cell);
    const strip = stripOf(height);
    const high = Math.max(1, Math.round((strip * at(RUN_EIGHTHS, face)) / 8));
    const bottom = at(cells.y, cell) + height - 1;
    const x = at(runs.x, run);
    const width = at(runs.width, run);
    // A hold is two lines with nothing between them, as on a button for a pause that lies down.
    if (face === HELD && high >= 3) {
      context.fillRect(x, bottom - high, width, 1);
      context.fillRect(x, bottom - 1, width, 1);
    } else context.fillRect(x, bottom - high, width, high);
  }
}

/** What rewinds took back: hatched over all that was done there, up to a line where the agent went back. */
export function paintCuts(context: CanvasRenderingContext2D, cells: Cells, past: Runs, palette: Palette): void {
  const { cuts } = past;
  for (const isLine of [false, true]) {
    context.fillStyle = isLine || !palette.cut ? palette.quiet : palette.cut;
    for (let cut = 0; cut < cuts.count; cut++) {
      const cell = at(cuts.cell, cut);
      const x = at(cuts.x, cut);
      const width = at(cuts.width, cut);
      const height = at(cells.height, cell) - 1;
      if (isLine) context.fillRect(x + width - 1, at(cells.y, cell), 1, height);
      else context.fillRect(x, at(cells.y, cell), width, height);
    }
  }
}

/** Names and shapes of cells that have room for them. A name stays in view while any of its cell is. */
export function paintNames(
  context: CanvasRenderingContext2D,
  cells: Cells,
  fleet: Fleet,
  palette: Palette,
  width: number,
): void {
  context.font = `11px ${palette.sans}`;
  context.textBaseline = "middle";
  let named = 0;
  for (let cell = 0; cell < cells.count && named < NAMES_MAX; cell++) {
    const agent = at(cells.agent, cell);
    if (agent < 0 || at(cells.height, cell) < SHAPE_PX) continue;
    const left = Math.max(0, at(cells.x, cell));
    const room = Math.min(width, at(cells.x, cell) + at(cells.width, cell)) - left;
    if (room < SHAPE_PX + 4) continue;
    named += 1;
    // Of a high cell the name stands on top, where the eye comes from.
    const height = at(cells.height, cell);
    const middle = at(cells.y, cell) + Math.min(height, 28) / 2;
    // Its own colour behind it, for it may be hatched there.
    const shownLetters = Math.min((fleet.name[agent] ?? "").length, Math.max(0, (room - NAME_LEFT - 5) / LETTER_PX));
    context.fillStyle = palette.large[at(cells.face, cell)] ?? "";
    const wide = room < NAME_PX ? SHAPE_PX + 2 : Math.min(room - 5, NAME_LEFT + shownLetters * LETTER_PX);
    const top = Math.max(at(cells.y, cell), middle - 8);
    context.fillRect(left + 3, top, wide, Math.min(middle + 8, at(cells.y, cell) + height - stripOf(height) - 1) - top);
    paintShape(context, at(cells.face, cell), left + 6, middle - 6, 12, palette);
    const letters = Math.floor((room - NAME_LEFT - 5) / LETTER_PX);
    if (room < NAME_PX) continue;
    const name = visibleLine(fleet.name[agent] ?? "");
    context.fillStyle = palette.ink;
    context.fillText(name.length > letters ? `${name.slice(0, letters - 1)}…` : name, left + NAME_LEFT, middle + 0.5);
  }
}

/** A shape over each cell that needs a person and is too small to show it, the worst first, none over another. */
export function paintMarks(context: CanvasRenderingContext2D, cells: Cells, palette: Palette, width: number): void {
  marked.clear();
  const order = cells.painted();
  for (let index = cells.count - 1; index >= 0 && marked.size < MARKS_MAX; index--) {
    const cell = at(order, index);
    const face = at(cells.face, cell);
    if (face < URGENT_FACE) continue;
    if (at(cells.height, cell) >= SHAPE_PX && at(cells.width, cell) >= SHAPE_PX) continue;
    const end = Math.min(width, at(cells.x, cell) + at(cells.width, cell));
    if (end < 0) continue;
    // At its end, for that is when it happened.
    const x = Math.max(MARK_PX / 2 + 1, Math.min(width - MARK_PX / 2 - 1, end));
    const y = Math.max(MARK_PX / 2 + 1, at(cells.y, cell) + at(cells.height, cell) / 2);
    if (isTaken(x, y)) continue;
    marked.set(key(x, y), 1);
    context.fillStyle = palette.panel;
    context.beginPath();
    context.arc(x, y, MARK_PX / 2 + 1.5, 0, 2 * Math.PI);
    context.fill();
    paintShape(context, face, x - MARK_PX / 2, y - MARK_PX / 2, MARK_PX, palette);
  }
}

const key = (x: number, y: number) => Math.floor(y / MARK_PX) * 4_096 + Math.floor(x / MARK_PX);

function isTaken(x: number, y: number): boolean {
  for (const dy of [-MARK_PX, 0, MARK_PX]) {
    for (const dx of [-MARK_PX, 0, MARK_PX]) if (marked.has(key(x + dx, y + dy))) return true;
  }
  return false;
}

function paintShape(
  context: CanvasRenderingContext2D,
  face: number,
  x: number,
  y: number,
  size: number,
  palette: Palette,
): void {
  const shape = shapes[face];
  if (!shape) return;
  context.fillStyle = palette.full[face] ?? "";
  context.save();
  context.translate(x, y);
  context.scale(size / 16, size / 16);
  context.fill(shape, "evenodd");
  context.restore();
}

/** Weights of lines by how many forks they stand for: the more, the heavier. */
const WEIGHTS = [1, 1.75, 2.75];
const weightOf = (forks: number) => (forks === 1 ? 0 : forks < 10 ? 1 : 2);

/**
 * From the one whose past is shared, at the moment of the fork, to the one that goes on from there; a stub where the origin is out of view.
 * Those of somebody that one looks at stand out.
 */
export function paintForks(
  context: CanvasRenderingContext2D,
  cells: Cells,
  fleet: Fleet,
  forks: Int32Array,
  edges: ForkEdges,
  palette: Palette,
  isTime: boolean,
  selected: number,
  hovered: number,
): void {
  edges.draw(cells, fleet, forks, isTime);
  context.strokeStyle = palette.ink;
  // The more there are, the fainter, so that all of them together hide nothing.
  context.globalAlpha = Math.max(0.14, Math.min(0.5, 0.5 * Math.sqrt(20 / Math.max(1, edges.count))));
  for (let weight = 0; weight < WEIGHTS.length; weight++) {
    context.beginPath();
    for (let edge = 0; edge < edges.count; edge++) {
      if (weightOf(at(edges.forks, edge)) !== weight) continue;
      const fromX = at(edges.fromX, edge);
      const fromY = at(edges.fromY, edge);
      curve(context, fromX, fromY, at(edges.toX, edge), at(edges.toY, edge), isTime, at(edges.isStub, edge));
    }
    context.lineWidth = WEIGHTS[weight] ?? 1;
    context.stroke();
  }
  context.globalAlpha = 1;
  if (selected < 0 && hovered < 0) return;
  context.beginPath();
  for (let index = 0; index < forks.length; index++) {
    const fork = at(forks, index);
    const origin = at(fleet.forkOf, fork);
    if (fork !== selected && fork !== hovered && origin !== selected && origin !== hovered) continue;
    if (!edges.place(cells, fleet, fork, isTime)) continue;
    const { ends } = edges;
    curve(context, at(ends, 0), at(ends, 1), at(ends, 2), at(ends, 3), isTime, at(ends, 4));
  }
  context.strokeStyle = palette.accent;
  context.lineWidth = 1.75;
  context.stroke();
}

function curve(
  context: CanvasRenderingContext2D,
  fromX: number,
  fromY: number,
  toX: number,
  toY: number,
  isTime: boolean,
  isStub: number,
): void {
  const bend = !isTime || isStub > 0 ? 0 : Math.max(14, Math.abs(toY - fromY) / 4);
  context.moveTo(fromX, fromY);
  // Of a stub the end alone is told, so it comes straight down and turns.
  if (isStub > 0) context.quadraticCurveTo(fromX, toY, toX, toY);
  else context.bezierCurveTo(fromX + bend, fromY, isTime ? toX - bend : toX, isTime ? toY : fromY, toX, toY);
  context.moveTo(toX + 2, toY);
  context.arc(toX, toY, 2, 0, 2 * Math.PI);
}

/** Around an agent, large enough to be seen however small its cell is. */
export function paintFrame(
  context: CanvasRenderingContext2D,
  cells: Cells,
  agent: number,
  color: string,
  lineWidth: number,
): void {
  if (!cells.locate(agent, box)) return;
  const width = Math.max(5, at(box, 2) - at(box, 0));
  const height = Math.max(5, at(box, 3) - at(box, 1));
  context.strokeStyle = color;
  context.lineWidth = lineWidth;
  context.strokeRect(at(box, 0) - 0.5, at(box, 1) - 0.5, width, height);
}
