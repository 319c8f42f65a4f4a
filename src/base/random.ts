/** The only door to randomness. `systemRandom` is the machine's; `seededRandom` replays from a seed. */
import { randomFillSync } from "node:crypto";

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Fills and returns `length` random bytes. */
  bytes(length: number): Uint8Array;
}

/** Cryptographically strong: fit for ids and tokens. */
export const systemRandom: Random = {
  next: () => {
    const [high = 0, low = 0] = randomFillSync(new Uint32Array(2));
    return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
  },
  bytes: (length) => randomFillSync(new Uint8Array(length)),
};

/** Repeatable and fast, never fit for secrets. Algorithm: sfc32 of PractRand, seeded by splitmix32. */
export function seededRandom(seed: number): Random {
  let mix = seed >>> 0;
  const splitmix = () => {
    mix = (mix + 0x9e3779b9) >>> 0;
    let z = mix;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  let a = splitmix();
  let b = splitmix();
  let c = splitmix();
  let counter = 1;
  const uint32 = () => {
    const sum = (a + b + counter) >>> 0;
    counter = (counter + 1) >>> 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) >>> 0;
    c = (((c << 21) | (c >>> 11)) + sum) >>> 0;
    return sum;
  };
  for (let i = 0; i < 12; i++) uint32();
  return {
    next: () => uint32() / 2 ** 32,
    bytes: (length) => Uint8Array.from({ length }, () => uint32() & 0xff),
  };
}

/** Uniform integer in [0, below). */
export function randomInt(random: Random, below: number): number {
  return Math.floor(random.next() * below);
}

/** One of `choices`, which must not be empty. */
export function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[randomInt(random, choices.length)] as T;
}
