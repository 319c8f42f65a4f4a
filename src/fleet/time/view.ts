/**
 * The part of the picture that is looked at: from `left` to `right` along x, in the layout's unit, and from `top` to `bottom` of every level's height.
 *
 * V1  A view stays within the bounds, and never shows less than the least there is to see.
 * V2  The point under the pointer stays under it while one zooms.
 * V3  What is looked at stays where it is while others are born elsewhere: a view of a part is tied to an agent in it.
 * V4  A view of the whole stays one of the whole; one that shows the present goes on showing it.
 */
import { at } from "../columns.ts";
import type { Layout } from "./layout.ts";

export interface View {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export interface Bounds {
  readonly left: number;
  readonly right: number;
  /** The least there is to see of either. */
  readonly leastWide: number;
  readonly leastHigh: number;
}

/** Time is looked at to the tenth of a second. */
const LEAST_MS = 1_000;
/** Room beyond the present, as a part of all time, so that what is newest does not stick to the edge. */
const BEYOND = 0.02;

export function boundsOf(layout: Layout, nowMs: number): Bounds {
  if (layout.along === "cost") return { left: 0, right: 1, leastWide: 1e-6, leastHigh: 1 };
  const span = Math.max(nowMs - layout.firstMs, 10_000);
  return {
    left: layout.firstMs - span * 0.004,
    right: layout.firstMs + span * (1 + BEYOND),
    leastWide: LEAST_MS,
    leastHigh: Math.min(1, layout.finest),
  };
}

export function whole({ left, right }: Bounds): View {
  return { left, right, top: 0, bottom: 1 };
}

export function isWhole(view: View, bounds: Bounds): boolean {
  return view.left <= bounds.left && view.right >= bounds.right && view.top <= 0 && view.bottom >= 1;
}

/** By less than 1 to see more closely. `x` and `y` are parts of the view, and stay where they are. */
export function zoom(view: View, bounds: Bounds, by: { wide: number; high: number }, x: number, y: number): View {
  const wide = clamp((view.right - view.left) * by.wide, bounds.leastWide, bounds.right - bounds.left);
  const high = clamp((view.bottom - view.top) * by.high, bounds.leastHigh, 1);
  const left = view.left + x * (view.right - view.left) - x * wide;
  const top = view.top + y * (view.bottom - view.top) - y * high;
  return within({ left, right: left + wide, top, bottom: top + high }, bounds);
}

/** By parts of the view. */
export function pan(view: View, bounds: Bounds, x: number, y: number): View {
  const dx = x * (view.right - view.left);
  const dy = y * (view.bottom - view.top);
  return within({ left: view.left + dx, right: view.right + dx, top: view.top + dy, bottom: view.bottom + dy }, bounds);
}

/** Moved, and made smaller when it is larger than all there is. */
function within(view: View, bounds: Bounds): View {
  const wide = clamp(view.right - view.left, bounds.leastWide, bounds.right - bounds.left);
  const high = clamp(view.bottom - view.top, bounds.leastHigh, 1);
  const left = clamp(view.left, bounds.left, bounds.right - wide);
  const top = clamp(view.top, 0, 1 - high);
  return { left, right: left + wide, top, bottom: top + high };
}

/** A subtree as large as it goes, with a little air around. */
export function around(layout: Layout, bounds: Bounds, agent: number, nowMs: number): View {
  const left = at(layout.left, agent);
  const until =
    layout.along === "time"
      ? Math.max(at(layout.lanes.untilMs, agent), at(layout.right, agent))
      : at(layout.right, agent);
  const right = layout.along === "time" ? Math.min(until, nowMs) : until;
  const air = Math.max(right - left, bounds.leastWide) * 0.03;
  const [top, bottom] = layout.along === "time" ? [at(layout.top, agent), at(layout.bottom, agent)] : [0, 1];
  return within({ left: left - air, right: right + air, top, bottom }, bounds);
}

/** Moved as little as needed to have the agent's beginning in it; its size only if the agent is larger than the view. */
export function reveal(view: View, layout: Layout, bounds: Bounds, agent: number, nowMs: number): View {
  const wide = view.right - view.left;
  const high = view.bottom - view.top;
  const start = at(layout.left, agent);
  const end = Math.min(at(layout.right, agent), layout.along === "time" ? nowMs : 1);
  let { left, top } = view;
  if (end < left + 0.02 * wide || start > view.right - 0.04 * wide) left = start - 0.1 * wide;
  if (at(layout.bottom, agent) <= top || at(layout.top, agent) >= top + high) {
    top = (at(layout.top, agent) + at(layout.bottom, agent) - high) / 2;
  }
  return within({ left, right: left + wide, top, bottom: top + high }, bounds);
}

/** What a view is tied to while the layout changes: an agent, and where it lay. */
export interface Anchor {
  readonly agent: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly bounds: Bounds;
}

/** The smallest that still covers the middle of the view, so that what is looked at hangs on its nearest. */
export function anchorOf(view: View, layout: Layout, bounds: Bounds): Anchor | undefined {
  const x = (view.left + view.right) / 2;
  const y = (view.top + view.bottom) / 2;
  let found = -1;
  for (let place = 0; place < at(layout.levels, layout.levelCount); place++) {
    const agent = at(layout.order, place);
    const isHere = layout.along === "cost" ? at(layout.left, agent) <= x && at(layout.right, agent) > x : true;
    // Deeper levels come later, and lie within what lies above them.
    if (isHere && at(layout.top, agent) <= y && at(layout.bottom, agent) > y) found = agent;
  }
  if (found < 0) return undefined;
  const { left, right, top, bottom } = layout;
  return {
    agent: found,
    left: at(left, found),
    right: at(right, found),
    top: at(top, found),
    bottom: at(bottom, found),
    bounds,
  };
}

/** The same view of a layout that has changed since. */
export function keep(view: View, anchor: Anchor | undefined, layout: Layout, bounds: Bounds): View {
  const before = anchor?.bounds ?? bounds;
  let { left, right, top, bottom } = view;
  if (layout.along === "cost") {
    if (anchor && right - left < 1) {
      const scale = (at(layout.right, anchor.agent) - at(layout.left, anchor.agent)) / (anchor.right - anchor.left);
      const move = (x: number) => at(layout.left, anchor.agent) + (x - anchor.left) * scale;
      [left, right] = [move(left), move(right)];
    }
  } else if (left <= before.left && right >= before.right) {
    [left, right] = [bounds.left, bounds.right];
  } else if (right >= before.right) {
    left += bounds.right - right;
    right = bounds.right;
  }
  if (anchor && layout.along === "time" && (top > 0 || bottom < 1)) {
    const scale = (at(layout.bottom, anchor.agent) - at(layout.top, anchor.agent)) / (anchor.bottom - anchor.top);
    const move = (y: number) => at(layout.top, anchor.agent) + (y - anchor.top) * scale;
    [top, bottom] = [move(top), move(bottom)];
  }
  return within({ left, right, top, bottom }, bounds);
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value));
}
