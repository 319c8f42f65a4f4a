/** Typed arrays that grow twice as long when they are full, so that agents may be born one by one. */

/** An item of a column. Outside of it: 0, which no caller asks for. */
export function at(column: ArrayLike<number>, index: number): number {
  return column[index] ?? 0;
}

/** The same for columns of one kind, in loops that run for every frame: a call that always has the same kind of array is inlined. */
export function int(column: Int32Array, index: number): number {
  return column[index] ?? 0;
}

export function float(column: Float64Array, index: number): number {
  return column[index] ?? 0;
}

export function growInts(column: Int32Array<ArrayBuffer>, needed: number): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(lengthFor(column.length, needed));
  grown.set(column);
  return grown;
}

export function growFloats(column: Float64Array<ArrayBuffer>, needed: number): Float64Array<ArrayBuffer> {
  const grown = new Float64Array(lengthFor(column.length, needed));
  grown.set(column);
  return grown;
}

function lengthFor(length: number, needed: number): number {
  return Math.max(needed, 2 * length);
}
