/**
 * Chance, from one seed. Each part of the world draws from a stream of its own, so that a part which is left out (by the shrinker,
 * by a flag) does not change what the others draw.
 */
import { type Random, randomInt, seededRandom } from "../src/base/random.ts";

export class Randoms {
  readonly #seed: number;
  readonly #streams = new Map<string, Dice>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** The stream of that name; the same object each time. */
  of(name: string): Dice {
    const known = this.#streams.get(name);
    if (known) return known;
    const dice = new Dice(seededRandom(hashOf(`${this.#seed}/${name}`)));
    this.#streams.set(name, dice);
    return dice;
  }
}

export class Dice implements Random {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  next(): number {
    return this.#random.next();
  }

  bytes(length: number): Uint8Array {
    return this.#random.bytes(length);
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  /** Uniform integer in [low, high]. */
  int(low: number, high: number): number {
    return low + randomInt(this.#random, high - low + 1);
  }

  /** One of the choices, or undefined when there is none. */
  pick<T>(choices: readonly T[]): T | undefined {
    return choices.length === 0 ? undefined : choices[randomInt(this.#random, choices.length)];
  }

  /** One of the keys, each as likely as its weight says. All weights together must be over 0. */
  weighted<Key extends string>(weights: Readonly<Partial<Record<Key, number>>>): Key {
    const entries = Object.entries(weights) as [Key, number][];
    let left = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [key, weight] of entries) {
      left -= weight;
      if (left < 0) return key;
    }
    return (entries.findLast(([, weight]) => weight > 0) as [Key, number])[0];
  }
}

/** FNV-1a, 32 bits (http://www.isthe.com/chongo/tech/comp/fnv/). */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
