/**
 * The colours of the picture, from the page's custom properties, mixed once a theme instead of once a cell. What is well is quiet, what
 * needs a person is loud. Every state also has a pattern or a shape, so that nobody has to tell it by hue.
 */
import { FACES, type Face } from "../../fleet/time/faces.ts";

export interface Palette {
  readonly ground: string;
  readonly panel: string;
  readonly line: string;
  readonly edge: string;
  readonly ink: string;
  readonly quiet: string;
  readonly accent: string;
  readonly sans: string;
  /** By face: of a cell that has room for its name, of a small or merged one, and of edges and shapes. */
  readonly large: readonly string[];
  readonly small: readonly string[];
  readonly full: readonly string[];
  /** Of what an agent showed before: it needs nobody any more. */
  readonly past: readonly string[];
  /** Over a cell; undefined for a plain one. */
  readonly patterns: readonly (CanvasPattern | undefined)[];
  /** Over what a rewind took back. */
  readonly cut: CanvasPattern | undefined;
}

/** Part of the full colour in a large and in a small cell. */
const STRENGTH: Readonly<Record<Face, readonly [large: number, small: number]>> = {
  completed: [0.2, 0.3],
  cancelled: [0.14, 0.24],
  queued: [0.14, 0.24],
  waiting: [0.28, 0.4],
  starting: [0.3, 0.42],
  running: [0.34, 0.44],
  held: [0.3, 0.55],
  failedHandled: [0.26, 0.55],
  burning: [0.34, 0.85],
  rateLimited: [0.34, 0.85],
  stalled: [0.42, 1],
  failed: [0.46, 1],
  approval: [0.46, 1],
};

const PAST_STRENGTH = 0.68;

type Draw = (context: CanvasRenderingContext2D, size: number) => void;

const line = (context: CanvasRenderingContext2D, points: readonly [number, number][]) => {
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
  context.stroke();
};
const hatch: Draw = (context, size) => {
  line(context, [
    [-1, size + 1],
    [size + 1, -1],
  ]);
  for (const corner of [0, size]) {
    line(context, [
      [corner - 2, corner + 2],
      [corner + 2, corner - 2],
    ]);
  }
};
const PATTERNS: Readonly<Partial<Record<Face, Draw>>> = {
  cancelled: hatch,
  failedHandled: (context, size) => {
    hatch(context, size);
    context.transform(-1, 0, 0, 1, size, 0);
    hatch(context, size);
  },
  waiting: (context, size) => {
    context.fillRect(0, size / 2, size / 2, 1);
  },
  queued: (context, size) => {
    context.fillRect(size / 2 - 1, size / 2 - 1, 1.5, 1.5);
  },
  held: (context, size) => {
    context.fillRect(1, 0, 2, size);
  },
};
const PATTERN_SIZE = 8;
const PATTERN_STRENGTH = 0.4;
const CUT_STRENGTH = 0.28;
/** Wider and steeper to see than those of the states. */
const struckOut: Draw = (context, size) => {
  context.lineWidth = 2;
  hatch(context, size);
};

export function readPalette(canvas: HTMLCanvasElement): Palette {
  const style = getComputedStyle(canvas);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser draws no canvas");
  const color = (name: string) => {
    // The browser writes any colour in the same way.
    context.fillStyle = style.getPropertyValue(name).trim() || "#888888";
    return String(context.fillStyle);
  };
  const panel = color("--panel");
  const isLight = brightness(panel) > 0.5;
  const shapeOf = (face: Face) => (face === "failedHandled" ? "failed" : face);
  const full = FACES.map((face) => color(`--state-${shapeOf(face)}`));
  const mixed = (size: 0 | 1) =>
    FACES.map((face, index) => {
      const strength = STRENGTH[face][size];
      return mix(full[index] ?? panel, panel, isLight && strength < 0.8 ? strength * 0.8 : strength);
    });
  return {
    ground: color("--ground"),
    panel,
    line: color("--line"),
    edge: color("--edge"),
    ink: color("--ink"),
    quiet: color("--ink-3"),
    accent: color("--accent"),
    sans: style.getPropertyValue("--sans").trim() || "sans-serif",
    large: mixed(0),
    small: mixed(1),
    full,
    past: full.map((each) => mix(each, panel, PAST_STRENGTH)),
    patterns: FACES.map((face, index) => patternOf(context, PATTERNS[face], full[index] ?? panel, PATTERN_STRENGTH)),
    cut: patternOf(context, struckOut, color("--ink-2"), CUT_STRENGTH),
  };
}

function patternOf(
  context: CanvasRenderingContext2D,
  draw: Draw | undefined,
  color: string,
  strength: number,
): CanvasPattern | undefined {
  if (!draw) return undefined;
  const tile = document.createElement("canvas");
  tile.width = PATTERN_SIZE;
  tile.height = PATTERN_SIZE;
  const brush = tile.getContext("2d");
  if (!brush) return undefined;
  brush.fillStyle = color;
  brush.strokeStyle = color;
  brush.globalAlpha = strength;
  brush.lineWidth = 1;
  draw(brush, PATTERN_SIZE);
  return context.createPattern(tile, "repeat") ?? undefined;
}

function parse(color: string): readonly [number, number, number] {
  const digits = /^#(..)(..)(..)/.exec(color)?.slice(1) ?? ["80", "80", "80"];
  const [red = 0, green = 0, blue = 0] = digits.map((digit) => Number.parseInt(digit, 16));
  return [red, green, blue];
}

function mix(color: string, ground: string, part: number): string {
  const under = parse(ground);
  const mixed = parse(color).map((value, index) => Math.round(value * part + (under[index] ?? 0) * (1 - part)));
  return `rgb(${mixed.join(" ")})`;
}

function brightness(color: string): number {
  const [red, green, blue] = parse(color);
  return (0.299 * red + 0.587 * green + 0.114 * blue) / 255;
}
