/**
 * A map in the order of insertion whose older versions stay valid. Versions share their keys, as those of a `List` share
 * their items, and hold the values in chunks: a set copies one chunk and the row of chunks, 64 + n/64 places for n keys. So
 * the fold of 10,000 children copies no map of 10,000.
 */
export class VersionedMap<K, V> implements Iterable<[K, V]> {
  /** Places of the keys of all versions that share it; those at `size` and above belong to newer ones. */
  readonly #places: Map<K, number>;
  readonly #chunks: readonly (readonly V[])[];
  readonly size: number;

  private constructor(places: Map<K, number>, chunks: readonly (readonly V[])[], size: number) {
    this.#places = places;
    this.#chunks = chunks;
    this.size = size;
  }

  static of<K, V>(entries: Iterable<readonly [K, V]> = []): VersionedMap<K, V> {
    const unique = new Map(entries);
    const places = new Map<K, number>();
    const chunks: V[][] = [];
    for (const [key, value] of unique) {
      const place = places.size;
      places.set(key, place);
      if (place % CHUNK === 0) chunks.push([]);
      chunks.at(-1)?.push(value);
    }
    return new VersionedMap(places, chunks, places.size);
  }

  get(key: K): V | undefined {
    const place = this.#placeOf(key);
    return place === undefined ? undefined : this.#chunks[Math.floor(place / CHUNK)]?.[place % CHUNK];
  }

  has(key: K): boolean {
    return this.#placeOf(key) !== undefined;
  }

  /** The map with `value` at `key`: in the key's old place, or behind all others. */
  set(key: K, value: V): VersionedMap<K, V> {
    const known = this.#placeOf(key);
    if (known !== undefined) return new VersionedMap(this.#places, this.#with(known, value), this.size);
    const isNewest = this.#places.size === this.size;
    const places = isNewest ? this.#places : new Map([...this.#places].slice(0, this.size));
    places.set(key, this.size);
    return new VersionedMap(places, this.#with(this.size, value), this.size + 1);
  }

  /** True when a value satisfies `holds`; looks no further than the first that does. */
  some(holds: (value: V) => boolean): boolean {
    return this.#chunks.some((chunk) => chunk.some(holds));
  }

  /** The first value that satisfies `holds`. */
  find(holds: (value: V) => boolean): V | undefined {
    for (const chunk of this.#chunks) {
      const found = chunk.find(holds);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  *values(): Generator<V, undefined> {
    for (const chunk of this.#chunks) yield* chunk;
  }

  *[Symbol.iterator](): Generator<[K, V], undefined> {
    let place = 0;
    for (const key of this.#places.keys()) {
      if (place === this.size) return;
      yield [key, this.#chunks[Math.floor(place / CHUNK)]?.[place % CHUNK] as V];
      place += 1;
    }
  }

  #placeOf(key: K): number | undefined {
    const place = this.#places.get(key);
    return place !== undefined && place < this.size ? place : undefined;
  }

  #with(place: number, value: V): readonly (readonly V[])[] {
    const row = Math.floor(place / CHUNK);
    const chunk = [...(this.#chunks[row] ?? [])];
    chunk[place % CHUNK] = value;
    const chunks = [...this.#chunks];
    chunks[row] = chunk;
    return chunks;
  }
}

const CHUNK = 64;
