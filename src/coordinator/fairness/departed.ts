/**
 * What those that left a fair queue had been given, as long as it is more than those that stayed had: who comes back at once is not
 * served before them again and again.
 */
export class Departed<Key> {
  readonly #given = new Map<Key, number>();
  /** What the one that was served last had been given before. */
  #now = 0;

  /** What one that comes counts as having been given: no less than who was served last (it is owed nothing for its absence). */
  come(key: Key): number {
    const given = Math.max(this.#now, this.#given.get(key) ?? 0);
    this.#given.delete(key);
    return given;
  }

  /** One that had been given so much is served. */
  serve(given: number): void {
    this.#now = Math.max(this.#now, given);
    for (const [key, had] of this.#given) if (had <= this.#now) this.#given.delete(key);
  }

  leave(key: Key, given: number): void {
    if (given > this.#now) this.#given.set(key, given);
  }

  /** Nobody waits any more: nobody owes anything. */
  forget(): void {
    this.#given.clear();
  }
}
