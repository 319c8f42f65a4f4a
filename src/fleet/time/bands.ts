/**
 * How the height is shared among levels: a level with more agents in the view has more of it, by powers of two, so that births seldom
 * move a level; nobody has more than it needs. A level of which nobody is in the view is a thin line, and leaves its height to the others.
 */
import { at, float, int } from "../columns.ts";
import type { Layout } from "./layout.ts";
import type { View } from "./view.ts";

/** The height at which a cell has room for its name, its shape and some air, and which none needs more than. */
const CELL_HEIGHT_MAX = 36;
/** At which the lowest cell still has room for its name. */
const CELL_HEIGHT_MIN = 17;
const COST_HEIGHT_MAX = 64;
/** Of a level of which nobody is in the view. */
const EMPTY_HEIGHT = 10;

export interface Bands {
  /** First pixel row of a level, and the one after its last. */
  readonly top: Int32Array;
  readonly bottom: Int32Array;
  readonly count: number;
}

export function shareHeight(layout: Layout, height: number, view?: View): Bands {
  const { levelCount: count } = layout;
  const top = new Int32Array(count);
  const bottom = new Int32Array(count);
  const most = new Float64Array(count);
  const weight = new Float64Array(count);
  for (let level = 0; level < count; level++) {
    const agents = agentsInView(layout, level, view);
    const isTime = layout.along === "time";
    const lanes = isTime ? 1 / at(layout.finestOfLevel, level) : 1;
    weight[level] = isTime ? 2 + Math.ceil(Math.log2(agents + 1)) : 1;
    const roomy = Math.min(Math.max(1, Math.round(lanes)), agents) * CELL_HEIGHT_MAX;
    most[level] = isTime ? Math.max(roomy, lanes * CELL_HEIGHT_MIN) : COST_HEIGHT_MAX;
    // However little room there is: a thin line where all lines are thin.
    if (agents === 0) most[level] = EMPTY_HEIGHT;
  }
  const gap = height / count >= 12 ? 3 : height / count >= 5 ? 1 : 0;
  const heights = pour(weight, most, height - gap * count);
  let y = 0;
  for (let level = 0; level < count; level++) {
    top[level] = Math.round(y);
    y += at(heights, level);
    bottom[level] = Math.max(at(top, level) + 1, Math.round(y));
    y += gap;
  }
  return { top, bottom, count };
}

/** Agents of a level in the part of the tree that is looked at, at whatever time. */
function agentsInView(layout: Layout, level: number, view: View | undefined): number {
  const from = at(layout.levels, level);
  const to = at(layout.levels, level + 1);
  if (!view) return to - from;
  const isTime = layout.along === "time";
  const [starts, ends] = isTime ? [layout.top, layout.bottom] : [layout.left, layout.right];
  const [least, most] = isTime ? [view.top, view.bottom] : [view.left, view.right];
  let agents = 0;
  for (let place = from; place < to; place++) {
    const agent = int(layout.order, place);
    if (float(starts, agent) < most && float(ends, agent) > least) agents += 1;
  }
  return agents;
}

/** Part of its way that a level goes in a frame. */
const EASE = 0.35;

/** Lets levels glide to where they belong instead of leaping there. */
export class GlidingBands implements Bands {
  top = new Int32Array(0);
  bottom = new Int32Array(0);
  count = 0;
  #edges = new Float64Array(0);
  #target: Bands = this;

  aim(target: Bands): void {
    this.#target = target;
    if (target.count === this.count) return;
    this.count = target.count;
    this.top = target.top.slice();
    this.bottom = target.bottom.slice();
    this.#edges = new Float64Array(2 * this.count);
    this.arrive();
  }

  /** At once. */
  arrive(): void {
    for (let level = 0; level < this.count; level++) {
      this.#edges[2 * level] = at(this.#target.top, level);
      this.#edges[2 * level + 1] = at(this.#target.bottom, level);
    }
    this.#round();
  }

  /** A frame further; false when it has arrived. */
  move(): boolean {
    let isMoving = false;
    for (let index = 0; index < 2 * this.count; index++) {
      const column = index % 2 === 0 ? this.#target.top : this.#target.bottom;
      const left = at(column, index >> 1) - at(this.#edges, index);
      if (Math.abs(left) < 0.5) this.#edges[index] = at(column, index >> 1);
      else this.#edges[index] = at(this.#edges, index) + left * EASE;
      isMoving ||= Math.abs(left) >= 0.5;
    }
    this.#round();
    return isMoving;
  }

  #round(): void {
    for (let level = 0; level < this.count; level++) {
      const top = Math.round(at(this.#edges, 2 * level));
      this.top[level] = top;
      this.bottom[level] = Math.max(top + 1, Math.round(at(this.#edges, 2 * level + 1)));
    }
  }
}

/** Shares an amount by weight, none getting more than it may have; what those leave goes to the others. */
function pour(weight: Float64Array, most: Float64Array, amount: number): Float64Array {
  const given = new Float64Array(weight.length);
  let left = Math.max(0, amount);
  for (let round = 0; round < weight.length; round++) {
    let open = 0;
    for (let index = 0; index < weight.length; index++) if (at(given, index) === 0) open += at(weight, index);
    let isFull = false;
    const unit = left / open;
    for (let index = 0; index < weight.length; index++) {
      if (at(given, index) > 0 || at(most, index) > at(weight, index) * unit) continue;
      given[index] = at(most, index);
      left -= at(most, index);
      isFull = true;
    }
    if (isFull) continue;
    for (let index = 0; index < weight.length; index++) {
      if (at(given, index) === 0) given[index] = at(weight, index) * unit;
    }
    break;
  }
  return given;
}
