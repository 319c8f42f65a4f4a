/**
 * Where every agent lies, before anyone looks: along x from `left` to `right`, which is time or a part of all cost; and within the
 * height of its level from `top` to `bottom`, which are parts of 1. How it is seen (cells.ts) changes with every frame, this only with the fleet.
 *
 * Y1  A child lies under its parent: within its share of the height over time, within its width by cost.
 * Y2  Siblings stand in the order of spawning, and never change it.
 * Y3  Widths by cost are those of subtree cost, now or at a past moment. What costs nothing has a width that cannot be seen, so that it is in the picture still.
 */
import { at, growFloats, growInts } from "../columns.ts";
import type { Fleet } from "../fleet.ts";
import { Lanes } from "./lanes.ts";
import type { Costs } from "./past.ts";

export type Along = "time" | "cost";

/** An agent that costs nothing is as wide as this part of all cost, shared among all agents. */
const UNSEEN_PART = 1e-3;

export class Layout {
  along: Along = "time";
  count = 0;
  /** Milliseconds since the epoch, infinite to the right while it lives; or a part of all cost, from 0 to 1. */
  left = new Float64Array(0);
  right = new Float64Array(0);
  top = new Float64Array(0);
  bottom = new Float64Array(0);
  /** All agents, level by level, in spawn order within a parent, parents in the order of their own level. */
  order = new Int32Array(0);
  /** Where in `order` a level begins; one more than there are levels. */
  levels = new Int32Array(1);
  levelCount = 0;
  /** The least share of the height that anyone has: further in there is nothing to see. */
  finest = 1;
  /** How many cells of the finest height a level has room for. */
  finestOfLevel = new Float64Array(0);
  firstMs = 0;
  readonly lanes = new Lanes();
  /** Cost of a subtree with the unseen width of those in it. */
  #weight = new Float64Array(0);
  #given: { fleet: Fleet; version: number; along: Along; then: Costs | undefined } | undefined;

  /** Whether `update` would do nothing. */
  isCurrent(fleet: Fleet, along: Along, then?: Costs): boolean {
    const given = this.#given;
    if (given?.fleet !== fleet || given.version !== fleet.version || given.along !== along) return false;
    return along === "time" || given.then === then;
  }

  /** Follows the fleet; does nothing while neither it nor the question has changed. `then` is for what had been spent at a past moment. */
  update(fleet: Fleet, along: Along, then?: Costs): boolean {
    const given = this.#given;
    if (this.isCurrent(fleet, along, then)) return false;
    const isBorn = given?.fleet !== fleet || this.count !== fleet.count || given.along !== along;
    this.along = along;
    this.#reserve(fleet.count);
    if (along === "time") this.#byTime(fleet, isBorn);
    else this.#byCost(fleet, then ?? { nano: fleet.sums.nano, allNano: fleet.sums.all.nano });
    this.count = fleet.count;
    if (isBorn) this.#sort(fleet);
    if (along === "time") this.#measure();
    this.#given = { fleet, version: fleet.version, along, then };
    return true;
  }

  #byTime(fleet: Fleet, isBorn: boolean): void {
    let hasEnded = isBorn;
    let firstMs = Number.POSITIVE_INFINITY;
    for (let agent = 0; agent < fleet.count; agent++) {
      const spawned = at(fleet.spawnedMs, agent);
      const ended = fleet.endedMs[agent] || Number.POSITIVE_INFINITY;
      const right = ended < spawned ? spawned : ended;
      if (this.right[agent] !== right) hasEnded = true;
      if (spawned < firstMs) firstMs = spawned;
      this.left[agent] = spawned;
      this.right[agent] = right;
    }
    this.firstMs = fleet.count === 0 ? fleet.timeMs : firstMs;
    if (!hasEnded) return;
    this.lanes.arrange(fleet);
    this.top.set(this.lanes.top.subarray(0, fleet.count));
    this.bottom.set(this.lanes.bottom.subarray(0, fleet.count));
  }

  #byCost(fleet: Fleet, { nano, allNano }: Costs): void {
    const weight = this.#weight;
    const unseen = allNano > 0 ? (UNSEEN_PART * allNano) / fleet.count : 1;
    let total = 0;
    for (let agent = 0; agent < fleet.count; agent++) {
      weight[agent] = (nano[agent] ?? 0) + unseen * at(fleet.sums.agents, agent);
      if (at(fleet.parent, agent) < 0) total += at(weight, agent);
      this.top[agent] = 0;
      this.bottom[agent] = 1;
    }
    this.#place(fleet, fleet.firstRoot, 0, 1 / total, 1);
    for (let agent = 0; agent < fleet.count; agent++) {
      const child = at(fleet.firstChild, agent);
      if (child >= 0) this.#place(fleet, child, at(this.left, agent), 1 / total, at(this.right, agent));
    }
    this.finest = 1;
    this.finestOfLevel.fill(1);
  }

  #place(fleet: Fleet, first: number, start: number, scale: number, end: number): void {
    let left = start;
    for (let child = first; child >= 0; child = at(fleet.nextSibling, child)) {
      const right = left + at(this.#weight, child) * scale;
      this.left[child] = left;
      // Sums of many small numbers may be off by their last digit.
      this.right[child] = right > end ? end : right;
      left = at(this.right, child);
    }
  }

  #sort(fleet: Fleet): void {
    let placed = 0;
    for (let root = fleet.firstRoot; root >= 0; root = at(fleet.nextSibling, root)) this.order[placed++] = root;
    let level = 0;
    let from = 0;
    this.levels[0] = 0;
    while (from < placed) {
      const to = placed;
      if (level + 2 > this.levels.length) this.levels = growInts(this.levels, level + 2);
      for (let place = from; place < to; place++) {
        const parent = at(this.order, place);
        for (let child = at(fleet.firstChild, parent); child >= 0; child = at(fleet.nextSibling, child)) {
          this.order[placed++] = child;
        }
      }
      level += 1;
      this.levels[level] = to;
      from = to;
    }
    this.levelCount = level;
    if (level > this.finestOfLevel.length) this.finestOfLevel = growFloats(this.finestOfLevel, level);
    this.finestOfLevel.fill(1);
  }

  #measure(): void {
    this.finest = 1;
    for (let level = 0; level < this.levelCount; level++) {
      let finest = 1;
      for (let place = at(this.levels, level); place < at(this.levels, level + 1); place++) {
        const agent = at(this.order, place);
        const share = at(this.bottom, agent) - at(this.top, agent);
        if (share < finest) finest = share;
      }
      this.finestOfLevel[level] = finest;
      if (finest < this.finest) this.finest = finest;
    }
  }

  #reserve(count: number): void {
    if (count <= this.left.length) return;
    this.left = growFloats(this.left, count);
    this.right = growFloats(this.right, count);
    this.top = growFloats(this.top, count);
    this.bottom = growFloats(this.bottom, count);
    this.#weight = growFloats(this.#weight, count);
    this.order = growInts(this.order, count);
  }
}
