/**
 * How the height is shared among levels: a level with more agents has more of it, by powers of two, so that births seldom move
 * a level; nobody has more than it needs.
 */
import { at } from "../columns.ts";
import type { Layout } from "./layout.ts";

/** The height at which a cell has room for its name, its shape and some air, and which none needs more than. */
const CELL_HEIGHT_MAX = 30;
const COST_HEIGHT_MAX = 46;

export interface Bands {
  /** First pixel row of a level, and the one after its last. */
  readonly top: Int32Array;
  readonly bottom: Int32Array;
  readonly count: number;
}

export function shareHeight(layout: Layout, height: number): Bands {
  const { levelCount: count } = layout;
  const top = new Int32Array(count);
  const bottom = new Int32Array(count);
  const most = new Float64Array(count);
  const weight = new Float64Array(count);
  for (let level = 0; level < count; level++) {
    const agents = at(layout.levels, level + 1) - at(layout.levels, level);
    const isTime = layout.along === "time";
    const lanes = isTime ? 1 / at(layout.finestOfLevel, level) : 1;
    weight[level] = isTime ? 2 + Math.ceil(Math.log2(agents + 1)) : 1;
    most[level] = isTime ? Math.min(Math.max(1, Math.round(lanes)), agents) * CELL_HEIGHT_MAX : COST_HEIGHT_MAX;
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
