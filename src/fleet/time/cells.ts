/**
 * What is drawn of a layout in a view: one cell an agent, and where cells would be too small to see, one for many with the worst
 * face on top. Made anew for every frame, in arrays that are kept, so that a frame allocates nothing.
 *
 * C1  Every agent in the view that is there has exactly one home: a cell of its own, or a merged one.
 * C2  Painted in the order of `layerOf`, no face is hidden by a better one: the worst of what merges is what one sees.
 * C3  What `cellAt` finds is what was painted there.
 */
import { float, growInts, int } from "../columns.ts";
import type { Bands } from "./bands.ts";
import { ABSENT, FACES } from "./faces.ts";
import type { Layout } from "./layout.ts";
import { StripSweep } from "./strip-sweep.ts";
import type { View } from "./view.ts";

/** Cells less wide than this merge. */
const MERGE_PX = 2;
/** So do those less high than this, in strips of MERGE_PX. A strip may cover as much of what lies below it, of which a line has to be left. */
const TALL_PX = 3.5;

export class Cells {
  count = 0;
  /** Pixels; `width` and `height` are at least 1. */
  x = new Int32Array(256);
  y = new Int32Array(256);
  width = new Int32Array(256);
  height = new Int32Array(256);
  /** Index in FACES. */
  face = new Int32Array(256);
  level = new Int32Array(256);
  /** Its agent; -1 for a merged one. */
  agent = new Int32Array(256);
  /** Agents in it. Of a strip, which is painted as several cells, those of the whole strip. */
  agents = new Int32Array(256);
  /** First cell of the strip that it is a part of; itself for all others. */
  strip = new Int32Array(256);
  /** By agent: the cell that it is in, of a strip the first; -1 when it is not in the view. */
  home = new Int32Array(0);
  /** By agent in the view: its pixels, before anything was merged. */
  #left = new Int32Array(0);
  #right = new Int32Array(0);
  #y0 = new Int32Array(0);
  #y1 = new Int32Array(0);
  #tall = new Int32Array(0);
  #tiny = new Int32Array(0);
  #sorted = new Int32Array(0);
  #starts = new Int32Array(0);
  readonly #sweep = new StripSweep();
  #order = new Int32Array(256);
  readonly #layers = new Int32Array(2 * FACES.length + 1);

  /** `nowX` ends what lives, in the layout's unit. */
  draw(layout: Layout, bands: Bands, view: View, faces: Uint8Array, nowX: number, width: number): void {
    this.#reserve(layout.count, bands);
    this.home.fill(-1, 0, layout.count);
    this.count = 0;
    const scaleX = width / (view.right - view.left);
    for (let level = 0; level < bands.count; level++)
      this.#level(layout, bands, view, faces, nowX, width, scaleX, level);
  }

  /** Higher is painted later: merged cells over others, worse faces over better ones. */
  layerOf(cell: number): number {
    return (int(this.agent, cell) < 0 ? FACES.length : 0) + int(this.face, cell);
  }

  /** All cells in the order of painting: by layer, so that a painter changes colours as seldom as can be. Kept until the next frame. */
  painted(): Int32Array {
    if (this.count > this.#order.length) this.#order = growInts(this.#order, this.count);
    const starts = this.#layers.fill(0);
    for (let cell = 0; cell < this.count; cell++) {
      const next = this.layerOf(cell) + 1;
      starts[next] = int(starts, next) + 1;
    }
    for (let layer = 1; layer < starts.length; layer++) starts[layer] = int(starts, layer) + int(starts, layer - 1);
    for (let cell = 0; cell < this.count; cell++) {
      const layer = this.layerOf(cell);
      const place = int(starts, layer);
      this.#order[place] = cell;
      starts[layer] = place + 1;
    }
    return this.#order;
  }

  /** Where an agent in the view lies by itself, whatever it was merged with: left, top, right, bottom. False when it is not in the view. */
  locate(agent: number, box: Int32Array): boolean {
    if (agent < 0 || agent >= this.home.length || int(this.home, agent) < 0) return false;
    box[0] = int(this.#left, agent);
    box[1] = int(this.#y0, agent);
    box[2] = int(this.#right, agent);
    box[3] = int(this.#y1, agent);
    return true;
  }

  /** The cell that one sees at a pixel; -1 for none. */
  cellAt(x: number, y: number): number {
    let found = -1;
    for (let cell = 0; cell < this.count; cell++) {
      const left = int(this.x, cell);
      const top = int(this.y, cell);
      if (x < left || y < top || x >= left + int(this.width, cell) || y >= top + int(this.height, cell)) continue;
      if (found < 0 || this.layerOf(cell) >= this.layerOf(found)) found = cell;
    }
    return found;
  }

  /** The agent that a cell shows at a pixel column: of a merged one the first of the worst. -1 when there is none. */
  agentIn(cell: number, x: number, faces: Uint8Array): number {
    if (cell < 0) return -1;
    const own = int(this.agent, cell);
    if (own >= 0) return own;
    const strip = int(this.strip, cell);
    const face = int(this.face, cell);
    let nearest = -1;
    for (let agent = 0; agent < this.home.length; agent++) {
      if (this.home[agent] !== strip || faces[agent] !== face) continue;
      if (x >= int(this.#left, agent) && x < int(this.#right, agent)) return agent;
      if (nearest < 0) nearest = agent;
    }
    return nearest;
  }

  #level(
    layout: Layout,
    bands: Bands,
    view: View,
    faces: Uint8Array,
    nowX: number,
    width: number,
    scaleX: number,
    level: number,
  ): void {
    const bandTop = int(bands.top, level);
    const bandBottom = int(bands.bottom, level);
    const scaleY = (bandBottom - bandTop) / (view.bottom - view.top);
    let tall = 0;
    let tiny = 0;
    for (let place = int(layout.levels, level); place < int(layout.levels, level + 1); place++) {
      const agent = int(layout.order, place);
      const topShare = float(layout.top, agent);
      const bottomShare = float(layout.bottom, agent);
      if (bottomShare <= view.top || topShare >= view.bottom || faces[agent] === ABSENT) continue;
      const from = Math.round((float(layout.left, agent) - view.left) * scaleX);
      if (from >= width) continue;
      const to = Math.round((Math.min(float(layout.right, agent), nowX) - view.left) * scaleX);
      if (to < from + MERGE_PX ? from + MERGE_PX <= 0 : to <= 0) continue;
      // Far outside there is nothing to see, and numbers too large for the screen.
      this.#left[agent] = from < -MERGE_PX ? -MERGE_PX : from;
      this.#right[agent] = to > width + MERGE_PX ? width + MERGE_PX : Math.max(to, from + MERGE_PX);
      const y0 = bandTop + Math.max(0, Math.round((topShare - view.top) * scaleY));
      const y1 = Math.min(bandBottom, bandTop + Math.round((bottomShare - view.top) * scaleY));
      const isTall = (bottomShare - topShare) * scaleY >= TALL_PX;
      this.#y0[agent] = Math.min(y0, bandBottom - 1);
      this.#y1[agent] = Math.max(y1, int(this.#y0, agent) + 1);
      if (isTall) this.#tall[tall++] = agent;
      else this.#tiny[tiny++] = agent;
    }
    if (tall > 0) this.#drawTall(tall, bandTop, bandBottom - bandTop, level, faces);
    if (tiny > 0) this.#drawTiny(tiny, bandTop, bandBottom, width, level, faces);
  }

  /** High enough for rows of their own. In a row they stand one after the other; narrow ones merge with their neighbours. */
  #drawTall(count: number, bandTop: number, bandHeight: number, level: number, faces: Uint8Array): void {
    this.#sort(this.#tall, count, this.#y0, bandTop, bandHeight);
    let y0 = -1;
    let y1 = -1;
    let edge = 0;
    let merged = -1;
    for (let index = 0; index < count; index++) {
      const agent = int(this.#sorted, index);
      if (y0 !== int(this.#y0, agent) || y1 !== int(this.#y1, agent)) {
        y0 = int(this.#y0, agent);
        y1 = int(this.#y1, agent);
        edge = -MERGE_PX;
        merged = -1;
      }
      const face = faces[agent] ?? 0;
      const left = Math.max(int(this.#left, agent), edge);
      const right = int(this.#right, agent);
      const isWide = int(this.#right, agent) - int(this.#left, agent) > MERGE_PX;
      if (isWide && right - left >= MERGE_PX) {
        this.home[agent] = this.#push(left, y0, right - left, y1 - y0, face, level, agent, 1);
        edge = right;
        merged = -1;
      } else if (merged >= 0 && int(this.#left, agent) < edge) {
        this.home[agent] = merged;
        this.agents[merged] = int(this.agents, merged) + 1;
        this.agent[merged] = -1;
        if (face > int(this.face, merged)) this.face[merged] = face;
      } else {
        merged = this.#push(left, y0, MERGE_PX, y1 - y0, face, level, agent, 1);
        this.home[agent] = merged;
        edge = left + MERGE_PX;
      }
    }
  }

  /** Too low for rows of their own: strips, each of whose pixel columns has the worst face of those who were there then. */
  #drawTiny(count: number, bandTop: number, bandBottom: number, width: number, level: number, faces: Uint8Array): void {
    this.#sort(this.#tiny, count, this.#y0, bandTop, bandBottom - bandTop);
    const sweep = this.#sweep;
    sweep.reserve(width + 2 * MERGE_PX + 2);
    let index = 0;
    while (index < count) {
      const y = int(this.#y0, int(this.#sorted, index));
      const first = index;
      for (; index < count; index++) {
        const agent = int(this.#sorted, index);
        if (int(this.#y0, agent) >= y + MERGE_PX) break;
        sweep.add(int(this.#left, agent) + MERGE_PX, int(this.#right, agent) + MERGE_PX, faces[agent] ?? 0);
        this.home[agent] = this.count;
      }
      const height = Math.min(MERGE_PX, bandBottom - y);
      const strip = this.count;
      const only = index - first === 1 ? int(this.#sorted, first) : -1;
      sweep.run((from, to, face) => {
        const cell = this.#push(from - MERGE_PX, y, to - from, height, face, level, only, index - first);
        this.strip[cell] = strip;
      });
    }
  }

  /** By pixel row, keeping the order within one. */
  #sort(agents: Int32Array, count: number, y: Int32Array, top: number, rows: number): void {
    const starts = this.#starts;
    starts.fill(0, 0, rows + 1);
    for (let index = 0; index < count; index++) {
      const row = int(y, int(agents, index)) - top + 1;
      starts[row] = int(starts, row) + 1;
    }
    for (let row = 1; row <= rows; row++) starts[row] = int(starts, row) + int(starts, row - 1);
    for (let index = 0; index < count; index++) {
      const agent = int(agents, index);
      const row = int(y, agent) - top;
      const place = int(starts, row);
      this.#sorted[place] = agent;
      starts[row] = place + 1;
    }
  }

  #push(
    x: number,
    y: number,
    width: number,
    height: number,
    face: number,
    level: number,
    agent: number,
    agents: number,
  ): number {
    const cell = this.count++;
    if (cell >= this.x.length) this.#grow(cell + 1);
    this.x[cell] = x;
    this.y[cell] = y;
    this.width[cell] = width;
    this.height[cell] = height;
    this.face[cell] = face;
    this.level[cell] = level;
    this.agent[cell] = agent;
    this.agents[cell] = agents;
    this.strip[cell] = cell;
    return cell;
  }

  #grow(count: number): void {
    this.x = growInts(this.x, count);
    this.y = growInts(this.y, count);
    this.width = growInts(this.width, count);
    this.height = growInts(this.height, count);
    this.face = growInts(this.face, count);
    this.level = growInts(this.level, count);
    this.agent = growInts(this.agent, count);
    this.agents = growInts(this.agents, count);
    this.strip = growInts(this.strip, count);
  }

  #reserve(count: number, bands: Bands): void {
    const height = int(bands.bottom, bands.count - 1) + 2;
    if (height > this.#starts.length) this.#starts = growInts(this.#starts, height);
    if (count <= this.home.length) return;
    this.home = growInts(this.home, count).fill(-1);
    this.#left = growInts(this.#left, count);
    this.#right = growInts(this.#right, count);
    this.#y0 = growInts(this.#y0, count);
    this.#y1 = growInts(this.#y1, count);
    this.#tall = growInts(this.#tall, count);
    this.#tiny = growInts(this.#tiny, count);
    this.#sorted = growInts(this.#sorted, count);
  }
}
