/**
 * The worst face at every pixel column of a strip, as runs of equal ones. Intervals go in in any order; the sweep looks only at
 * columns where one begins or ends, and leaves everything empty for the next strip.
 */
import { int } from "../columns.ts";
import { FACES } from "./faces.ts";

const WORD = 32;

export class StripSweep {
  #columns = 0;
  /** By face and column: how many begin there, less how many end there. */
  #steps = new Int32Array(0);
  /** One bit a column at which anything begins or ends. */
  #marks = new Uint32Array(0);
  readonly #living = new Int32Array(FACES.length);
  /** One bit a face that the strip has. */
  #present = 0;

  reserve(columns: number): void {
    if (columns <= this.#columns) return;
    this.#columns = columns;
    this.#steps = new Int32Array(columns * FACES.length);
    this.#marks = new Uint32Array(Math.ceil(columns / WORD));
  }

  add(from: number, to: number, face: number): void {
    const row = face * this.#columns;
    this.#steps[row + from] = int(this.#steps, row + from) + 1;
    this.#steps[row + to] = int(this.#steps, row + to) - 1;
    this.#mark(from);
    this.#mark(to);
    this.#present |= 1 << face;
  }

  run(emit: (from: number, to: number, face: number) => void): void {
    let worst = -1;
    let since = 0;
    for (let word = 0; word < this.#marks.length; word++) {
      let bits = this.#marks[word] ?? 0;
      if (bits === 0) continue;
      this.#marks[word] = 0;
      while (bits !== 0) {
        const bit = 31 - Math.clz32(bits & -bits);
        bits &= bits - 1;
        const column = word * WORD + bit;
        const now = this.#step(column);
        if (now === worst) continue;
        if (worst >= 0) emit(since, column, worst);
        worst = now;
        since = column;
      }
    }
    this.#present = 0;
  }

  /** Goes past a column; the worst face from there on, -1 for none. */
  #step(column: number): number {
    let worst = -1;
    for (let faces = this.#present; faces !== 0; faces &= faces - 1) {
      const face = 31 - Math.clz32(faces & -faces);
      const place = face * this.#columns + column;
      const living = int(this.#living, face) + int(this.#steps, place);
      this.#steps[place] = 0;
      this.#living[face] = living;
      if (living > 0) worst = face;
    }
    return worst;
  }

  #mark(column: number): void {
    const word = column >> 5;
    this.#marks[word] = (this.#marks[word] ?? 0) | (1 << (column & 31));
  }
}
