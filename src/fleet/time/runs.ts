/**
 * What is drawn inside the cells of a view: the runs of faces that an agent showed one after the other, and the stretches that rewinds
 * took back. Made anew for every frame, in arrays that are kept, so that a frame allocates nothing.
 *
 * R1  Every pixel column of a cell whose agent is known has one run: of what is under 2 px, merged, the worst is on top.
 * R2  Nothing is drawn outside of its cell, nor of the view.
 * R3  A cut covers what was taken back by the moment that is shown, each column once, and at least 2 px.
 */
import { float, growInts, int } from "../columns.ts";
import type { Cells } from "./cells.ts";
import { FACES } from "./faces.ts";
import type { Tracks } from "./tracks.ts";
import type { View } from "./view.ts";

const MERGE_PX = 2;
/** Cells less wide or high than this show their newest face alone. */
const WIDE_PX = 16;
const HIGH_PX = 8;

/** Rectangles in arrays that grow. */
class Stretches {
  count = 0;
  cell = new Int32Array(256);
  x = new Int32Array(256);
  width = new Int32Array(256);
  /** Index in FACES. */
  face = new Int32Array(256);

  push(cell: number, x: number, width: number, face: number): void {
    const index = this.count++;
    if (index >= this.x.length) {
      this.cell = growInts(this.cell, index + 1);
      this.x = growInts(this.x, index + 1);
      this.width = growInts(this.width, index + 1);
      this.face = growInts(this.face, index + 1);
    }
    this.cell[index] = cell;
    this.x[index] = x;
    this.width[index] = width;
    this.face[index] = face;
  }
}

export class Runs {
  readonly runs = new Stretches();
  readonly cuts = new Stretches();
  #order = new Int32Array(256);
  readonly #starts = new Int32Array(FACES.length + 1);

  /** `nowX` ends what lives, `untilMs` is the moment that is shown: what was taken back later still stood then. */
  draw(cells: Cells, tracks: Tracks, view: View, nowX: number, width: number, untilMs: number): void {
    this.runs.count = 0;
    this.cuts.count = 0;
    const scale = width / (view.right - view.left);
    for (let cell = 0; cell < cells.count; cell++) {
      if (!isRoomy(cells, cell, width)) continue;
      const track = tracks.of(int(cells.agent, cell));
      if (!track || track.count === 0) continue;
      const from = Math.max(0, int(cells.x, cell));
      const to = Math.min(width, int(cells.x, cell) + int(cells.width, cell));
      this.#drawRuns(
        cell,
        track.times,
        track.faces,
        track.count,
        track.indexAt(view.left + from / scale),
        view.left,
        scale,
        from,
        to,
        nowX,
      );
      this.#drawCuts(cell, track.cutStarts, track.cutEnds, view.left, scale, from, to, untilMs);
    }
  }

  /** All runs in the order of their faces, so that a painter changes colours as seldom as can be. Kept until the next frame. */
  painted(): Int32Array {
    const { runs } = this;
    if (runs.count > this.#order.length) this.#order = growInts(this.#order, runs.count);
    const starts = this.#starts.fill(0);
    for (let run = 0; run < runs.count; run++) {
      const next = int(runs.face, run) + 1;
      starts[next] = int(starts, next) + 1;
    }
    for (let face = 1; face < starts.length; face++) starts[face] = int(starts, face) + int(starts, face - 1);
    for (let run = 0; run < runs.count; run++) {
      const face = int(runs.face, run);
      const place = int(starts, face);
      this.#order[place] = run;
      starts[face] = place + 1;
    }
    return this.#order;
  }

  /** Agents of cells with room for their past that are not known yet, and all above them, whose holds cover them; into `wanted`. */
  static wanted(
    cells: Cells,
    width: number,
    most: number,
    parent: Int32Array,
    isWanted: (agent: number) => boolean,
  ): number[] {
    const wanted = new Set<number>();
    for (let cell = 0; cell < cells.count; cell++) {
      if (!isRoomy(cells, cell, width)) continue;
      for (let agent = int(cells.agent, cell); agent >= 0 && !wanted.has(agent); agent = parent[agent] ?? -1) {
        if (!isWanted(agent)) continue;
        if (wanted.size >= most) return [...wanted];
        wanted.add(agent);
      }
    }
    return [...wanted];
  }

  #drawRuns(
    cell: number,
    times: Float64Array,
    faces: Uint8Array,
    count: number,
    first: number,
    leftMs: number,
    scale: number,
    from: number,
    to: number,
    nowX: number,
  ): void {
    let x = from;
    // A merged run that may still get worse.
    let since = -1;
    let worst = 0;
    for (let index = first; index < count && x < to; index++) {
      const endMs = index + 1 < count ? float(times, index + 1) : nowX;
      const end = index + 1 < count ? Math.min(to, Math.round((endMs - leftMs) * scale)) : to;
      const face = faces[index] ?? 0;
      if (since >= 0) {
        if (face > worst) worst = face;
        if (end < since + MERGE_PX) continue;
        x = Math.min(to, since + MERGE_PX);
        this.#push(cell, since, x, worst);
        since = -1;
      }
      if (end - x < MERGE_PX) {
        since = x;
        worst = face;
        continue;
      }
      this.#push(cell, x, end, face);
      x = end;
    }
    if (since >= 0) this.#push(cell, since, to, worst);
  }

  /** Next to a run of the same face and cell it goes on. */
  #push(cell: number, from: number, to: number, face: number): void {
    const { runs } = this;
    const last = runs.count - 1;
    const goesOn =
      last >= 0 &&
      int(runs.cell, last) === cell &&
      int(runs.face, last) === face &&
      int(runs.x, last) + int(runs.width, last) === from;
    if (goesOn) runs.width[last] = int(runs.width, last) + to - from;
    else runs.push(cell, from, to - from, face);
  }

  /** From the newest back, each up to where a later one begins. */
  #drawCuts(
    cell: number,
    starts: readonly number[],
    ends: readonly number[],
    leftMs: number,
    scale: number,
    from: number,
    to: number,
    untilMs: number,
  ): void {
    let covered = to;
    for (let cut = ends.length - 1; cut >= 0 && covered > from; cut--) {
      const endMs = ends[cut] ?? 0;
      if (endMs > untilMs) continue;
      const whole = Math.round((endMs - leftMs) * scale);
      const start = Math.max(from, Math.min(whole - MERGE_PX, Math.round(((starts[cut] ?? 0) - leftMs) * scale)));
      const end = Math.min(covered, whole);
      if (end <= start) continue;
      this.cuts.push(cell, start, end - start, 0);
      covered = start;
    }
  }
}

function isRoomy(cells: Cells, cell: number, width: number): boolean {
  if (int(cells.agent, cell) < 0 || int(cells.height, cell) < HIGH_PX) return false;
  const left = Math.max(0, int(cells.x, cell));
  return Math.min(width, int(cells.x, cell) + int(cells.width, cell)) - left >= WIDE_PX;
}
