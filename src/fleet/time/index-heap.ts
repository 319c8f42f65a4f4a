/** A heap of small numbers, each with a key: the one with the least key comes first. Keeps its room, so that it allocates while it grows alone. */
import { at, growFloats, growInts } from "../columns.ts";

export class IndexHeap {
  size = 0;
  #items = new Int32Array(16);
  #keys = new Float64Array(16);

  /** Of an empty heap: whatever was last there. */
  get first(): number {
    return at(this.#items, 0);
  }

  clear(): void {
    this.size = 0;
  }

  push(item: number, key: number): void {
    if (this.size === this.#items.length) {
      this.#items = growInts(this.#items, this.size + 1);
      this.#keys = growFloats(this.#keys, this.size + 1);
    }
    let place = this.size++;
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (at(this.#keys, above) <= key) break;
      this.#put(place, at(this.#items, above), at(this.#keys, above));
      place = above;
    }
    this.#put(place, item, key);
  }

  pop(): number {
    const { first } = this;
    this.size -= 1;
    const item = at(this.#items, this.size);
    const key = at(this.#keys, this.size);
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= this.size) break;
      if (below + 1 < this.size && at(this.#keys, below + 1) < at(this.#keys, below)) below += 1;
      if (key <= at(this.#keys, below)) break;
      this.#put(place, at(this.#items, below), at(this.#keys, below));
      place = below;
    }
    this.#put(place, item, key);
    return first;
  }

  #put(place: number, item: number, key: number): void {
    this.#items[place] = item;
    this.#keys[place] = key;
  }
}
