/**
 * Ids: 26 characters of Crockford base 32, 48 bits of milliseconds and 80 bits of chance (the ULID layout, in lower
 * case), so 128 bits, the 49th of them 0 to begin with. Ids made by one source sort in the order they were made, within
 * one millisecond too.
 */
import type { Clock } from "./clock.ts";
import { BanyanError } from "./errors.ts";
import type { Random } from "./random.ts";

export type AgentId = string;
export type IdSource = () => string;

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const ID_SYNTAX = /^[0-7][0-9a-hjkmnp-tv-z]{25}$/;

export function createIds({ clock, random }: { clock: Clock; random: Random }): IdSource {
  let lastMs = -1;
  let tail: number[] = [];
  return () => {
    const nowMs = Math.max(0, Math.floor(clock.now()), lastMs);
    if (nowMs === lastMs) increment(tail);
    else tail = randomTail(random);
    lastMs = nowMs;
    return encodeTime(nowMs) + tail.map((digit) => ALPHABET[digit]).join("");
  };
}

/** True for the exact syntax of an id; everything that comes from outside passes through here or `parseId`. */
export function isId(text: unknown): text is string {
  return typeof text === "string" && ID_SYNTAX.test(text);
}

/** Returns the id, or throws ID_INVALID naming what was given, cut short. */
export function parseId(text: unknown): string {
  if (isId(text)) return text;
  throw new BanyanError("ID_INVALID", `not an id: ${JSON.stringify(String(text).slice(0, 40))}`);
}

function encodeTime(ms: number): string {
  let out = "";
  for (let rest = ms, i = 0; i < 10; i++) {
    out = ALPHABET[rest % 32] + out;
    rest = Math.floor(rest / 32);
  }
  return out;
}

/** 16 base-32 digits; the first stays below 16, so that a source cannot overflow within one millisecond. */
function randomTail(random: Random): number[] {
  const digits = Array.from(random.bytes(16), (byte) => byte & 31);
  digits[0] = (digits[0] as number) & 15;
  return digits;
}

function increment(digits: number[]): void {
  for (let i = digits.length - 1; i >= 0; i--) {
    if (digits[i] !== 31) {
      digits[i] = (digits[i] as number) + 1;
      return;
    }
    digits[i] = 0;
  }
}
