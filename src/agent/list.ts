/**
 * An append-only list whose older versions stay valid: versions share one buffer and differ in length. Appending to the
 * newest version costs O(1); appending to an older one copies it first. So a fold over 20,000 turns copies nothing, and
 * a state kept from before is still what it was.
 */
export class List<T> implements Iterable<T> {
  readonly #buffer: T[];
  readonly length: number;

  private constructor(buffer: T[], length: number) {
    this.#buffer = buffer;
    this.length = length;
  }

  static of<T>(...items: T[]): List<T> {
    return new List(items, items.length);
  }

  /** The item at `index`; negative counts from the end. */
  at(index: number): T | undefined {
    const place = index < 0 ? this.length + index : index;
    return place < this.length ? this.#buffer[place] : undefined;
  }

  append(item: T): List<T> {
    const buffer = this.#buffer.length === this.length ? this.#buffer : this.#buffer.slice(0, this.length);
    buffer.push(item);
    return new List(buffer, buffer.length);
  }

  /** The first `length` items; shares the buffer. */
  take(length: number): List<T> {
    return length >= this.length ? this : new List(this.#buffer, length);
  }

  /** A copy of the items from `from` on, up to `to`. */
  slice(from: number, to: number): T[] {
    return this.#buffer.slice(from, Math.min(to, this.length));
  }

  includes(item: T): boolean {
    const place = this.#buffer.indexOf(item);
    return place >= 0 && place < this.length;
  }

  /** How many items at the front satisfy `holds`, which must be true up to some place and false from there on. */
  countWhile(holds: (item: T) => boolean): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (holds(this.#buffer[middle] as T)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let i = 0; i < this.length; i++) yield this.#buffer[i] as T;
  }
}
