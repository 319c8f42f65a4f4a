/**
 * Edges from agents to their forks in a view. Edges that begin and end in the same squares of the screen are one, so that a hundred forks are
 * some lines with a weight instead of a cloud. Made anew for every frame, in arrays that are kept.
 *
 * E1  Every fork in the view is on exactly one edge, at every zoom; both its ends lie within a square of where the edge's are.
 * E2  There are never more than EDGES_MAX edges: squares grow until that is so.
 * E3  Of a fork whose origin is out of view there is a stub that points there.
 */
import { at } from "../columns.ts";
import type { Cells } from "./cells.ts";

export const EDGES_MAX = 400;
/** Squares at first, in pixels. */
const SQUARE_PX = 12;
/** How far a stub reaches, to the side and up or down. */
const STUB_X = 16;
const STUB_Y = 12;
/** Slots of the table that finds an edge by its squares: more than twice EDGES_MAX, a power of two. */
const SLOTS = 1_024;

interface Kin {
  readonly forkOf: Int32Array;
  readonly level: Int32Array;
}

export class ForkEdges {
  count = 0;
  /** Of the screen squares that the edges begin and end in. */
  square = SQUARE_PX;
  readonly fromX = new Float64Array(EDGES_MAX);
  readonly fromY = new Float64Array(EDGES_MAX);
  readonly toX = new Float64Array(EDGES_MAX);
  readonly toY = new Float64Array(EDGES_MAX);
  /** Forks that are drawn as this one edge. */
  readonly forks = new Int32Array(EDGES_MAX);
  /** Of edges whose origins are out of view. */
  readonly isStub = new Uint8Array(EDGES_MAX);
  readonly #keys = new Float64Array(SLOTS);
  readonly #edges = new Int32Array(SLOTS);
  readonly #to = new Int32Array(4);
  readonly #from = new Int32Array(4);
  /** From left, from top, to left, to top, and 1 for a stub, of the fork that `place` found. */
  readonly ends = new Float64Array(5);

  draw(cells: Cells, kin: Kin, forks: Int32Array, isTime: boolean): void {
    this.square = SQUARE_PX;
    while (!this.#collect(cells, kin, forks, isTime)) this.square *= 2;
    for (let edge = 0; edge < this.count; edge++) {
      const number = at(this.forks, edge);
      this.fromX[edge] = at(this.fromX, edge) / number;
      this.fromY[edge] = at(this.fromY, edge) / number;
      this.toX[edge] = at(this.toX, edge) / number;
      this.toY[edge] = at(this.toY, edge) / number;
    }
  }

  /** Where the edge to a fork lies by itself, into `ends`; false when the fork is not in the view. */
  place(cells: Cells, { forkOf, level }: Kin, fork: number, isTime: boolean): boolean {
    const origin = at(forkOf, fork);
    const to = this.#to;
    const from = this.#from;
    const ends = this.ends;
    if (origin < 0 || !cells.locate(fork, to)) return false;
    ends[2] = isTime ? at(to, 0) + 1 : (at(to, 0) + at(to, 2)) / 2;
    ends[3] = (at(to, 1) + at(to, 3)) / 2;
    if (!cells.locate(origin, from)) {
      // On the same level it may lie on either side; whoever is older mostly lies above.
      const isBelow = at(level, origin) > at(level, fork);
      ends[0] = at(ends, 2) - STUB_X;
      ends[1] = at(ends, 3) + (isBelow ? STUB_Y : -STUB_Y);
      ends[4] = 1;
      return true;
    }
    ends[0] = isTime ? Math.max(at(from, 0), Math.min(at(from, 2), at(ends, 2) - 10)) : (at(from, 0) + at(from, 2)) / 2;
    ends[1] = (at(from, 1) + at(from, 3)) / 2;
    ends[4] = 0;
    return true;
  }

  /** False when there are too many for squares of this size. */
  #collect(cells: Cells, kin: Kin, forks: Int32Array, isTime: boolean): boolean {
    this.count = 0;
    this.#edges.fill(-1);
    for (let index = 0; index < forks.length; index++) {
      if (!this.place(cells, kin, at(forks, index), isTime)) continue;
      const slot = this.#slotOf(this.#keyOfEnds());
      let edge = at(this.#edges, slot);
      if (edge < 0) {
        edge = this.count++;
        if (edge >= EDGES_MAX) return false;
        this.#edges[slot] = edge;
        this.fromX[edge] = 0;
        this.fromY[edge] = 0;
        this.toX[edge] = 0;
        this.toY[edge] = 0;
        this.forks[edge] = 0;
        this.isStub[edge] = at(this.ends, 4);
      }
      this.fromX[edge] = at(this.fromX, edge) + at(this.ends, 0);
      this.fromY[edge] = at(this.fromY, edge) + at(this.ends, 1);
      this.toX[edge] = at(this.toX, edge) + at(this.ends, 2);
      this.toY[edge] = at(this.toY, edge) + at(this.ends, 3);
      this.forks[edge] = at(this.forks, edge) + 1;
    }
    return true;
  }

  /** Squares of both ends, in one number; a screen has less than 2^10 by 2^10 of them. Stubs are apart from all others. */
  #keyOfEnds(): number {
    let key = at(this.ends, 4);
    for (let end = 0; end < 4; end++) key = key * 1_024 + ((Math.floor(at(this.ends, end) / this.square) + 8) & 1_023);
    return key;
  }

  #slotOf(key: number): number {
    let slot = (key ^ Math.floor(key / 1_048_573)) & (SLOTS - 1);
    while (at(this.#edges, slot) >= 0 && at(this.#keys, slot) !== key) slot = (slot + 1) & (SLOTS - 1);
    this.#keys[slot] = key;
    return slot;
  }
}
