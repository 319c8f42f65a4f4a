/**
 * What agents did over time, as the journals tell it: when each began to show which face, and what rewinds took back. Of those alone that
 * somebody looks at, asked for once; what follows is seen in the feed.
 *
 * T1  The face at a moment is that of the agent's newest change by then, under a hold of its own or above it; ended ones are not held.
 * T2  What the feed shows of an agent that is known follows on: its newest face is always the one that it has now.
 * T3  Of another fleet, or the same one told anew, nothing is known.
 */
import { at, growFloats } from "../columns.ts";
import type { Fleet } from "../fleet.ts";
import { ABSENT, FACES, facesOfMoment } from "./faces.ts";

/** Agents that are asked for at once; the server has a limit of its own. */
export const ASKED_MAX = 1_000;
/** Changes that are kept of all agents together. */
const CHANGES_MAX = 1_000_000;

/** A piece of the journals' answer, in the part that is kept of it. */
export interface JournalChanges {
  readonly statuses: readonly string[];
  readonly waits: readonly string[];
  /** Ids; their numbers follow on from those of the pieces before. */
  readonly agents: readonly string[];
  readonly agent: readonly number[];
  readonly seq: readonly number[];
  readonly time: readonly number[];
  readonly status: readonly number[];
  readonly waiting: readonly number[];
  readonly held: readonly number[];
  readonly rewinds: readonly { readonly change: number; readonly to: number }[];
}

export class Track {
  /** When it began to show a face, and which; as many as `count`. */
  times = new Float64Array(4);
  faces = new Uint8Array(4);
  count = 0;
  /** By when it was rewound, and to when: all that lies between was taken back. In the order of the rewinds. */
  cutEnds: readonly number[] = [];
  cutStarts: readonly number[] = [];
  /** When nothing is missing up to. */
  knownMs = 0;
  /** From when until when it stood under holds of its own or above. */
  holds: readonly Span[] = [];

  /** What it shows last; ABSENT before anything is known. */
  get face(): number {
    return this.count === 0 ? ABSENT : at(this.faces, this.count - 1);
  }

  add(time: number, face: number): void {
    if (face === this.face) return;
    const last = this.count === 0 ? time : at(this.times, this.count - 1);
    // Of two faces in one moment the later one is shown.
    if (time <= last && this.count > 0) this.count -= 1;
    if (face === this.face) return;
    if (this.count === this.times.length) {
      this.times = growFloats(this.times, this.count + 1);
      const faces = new Uint8Array(this.times.length);
      faces.set(this.faces);
      this.faces = faces;
    }
    this.times[this.count] = Math.max(time, last);
    this.faces[this.count] = face;
    this.count += 1;
  }

  /** Which of its faces it showed at a moment, the first one before that; -1 when nothing is known. */
  indexAt(time: number): number {
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (at(this.times, middle) <= time) low = middle + 1;
      else high = middle;
    }
    return this.count === 0 ? -1 : Math.max(0, low - 1);
  }
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** One agent's changes as they come. */
interface Told {
  readonly seqs: number[];
  readonly times: number[];
  readonly faces: number[];
  readonly holds: number[];
  readonly cuts: Map<number, Span>;
}

const HELD = FACES.indexOf("held");
const ENDED = new Set(
  (["completed", "failedHandled", "failed", "cancelled"] as const).map((face) => FACES.indexOf(face)),
);
const NO_HOLDS: readonly Span[] = [];

export class Tracks {
  readonly #tracks = new Map<number, Track>();
  #sinceMs = -1;
  #changes = 0;

  of(agent: number): Track | undefined {
    return this.#tracks.get(agent);
  }

  /** Takes the journals' answer about some agents that was asked for at a moment of the fleet. */
  learn(fleet: Fleet, asked: readonly number[], askedMs: number, pieces: readonly JournalChanges[]): void {
    this.#forgetOthers(fleet);
    if (this.#changes > CHANGES_MAX) this.#clear();
    const told = gather(fleet, pieces);
    // Parents before children: a hold covers all below.
    for (const agent of asked.toSorted((one, other) => one - other)) {
      const track = trackOf(told.get(agent), this.#tracks.get(at(fleet.parent, agent))?.holds ?? NO_HOLDS);
      track.knownMs = askedMs;
      this.#changes += track.count - (this.#tracks.get(agent)?.count ?? 0);
      this.#tracks.set(agent, track);
    }
  }

  /** T2. Costs nothing but a look at those that are known. */
  follow(fleet: Fleet, faces: Uint8Array): void {
    this.#forgetOthers(fleet);
    for (const [agent, track] of this.#tracks) {
      const face = faces[agent] ?? ABSENT;
      if (face === track.face || track.count === 0) continue;
      // It has looked so since its newest event at the latest, of which the feed tells.
      track.add(Math.min(fleet.timeMs, Math.max(at(fleet.lastMs, agent), at(track.times, track.count - 1))), face);
      this.#changes += 1;
    }
  }

  /** T3. */
  #forgetOthers(fleet: Fleet): void {
    if (fleet.sinceMs !== this.#sinceMs) this.#clear();
    this.#sinceMs = fleet.sinceMs;
  }

  #clear(): void {
    this.#tracks.clear();
    this.#changes = 0;
  }
}

function gather(fleet: Fleet, pieces: readonly JournalChanges[]): Map<number, Told> {
  const numbered: number[] = [];
  const all = new Map<number, Told>();
  for (const piece of pieces) {
    for (const id of piece.agents) numbered.push(fleet.ordinalOf(id));
    const faceOf = facesOfMoment(piece);
    const rewinds = new Map(piece.rewinds.map(({ change, to }) => [change, to]));
    for (let change = 0; change < piece.agent.length; change++) {
      const agent = numbered[at(piece.agent, change)] ?? -1;
      if (agent < 0) continue;
      const told: Told = all.get(agent) ?? { seqs: [], times: [], faces: [], holds: [], cuts: new Map() };
      all.set(agent, told);
      const seq = at(piece.seq, change);
      const time = at(piece.time, change);
      const to = rewinds.get(change);
      if (to !== undefined) told.cuts.set(seq, { from: to, to: time });
      // After a crash some come twice.
      if (seq <= (told.seqs.at(-1) ?? 0)) continue;
      told.seqs.push(seq);
      told.times.push(time);
      told.faces.push(faceOf(at(piece.status, change), at(piece.waiting, change)));
      told.holds.push(at(piece.held, change));
    }
  }
  return all;
}

/** T1. */
function trackOf(told: Told | undefined, above: readonly Span[]): Track {
  const track = new Track();
  if (!told) return track;
  const { times, faces, holds } = told;
  track.holds = united([...above, ...ownHolds(times, holds)]);
  const cuts = [...told.cuts.values()].toSorted((one, other) => one.to - other.to);
  track.cutEnds = cuts.map(({ to }) => to);
  track.cutStarts = cuts.map(({ from }) => from);
  const born = times[0] ?? 0;
  const turns = track.holds
    .flatMap(({ from, to }) => [from, to])
    .filter((time) => time > born && Number.isFinite(time));
  const moments = [...times.map((time, change) => ({ time, change })), ...turns.map((time) => ({ time, change: -1 }))];
  moments.sort((one, other) => one.time - other.time || one.change - other.change);
  let face: number = ABSENT;
  for (const { time, change } of moments) {
    if (change >= 0) face = faces[change] ?? ABSENT;
    if (face === ABSENT) continue;
    const isHeld = !ENDED.has(face) && track.holds.some(({ from, to }) => from <= time && time < to);
    track.add(time, isHeld ? HELD : face);
  }
  return track;
}

function ownHolds(times: readonly number[], holds: readonly number[]): Span[] {
  const spans: Span[] = [];
  let since = -1;
  for (const [change, time] of times.entries()) {
    if (holds[change] && since < 0) since = time;
    if (holds[change] || since < 0) continue;
    spans.push({ from: since, to: time });
    since = -1;
  }
  if (since >= 0) spans.push({ from: since, to: Number.POSITIVE_INFINITY });
  return spans;
}

function united(spans: Span[]): readonly Span[] {
  if (spans.length === 0) return NO_HOLDS;
  const all: Span[] = [];
  for (const span of spans.toSorted((one, other) => one.from - other.from)) {
    const last = all.at(-1);
    if (last && span.from <= last.to) all[all.length - 1] = { from: last.from, to: Math.max(last.to, span.to) };
    else all.push(span);
  }
  return all;
}
