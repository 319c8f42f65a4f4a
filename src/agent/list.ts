/**
 * An append-only list whose older versions stay valid: versions share one buffer and differ in length. Appending to the
 * newest version costs O(1); appending to an older one copies it first. So a fold over 20,000 turns copies nothing, and
 * a state kept from before is still what it was.
 *
 * A list may begin with packed items, which are made when they are first asked for: a long past costs nothing until it is looked at.
 */

/** Items that are made when they are first asked for, and are the same ones from then on. */
export interface Packed<T> {
  readonly length: number;
  at(index: number): T;
  /** Makes those that were not asked for yet, and lets others have their turn in between. */
  unpack(): Promise<void>;
}

export class List<T> implements Iterable<T> {
  readonly #packed: Packed<T> | undefined;
  /** How many of the packed items are its first ones. */
  readonly #packedLength: number;
  /** Those behind them, and maybe more: of versions that are longer. */
  readonly #buffer: T[];
  readonly length: number;

  private constructor(buffer: T[], length: number, packed?: Packed<T>, packedLength = 0) {
    this.#buffer = buffer;
    this.length = length;
    this.#packed = packed;
    this.#packedLength = packedLength;
  }

  static of<T>(...items: T[]): List<T> {
    return new List(items, items.length);
  }

  static over<T>(packed: Packed<T>): List<T> {
    return new List([], packed.length, packed, packed.length);
  }

  /** The item at `index`; negative counts from the end. */
  at(index: number): T | undefined {
    const place = index < 0 ? this.length + index : index;
    return place >= 0 && place < this.length ? this.#itemAt(place) : undefined;
  }

  append(item: T): List<T> {
    const behind = this.length - this.#packedLength;
    const buffer = this.#buffer.length === behind ? this.#buffer : this.#buffer.slice(0, behind);
    buffer.push(item);
    return new List(buffer, this.length + 1, this.#packed, this.#packedLength);
  }

  /** The first `length` items; shares what it is made of. */
  take(length: number): List<T> {
    if (length >= this.length) return this;
    return new List(this.#buffer, length, this.#packed, Math.min(length, this.#packedLength));
  }

  /** A copy of the items from `from` on, up to `to`. */
  slice(from: number, to: number): T[] {
    const items: T[] = [];
    for (let place = from; place < Math.min(to, this.length); place++) items.push(this.#itemAt(place));
    return items;
  }

  includes(item: T): boolean {
    for (let place = 0; place < this.#packedLength; place++) if (this.#itemAt(place) === item) return true;
    const place = this.#buffer.indexOf(item);
    return place >= 0 && place < this.length - this.#packedLength;
  }

  /** How many items at the front satisfy `holds`, which must be true up to some place and false from there on. */
  countWhile(holds: (item: T) => boolean): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (holds(this.#itemAt(middle))) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Makes the packed items: for whoever is about to look at all, and holds nobody up. */
  async unpack(): Promise<void> {
    await this.#packed?.unpack();
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let place = 0; place < this.length; place++) yield this.#itemAt(place);
  }

  /** `place` is within its length. */
  #itemAt(place: number): T {
    if (place < this.#packedLength) return (this.#packed as Packed<T>).at(place);
    return this.#buffer[place - this.#packedLength] as T;
  }
}
