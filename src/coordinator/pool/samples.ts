/** The newest of many figures, for a percentile of them. */
export class Samples {
  readonly #max: number;
  readonly #values: number[] = [];
  #next = 0;

  constructor(max: number) {
    this.#max = max;
  }

  add(value: number): void {
    this.#values[this.#next] = value;
    this.#next = (this.#next + 1) % this.#max;
  }

  /** The smallest of them that `share` of them do not exceed; undefined while there is none. */
  percentile(share: number): number | undefined {
    const sorted = this.#values.toSorted((a, b) => a - b);
    return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  }
}
