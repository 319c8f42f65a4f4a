/**
 * The fleet as it was at a moment: the port through which the picture asks for the past, and what the feed's own columns can say of it.
 *
 * They know exactly who was there and who had ended then; what somebody did who was still alive they do not know, and say so
 * (`isExact`).
 */
import { at } from "../columns.ts";
import type { Fleet } from "../fleet.ts";
import { ABSENT, FACES, readFaces } from "./faces.ts";

export interface Moment {
  readonly atMs: number;
  /** Index in FACES by ordinal; ABSENT for those who were born later. */
  readonly faces: Uint8Array;
  /** Whether the faces of those who lived then are what they were, and not just "alive". */
  readonly isExact: boolean;
}

/** May be asked many times a second while somebody drags; only the newest answer counts. */
export interface Past {
  at(atMs: number, signal: AbortSignal): Promise<Moment>;
}

const ALIVE = FACES.indexOf("running");

/** From what the columns tell of births and ends. At once: a picture to show until the journals have answered. */
export function pastOfColumns(fleet: Fleet, atMs: number, faces: Uint8Array): Moment {
  readFaces(fleet, faces);
  for (let agent = 0; agent < fleet.count; agent++) {
    if (at(fleet.spawnedMs, agent) > atMs) faces[agent] = ABSENT;
    else if (at(fleet.endedMs, agent) === 0 || at(fleet.endedMs, agent) > atMs) faces[agent] = ALIVE;
  }
  return { atMs, faces, isExact: false };
}

/** How many lived at a moment: who ends in it still does not. */
export function aliveAt(fleet: Fleet, atMs: number): number {
  let alive = 0;
  for (let agent = 0; agent < fleet.count; agent++) {
    const ended = at(fleet.endedMs, agent);
    if (at(fleet.spawnedMs, agent) <= atMs && (ended === 0 || ended > atMs)) alive += 1;
  }
  return alive;
}

/** How many agents lived at a moment, at so many moments evenly spread: what the scrubber is drawn over. */
export function livingOverTime(
  fleet: Fleet,
  fromMs: number,
  toMs: number,
  moments: number,
  living: Float64Array,
): void {
  living.fill(0, 0, moments);
  const scale = (moments - 1) / Math.max(1, toMs - fromMs);
  const place = (ms: number) => Math.max(0, Math.min(moments - 1, Math.floor((ms - fromMs) * scale)));
  for (let agent = 0; agent < fleet.count; agent++) {
    const born = place(at(fleet.spawnedMs, agent));
    living[born] = at(living, born) + 1;
    const ended = at(fleet.endedMs, agent);
    if (ended === 0) continue;
    const gone = place(ended) + 1;
    if (gone < moments) living[gone] = at(living, gone) - 1;
  }
  for (let moment = 1; moment < moments; moment++) living[moment] = at(living, moment) + at(living, moment - 1);
}
