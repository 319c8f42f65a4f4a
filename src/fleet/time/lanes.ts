/**
 * Who stands beside whom while time runs to the right. Agents of one parent that live at the same time lie in lanes of their own,
 * one above the other; one that is spawned after another has ended, with all below it, takes over its lane. All lanes together fill
 * the parent's share of the height, so that an agent always lies under its parent: within its share, and, as it lives no longer, within its time.
 *
 * Why lanes, and not shares by the number of agents: a lane is chosen when an agent is born, from what has ended before, and that never
 * changes afterwards. A birth moves others only when more agents live at once than ever before, and then by one lane among all of them, in
 * unchanged order. Ends, changes and cost move nothing.
 *
 * L1  Subtrees in one lane of a parent are apart in time, whatever the clocks of their hosts said.
 * L2  Agents take the lane that is free and nearest to the top; a lane once taken is kept.
 * L3  The shares of a parent's lanes fill its own; each is as wide as what lives in it at most.
 */
import { float, growFloats, growInts, int } from "../columns.ts";
import type { Fleet } from "../fleet.ts";
import { IndexHeap } from "./index-heap.ts";

type Born = Pick<Fleet, "count" | "parent" | "firstChild" | "nextSibling" | "firstRoot" | "spawnedMs" | "endedMs">;

export class Lanes {
  /** Share of the height of a level, from 0 to 1. */
  top = new Float64Array(0);
  bottom = new Float64Array(0);
  /** Lane among those of the parent. */
  lane = new Int32Array(0);
  /** Lanes that a subtree needs: the most that ever lived side by side in it, lane by lane. */
  width = new Int32Array(0);
  /** Of a subtree: its first birth, and its last end; infinite while anyone in it lives. */
  fromMs = new Float64Array(0);
  untilMs = new Float64Array(0);
  /** Of all trees. */
  rootWidth = 1;
  /** By lane of the parent at hand. */
  #laneWidth = new Int32Array(16);
  #laneStart = new Int32Array(16);
  #laneUntil = new Float64Array(16);
  readonly #free = new IndexHeap();
  readonly #busy = new IndexHeap();

  arrange(fleet: Born): void {
    this.#reserve(fleet.count);
    // Children have higher ordinals than their parents.
    for (let agent = fleet.count - 1; agent >= 0; agent--) {
      this.fromMs[agent] = float(fleet.spawnedMs, agent);
      this.untilMs[agent] = fleet.endedMs[agent] || Number.POSITIVE_INFINITY;
      const child = int(fleet.firstChild, agent);
      this.width[agent] = child < 0 ? 1 : this.#take(fleet, child, agent);
    }
    this.rootWidth = fleet.firstRoot < 0 ? 1 : this.#take(fleet, fleet.firstRoot, -1);
    this.#share(fleet, fleet.firstRoot, 0, 1, this.rootWidth);
    for (let agent = 0; agent < fleet.count; agent++) {
      const child = int(fleet.firstChild, agent);
      if (child >= 0)
        this.#share(fleet, child, float(this.top, agent), float(this.bottom, agent), int(this.width, agent));
    }
  }

  /** Gives siblings their lanes; returns how many they need together. */
  #take(fleet: Born, first: number, parent: number): number {
    const { lane, fromMs, untilMs } = this;
    this.#free.clear();
    this.#busy.clear();
    let lanes = 0;
    for (let child = first; child >= 0; child = int(fleet.nextSibling, child)) {
      const from = float(fromMs, child);
      const until = float(untilMs, child);
      // Whoever ended in the very millisecond of a birth may be told of later than the birth.
      while (this.#busy.size > 0 && float(this.#laneUntil, this.#busy.first) < from) {
        const freed = this.#busy.pop();
        this.#free.push(freed, freed);
      }
      // Hosts whose clocks differ may tell of a birth before one that was told of earlier.
      const isFree = this.#free.size > 0 && float(this.#laneUntil, this.#free.first) < from;
      const taken = isFree ? this.#free.pop() : this.#open(lanes++);
      lane[child] = taken;
      this.#laneUntil[taken] = until;
      this.#laneWidth[taken] = Math.max(int(this.#laneWidth, taken), int(this.width, child));
      if (until < Number.POSITIVE_INFINITY) this.#busy.push(taken, until);
      if (parent >= 0) {
        fromMs[parent] = Math.min(float(fromMs, parent), from);
        untilMs[parent] = Math.max(float(untilMs, parent), until);
      }
    }
    let width = 0;
    for (let index = 0; index < lanes; index++) width += int(this.#laneWidth, index);
    return width;
  }

  #open(lane: number): number {
    if (lane >= this.#laneWidth.length) {
      this.#laneWidth = growInts(this.#laneWidth, lane + 1);
      this.#laneStart = growInts(this.#laneStart, lane + 1);
      this.#laneUntil = growFloats(this.#laneUntil, lane + 1);
    }
    this.#laneWidth[lane] = 0;
    return lane;
  }

  #share(fleet: Born, first: number, top: number, bottom: number, width: number): void {
    const { lane } = this;
    let lanes = 0;
    for (let child = first; child >= 0; child = int(fleet.nextSibling, child)) {
      const taken = int(lane, child);
      if (taken >= lanes) {
        this.#laneWidth[taken] = 0;
        lanes = taken + 1;
      }
      this.#laneWidth[taken] = Math.max(int(this.#laneWidth, taken), int(this.width, child));
    }
    for (let index = 0, start = 0; index < lanes; index++) {
      this.#laneStart[index] = start;
      start += int(this.#laneWidth, index);
    }
    const scale = (bottom - top) / width;
    for (let child = first; child >= 0; child = int(fleet.nextSibling, child)) {
      const start = int(this.#laneStart, int(lane, child));
      const end = start + int(this.#laneWidth, int(lane, child));
      this.top[child] = top + start * scale;
      // Rounding must not let the last one stand out.
      this.bottom[child] = end === width ? bottom : top + end * scale;
    }
  }

  #reserve(count: number): void {
    if (count <= this.top.length) return;
    this.top = growFloats(this.top, count);
    this.bottom = growFloats(this.bottom, count);
    this.fromMs = growFloats(this.fromMs, count);
    this.untilMs = growFloats(this.untilMs, count);
    this.lane = growInts(this.lane, count);
    this.width = growInts(this.width, count);
  }
}
