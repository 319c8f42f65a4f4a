/**
 * The fleet as it was at a moment: the port through which the picture asks for the past, and what the feed's own columns can say of it.
 *
 * They know exactly who was there and who had ended then; what somebody did who was still alive they do not know, and say so
 * (`isExact`).
 */
import { at, growFloats, growInts } from "../columns.ts";
import type { Fleet } from "../fleet.ts";
import { ABSENT, FACES, facesOfMoment, readFaces } from "./faces.ts";
import type { JournalChanges } from "./tracks.ts";

export interface Moment {
  readonly atMs: number;
  /** Index in FACES by ordinal; ABSENT for those who were born later. */
  readonly faces: Uint8Array;
  /** Whether the faces of those who lived then are what they were, and not just "alive". */
  readonly isExact: boolean;
  /** By ordinal: agents of its subtree that were born by then, itself included. */
  readonly agents: Int32Array<ArrayBuffer>;
  /** What had been spent by then; undefined where the journals have not been asked. */
  readonly costs?: Costs;
}

export interface Costs {
  /** By ordinal, in nano-dollars: of its subtree. */
  readonly nano: Float64Array<ArrayBuffer>;
  readonly allNano: number;
}

/** May be asked many times a second while somebody drags; only the newest answer counts. */
export interface Past {
  at(atMs: number, signal: AbortSignal): Promise<Moment>;
  /** How some agents came to stand as they do, all of it. */
  changesOf(agents: readonly string[], signal: AbortSignal): Promise<readonly JournalChanges[]>;
}

const ALIVE = FACES.indexOf("running");

/** From what the columns tell of births and ends. At once: a picture to show until the journals have answered. */
export function pastOfColumns(fleet: Fleet, atMs: number, faces: Uint8Array): Moment {
  readFaces(fleet, faces);
  for (let agent = 0; agent < fleet.count; agent++) {
    if (at(fleet.spawnedMs, agent) > atMs) faces[agent] = ABSENT;
    else if (at(fleet.endedMs, agent) === 0 || at(fleet.endedMs, agent) > atMs) faces[agent] = ALIVE;
  }
  return { atMs, faces, isExact: false, agents: bornOf(fleet, faces) };
}

/** The journals' answer, in the part that the picture shows. */
export interface JournalMoment {
  readonly statuses: readonly string[];
  readonly waits: readonly string[];
  readonly agents: readonly string[];
  readonly status: readonly number[];
  readonly waiting: readonly number[];
  readonly held: readonly number[];
  readonly costUsd: readonly number[];
}

const HELD = FACES.indexOf("held");

/** Whoever the journals did not know then is absent, and so is whoever the feed leaves out. A hold covers all below. */
export function pastOfJournals(fleet: Fleet, atMs: number, then: JournalMoment): Moment {
  const faces = new Uint8Array(fleet.count).fill(ABSENT);
  const holds = new Uint8Array(fleet.count);
  const nano = new Float64Array(fleet.count);
  const faceOf = facesOfMoment(then);
  for (let index = 0; index < then.agents.length; index++) {
    const agent = fleet.ordinalOf(then.agents[index] ?? "");
    if (agent < 0) continue;
    faces[agent] = faceOf(at(then.status, index), at(then.waiting, index));
    holds[agent] = at(then.held, index);
    nano[agent] = Math.round(at(then.costUsd, index) * 1e9);
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
  return { atMs, faces, isExact: true, agents: bornOf(fleet, faces), costs: { nano, allNano: sumUp(fleet, nano) } };
}

/** The same moment of a fleet in which others were born since it was read: they were not there then. */
export function amongMore(moment: Moment, agents: number): Moment {
  if (moment.faces.length >= agents) return moment;
  const faces = new Uint8Array(agents).fill(ABSENT);
  faces.set(moment.faces);
  const born = growInts(moment.agents, agents);
  const { costs } = moment;
  if (!costs) return { ...moment, faces, agents: born };
  return { ...moment, faces, agents: born, costs: { ...costs, nano: growFloats(costs.nano, agents) } };
}

function bornOf(fleet: Fleet, faces: Uint8Array): Int32Array<ArrayBuffer> {
  const agents = Int32Array.from(faces, (face) => (face === ABSENT ? 0 : 1));
  sumUp(fleet, agents);
  return agents;
}

/** Adds to each what those below it have; returns the sum of all. Children have higher ordinals than their parents. */
function sumUp(fleet: Fleet, column: Int32Array | Float64Array): number {
  let all = 0;
  for (let agent = column.length - 1; agent >= 0; agent--) {
    const parent = at(fleet.parent, agent);
    if (parent >= 0) column[parent] = at(column, parent) + at(column, agent);
    else all += at(column, agent);
  }
  return all;
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
