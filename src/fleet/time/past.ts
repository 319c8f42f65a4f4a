/**
 * The fleet as it was at a moment: the port through which the picture asks for the past, and what the feed's own columns can say of it.
 *
 * They know exactly who was there and who had ended then; what somebody did who was still alive they do not know, and say so
 * (`isExact`).
 */
import { at } from "../columns.ts";
import type { Fleet } from "../fleet.ts";
import { ABSENT, FACES, facesOfStatuses, readFaces } from "./faces.ts";

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

/** The journals' answer, in the part that the picture shows. */
export interface JournalMoment {
  readonly statuses: readonly string[];
  readonly waits: readonly string[];
  readonly agents: readonly string[];
  readonly status: readonly number[];
  readonly waiting: readonly number[];
  readonly held: readonly number[];
}

const WAITING = FACES.indexOf("waiting");
const HELD = FACES.indexOf("held");
const APPROVAL = FACES.indexOf("approval");

/** Whoever the journals did not know then is absent, and so is whoever the feed leaves out. A hold covers all below. */
export function pastOfJournals(fleet: Fleet, atMs: number, then: JournalMoment): Moment {
  const faces = new Uint8Array(fleet.count).fill(ABSENT);
  const holds = new Uint8Array(fleet.count);
  const ofStatus = facesOfStatuses(then.statuses);
  const approval = then.waits.indexOf("approval");
  for (let index = 0; index < then.agents.length; index++) {
    const agent = fleet.ordinalOf(then.agents[index] ?? "");
    if (agent < 0) continue;
    const face = at(ofStatus, at(then.status, index));
    const asks = face === WAITING && approval >= 0 && then.waiting[index] === approval;
    faces[agent] = asks ? APPROVAL : face;
    holds[agent] = at(then.held, index);
  }
  const ended = new Set(
    ["completed", "failedHandled", "cancelled"].map((face) => FACES.indexOf(face as (typeof FACES)[number])),
  );
  for (let agent = 0; agent < fleet.count; agent++) {
    const parent = at(fleet.parent, agent);
    if (parent >= 0 && at(holds, parent) > 0) holds[agent] = 1;
    const face = at(faces, agent);
    if (at(holds, agent) > 0 && face !== ABSENT && !ended.has(face)) faces[agent] = HELD;
  }
  return { atMs, faces, isExact: true };
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
