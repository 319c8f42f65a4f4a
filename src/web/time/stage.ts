/**
 * The picture on its canvas: what is looked at, and one frame of the screen at most for whatever has changed. Everything that moves it
 * goes through here; the component around it only says what it wants.
 */
import { at } from "../../fleet/columns.ts";
import type { Fleet } from "../../fleet/fleet.ts";
import { GlidingBands, shareHeight } from "../../fleet/time/bands.ts";
import { Cells } from "../../fleet/time/cells.ts";
import { readFaces } from "../../fleet/time/faces.ts";
import { ForkEdges } from "../../fleet/time/forks.ts";
import { type Along, Layout } from "../../fleet/time/layout.ts";
import type { Costs, Moment } from "../../fleet/time/past.ts";
import { Runs } from "../../fleet/time/runs.ts";
import { type Step, stepFrom } from "../../fleet/time/steps.ts";
import { ASKED_MAX, Tracks } from "../../fleet/time/tracks.ts";
import {
  anchorOf,
  around,
  type Bounds,
  boundsOf,
  isWhole,
  keep,
  pan,
  reveal,
  type View,
  whole,
  zoom,
} from "../../fleet/time/view.ts";
import { AXIS, GUTTER, paintAxis, paintBands, paintPresent, paintVeil } from "./furniture.ts";
import { paintCells, paintCuts, paintForks, paintFrame, paintMarks, paintNames, paintRuns } from "./painter.ts";
import { type Palette, readPalette } from "./palette.ts";

const GLIDE_MS = 140;
/** Wheel and keys narrow time less than lanes, of which there are more than a screen has lines. */
const TIME_POWER = 0.6;

export interface Spot {
  readonly agent: number;
  /** Agents that are drawn as this one cell. */
  readonly agents: number;
  /** Index in FACES. */
  readonly face: number;
}

export class Stage {
  readonly #canvas: HTMLCanvasElement;
  readonly #fleet: Fleet;
  readonly #layout = new Layout();
  readonly #cells = new Cells();
  /** What is known of the agents' pasts. */
  readonly tracks = new Tracks();
  readonly #runs = new Runs();
  readonly #edges = new ForkEdges();
  readonly #onFrame: () => void;
  readonly #bands = new GlidingBands();
  #palette: Palette;
  #faces = new Uint8Array(0);
  #facesVersion = -1;
  #forks = new Int32Array(0);
  #along: Along = "time";
  #moment: Moment | undefined;
  #costs: Costs | undefined;
  #bounds: Bounds | undefined;
  #view: View | undefined;
  #glide: { readonly from: View; readonly to: View; sinceMs: number } | undefined;
  #selected = -1;
  #hovered = -1;
  #width = 0;
  #height = 0;
  #asked = 0;
  /** Another picture altogether: nothing glides from one to the other. */
  #leaps = false;

  constructor(canvas: HTMLCanvasElement, fleet: Fleet, onFrame: () => void) {
    this.#canvas = canvas;
    this.#fleet = fleet;
    this.#onFrame = onFrame;
    this.#palette = readPalette(canvas);
  }

  stop(): void {
    cancelAnimationFrame(this.#asked);
    this.#asked = -1;
  }

  /** Faces as they are shown, now or then. */
  get faces(): Uint8Array {
    return this.#moment?.faces ?? this.#faces;
  }
  get view(): View | undefined {
    return this.#view;
  }
  get bounds(): Bounds | undefined {
    return this.#bounds;
  }
  get isWhole(): boolean {
    return !this.#view || !this.#bounds || isWhole(this.#view, this.#bounds);
  }

  /** Agents whose cells have room for a past that is to be asked for. */
  readonly wanted = (isWanted: (agent: number) => boolean): number[] => {
    if (this.#along !== "time") return [];
    return Runs.wanted(this.#cells, this.#width - GUTTER, ASKED_MAX, this.#fleet.parent, isWanted);
  };

  resize(width: number, height: number): void {
    const ratio = window.devicePixelRatio || 1;
    this.#width = Math.max(GUTTER + 20, Math.floor(width));
    this.#height = Math.max(AXIS + 20, Math.floor(height));
    this.#canvas.width = Math.round(this.#width * ratio);
    this.#canvas.height = Math.round(this.#height * ratio);
    // A canvas that was resized is empty until it is drawn.
    this.#draw(0);
  }

  recolor(): void {
    this.#palette = readPalette(this.#canvas);
    this.ask();
  }

  show(along: Along, moment: Moment | undefined, selected: number): void {
    if (along !== this.#along) {
      this.#along = along;
      this.#leaps = true;
      this.#view = undefined;
      this.#glide = undefined;
    }
    this.#moment = moment;
    // Until the journals have answered for a moment, widths stay those of the one before: somebody who drags sees no leaps.
    this.#costs = moment ? (moment.costs ?? this.#costs) : undefined;
    if (selected !== this.#selected) {
      this.#selected = selected;
      if (selected >= 0) this.#update();
      if (selected >= 0 && this.#view && this.#bounds) {
        this.#go(reveal(this.#view, this.#layout, this.#bounds, selected, this.#fleet.timeMs));
      }
    }
    this.ask();
  }

  /** `x` and `y` are pixels of the canvas. */
  spotAt(x: number, y: number): Spot | undefined {
    if (x < GUTTER || y < AXIS) return undefined;
    const cell = this.#cells.cellAt(x - GUTTER, y - AXIS);
    const agent = this.#cells.agentIn(cell, x - GUTTER, this.faces);
    if (agent < 0) return undefined;
    return { agent, agents: at(this.#cells.agents, cell), face: at(this.#cells.face, cell) };
  }

  /** The moment at a pixel column; undefined by cost. */
  timeAt(x: number): number | undefined {
    if (!this.#view || this.#along !== "time") return undefined;
    const { left, right } = this.#view;
    return left + ((x - GUTTER) / (this.#width - GUTTER)) * (right - left);
  }

  /** Who lies in a direction from an agent. */
  stepFrom(agent: number, step: Step): number {
    this.#update();
    return stepFrom(this.#fleet, this.#layout, agent, step);
  }

  hover(agent: number): void {
    if (agent === this.#hovered) return;
    this.#hovered = agent;
    this.ask();
  }

  /** By less than 1 to come closer; on the axis time alone, on the numbers of levels lanes alone. */
  zoomAt(x: number, y: number, by: number): void {
    if (!this.#view || !this.#bounds) return;
    const isAxis = y < AXIS;
    const isGutter = x < GUTTER;
    const wide = isGutter && this.#along === "time" ? 1 : this.#along === "time" && !isAxis ? by ** TIME_POWER : by;
    const high = isAxis ? 1 : by;
    const partX = Math.max(0, (x - GUTTER) / (this.#width - GUTTER));
    this.#glide = undefined;
    this.#view = zoom(this.#view, this.#bounds, { wide, high }, partX, this.#partOfLevel(y));
    this.ask();
  }

  /** By pixels, `y` within the level that the drag began in. */
  panBy(x: number, y: number, startY: number): void {
    if (!this.#view || !this.#bounds) return;
    const level = this.#levelAt(startY);
    const height = Math.max(1, at(this.#bands.bottom, level) - at(this.#bands.top, level));
    this.#glide = undefined;
    this.#view = pan(this.#view, this.#bounds, -x / (this.#width - GUTTER), -y / height);
    this.ask();
  }

  /** Around what is selected, or the middle. */
  zoomBy(by: number): void {
    if (!this.#view || !this.#bounds) return;
    const { left, right, top, bottom } = this.#view;
    let [x, y] = [0.5, 0.5];
    if (this.#selected >= 0) {
      const { timeMs } = this.#fleet;
      const end = Math.min(at(this.#layout.right, this.#selected), this.#along === "time" ? timeMs : 1);
      x = part((Math.max(left, at(this.#layout.left, this.#selected)) + Math.min(right, end)) / 2, left, right);
      y = part((at(this.#layout.top, this.#selected) + at(this.#layout.bottom, this.#selected)) / 2, top, bottom);
    }
    const wide = this.#along === "time" ? by ** TIME_POWER : by;
    this.#go(zoom(this.#glide?.to ?? this.#view, this.#bounds, { wide, high: by }, x, y));
  }

  showWhole(): void {
    if (this.#bounds) this.#go(whole(this.#bounds));
  }

  showSubtree(agent: number): void {
    if (this.#bounds) this.#go(around(this.#layout, this.#bounds, agent, this.#fleet.timeMs));
  }

  ask(): void {
    if (this.#asked !== 0) return;
    this.#asked = requestAnimationFrame((nowMs) => {
      this.#asked = 0;
      this.#draw(nowMs);
    });
  }

  #go(to: View): void {
    if (isStill() || !this.#view) this.#view = to;
    else this.#glide = { from: this.#view, to, sinceMs: 0 };
    this.ask();
  }

  /** Follows the fleet, with what is looked at kept in its place. */
  #update(): void {
    const fleet = this.#fleet;
    if (this.#bounds && this.#view && this.#layout.isCurrent(fleet, this.#along, this.#costs)) return;
    const before = this.#view;
    const anchor =
      before && this.#bounds && this.#layout.along === this.#along
        ? anchorOf(before, this.#layout, this.#bounds)
        : undefined;
    const { count } = this.#layout;
    const isChanged = this.#layout.update(fleet, this.#along, this.#costs);
    if (isChanged || !this.#bounds) {
      const bounds = boundsOf(this.#layout, fleet.timeMs);
      if (before && this.#view) {
        this.#view = keep(this.#view, anchor, this.#layout, bounds);
        if (this.#glide) this.#glide = { ...this.#glide, to: keep(this.#glide.to, anchor, this.#layout, bounds) };
      } else this.#view = whole(bounds);
      this.#bounds = bounds;
    }
    if (fleet.count > this.#faces.length) this.#faces = new Uint8Array(2 * fleet.count);
    if (this.#facesVersion !== fleet.version) readFaces(fleet, this.#faces);
    if (this.#facesVersion !== fleet.version) this.tracks.follow(fleet, this.#faces);
    this.#facesVersion = fleet.version;
    if (count !== fleet.count || (isChanged && this.#forks.length === 0)) this.#forks = forksOf(fleet);
  }

  #draw(nowMs: number): void {
    const context = this.#canvas.getContext("2d", { alpha: false });
    if (!context || this.#width === 0) return;
    this.#update();
    this.#move(nowMs);
    const view = this.#view;
    if (!view) return;
    this.#bands.aim(shareHeight(this.#layout, this.#height - AXIS, view));
    // A frame that nobody asked for, after a change of size, has no time.
    if (nowMs === 0 || this.#leaps || isStill()) this.#bands.arrive();
    else if (this.#bands.move()) this.ask();
    this.#leaps = false;
    const fleet = this.#fleet;
    const [width, palette, cells] = [this.#width, this.#palette, this.#cells];
    const isTime = this.#along === "time";
    const shown = width - GUTTER;
    cells.draw(this.#layout, this.#bands, view, this.faces, isTime ? fleet.timeMs : 1, shown);

    const ratio = this.#canvas.width / width;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = palette.ground;
    context.fillRect(0, 0, width, this.#height);
    const bottom = AXIS + at(this.#bands.bottom, this.#bands.count - 1);
    paintBands(context, this.#bands, this.#layout, palette, width);
    paintAxis(context, view, palette, width, bottom, {
      along: this.#along,
      usd: (this.#costs?.allNano ?? fleet.sums.all.nano) / 1e9,
    });
    context.save();
    context.beginPath();
    context.rect(GUTTER, AXIS, shown, bottom - AXIS);
    context.clip();
    context.translate(GUTTER, AXIS);
    paintCells(context, cells, palette);
    if (isTime) {
      const untilMs = this.#moment?.atMs ?? Number.POSITIVE_INFINITY;
      this.#runs.draw(cells, this.tracks, view, fleet.timeMs, shown, untilMs);
      paintRuns(context, cells, this.#runs, palette);
      paintCuts(context, cells, this.#runs, palette);
    }
    const [selected, hovered] = [this.#selected, this.#hovered];
    paintForks(context, cells, fleet, this.#forks, this.#edges, palette, isTime, selected, hovered);
    paintNames(context, cells, fleet, palette, shown);
    paintMarks(context, cells, palette, shown);
    this.#frames(context);
    context.restore();
    const pixelOf = (value: number) => GUTTER + part(value, view.left, view.right) * shown;
    if (isTime && this.#moment) paintVeil(context, pixelOf(this.#moment.atMs), palette, width, bottom);
    else if (isTime) paintPresent(context, pixelOf(fleet.timeMs), palette, bottom);
    this.#onFrame();
  }

  /** The way from the root to what is selected, and what is under the pointer. */
  #frames(context: CanvasRenderingContext2D): void {
    const { accent, ink } = this.#palette;
    for (const agent of [this.#hovered, this.#selected]) {
      if (agent < 0 || agent >= this.#fleet.count) continue;
      context.globalAlpha = agent === this.#selected ? 0.55 : 0.25;
      const color = agent === this.#selected ? accent : ink;
      for (let above = at(this.#fleet.parent, agent); above >= 0; above = at(this.#fleet.parent, above)) {
        paintFrame(context, this.#cells, above, color, 1);
      }
      context.globalAlpha = 1;
      paintFrame(context, this.#cells, agent, color, agent === this.#selected ? 2 : 1);
    }
  }

  #move(nowMs: number): void {
    const glide = this.#glide;
    if (!glide) return;
    if (glide.sinceMs === 0) glide.sinceMs = nowMs;
    const done = Math.min(1, (nowMs - glide.sinceMs) / GLIDE_MS);
    const eased = 1 - (1 - done) ** 3;
    const between = (from: number, to: number) => from + (to - from) * eased;
    const { from, to } = glide;
    this.#view = {
      left: between(from.left, to.left),
      right: between(from.right, to.right),
      top: between(from.top, to.top),
      bottom: between(from.bottom, to.bottom),
    };
    if (done < 1) {
      this.ask();
      return;
    }
    this.#view = to;
    this.#glide = undefined;
  }

  #levelAt(y: number): number {
    let level = 0;
    while (level + 1 < this.#bands.count && y - AXIS >= at(this.#bands.bottom, level)) level += 1;
    return level;
  }

  #partOfLevel(y: number): number {
    const level = this.#levelAt(y);
    return Math.max(0, Math.min(1, part(y - AXIS, at(this.#bands.top, level), at(this.#bands.bottom, level))));
  }
}

function isStill(): boolean {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
}

function part(value: number, from: number, to: number): number {
  return (value - from) / (to - from);
}

function forksOf(fleet: Fleet): Int32Array<ArrayBuffer> {
  const forks: number[] = [];
  for (let agent = 0; agent < fleet.count; agent++) if (at(fleet.forkOf, agent) >= 0) forks.push(agent);
  return Int32Array.from(forks);
}
