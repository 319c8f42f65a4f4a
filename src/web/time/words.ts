/** What the picture says in words: of a face, of an agent, and of the fleet for those who do not see it. */
import { at } from "../../fleet/columns.ts";
import type { Fleet } from "../../fleet/fleet.ts";
import { ABSENT, FACES } from "../../fleet/time/faces.ts";
import type { Moment } from "../../fleet/time/past.ts";
import type { Track } from "../../fleet/time/tracks.ts";
import { clockTime, count, duration, plural, usd, visibleLine } from "../parts/format.ts";
import { namesAbove } from "../parts/names.tsx";
import { type Face, faceOf, problemFace } from "../parts/state.tsx";

/** Shape and word of a face. Of the past it may be known only that somebody lived. */
export function wordsOfFace(face: number, isExact = true): Face {
  const name = FACES[face] ?? "queued";
  if (name === "running" && !isExact) return { shape: "running", word: "alive" };
  if (name === "failedHandled") return { shape: "failed", word: "failed, handled" };
  if (name === "failed") return { shape: "failed", word: "failed" };
  if (name === "approval" || name === "stalled" || name === "rateLimited" || name === "burning")
    return problemFace(name);
  return { shape: name, word: name };
}

export function faceThen(fleet: Fleet, agent: number, moment: Moment | undefined): Face {
  if (!moment) return faceOf(fleet, agent);
  const face = moment.faces[agent] ?? ABSENT;
  return face === ABSENT ? { shape: "queued", word: "not yet born" } : wordsOfFace(face, moment.isExact);
}

/** Dollars that its subtree has cost, or had by then; undefined where that is not known. */
export function costThen(fleet: Fleet, agent: number, moment: Moment | undefined): number | undefined {
  if (!moment) return fleet.subtreeUsd(agent);
  return moment.costs && (moment.costs.nano[agent] ?? 0) / 1e9;
}

/** Dollars that all have cost, or had by then. */
export function allCostThen(fleet: Fleet, moment: Moment | undefined): number | undefined {
  if (!moment) return fleet.sums.all.nano / 1e9;
  return moment.costs && moment.costs.allNano / 1e9;
}

/** How many there are below it, or were born there by then. */
export function belowThen(fleet: Fleet, agent: number, moment: Moment | undefined): number {
  return Math.max(0, (moment ? (moment.agents[agent] ?? 0) : at(fleet.sums.agents, agent)) - 1);
}

/** Name of the one whose past it shares; undefined when it is no fork, or that one is not known here. */
export function originOf(fleet: Fleet, agent: number): string | undefined {
  const origin = at(fleet.forkOf, agent);
  return origin < 0 ? undefined : visibleLine(fleet.name[origin] ?? "");
}

/** How long it has lived, or lived in all. */
export function age(fleet: Fleet, agent: number, nowMs: number): string {
  const ended = at(fleet.endedMs, agent);
  const until = ended > 0 ? Math.min(ended, nowMs) : nowMs;
  return duration(until - at(fleet.spawnedMs, agent));
}

/** How it stood at a moment, since when, and whether that was taken back later; undefined when that is not known. */
export function beforeOf(
  track: Track | undefined,
  atMs: number | undefined,
  moment: Moment | undefined,
): string | undefined {
  const index = track?.indexAt(atMs ?? 0) ?? -1;
  if (!track || atMs === undefined || index < 0 || atMs < at(track.times, 0) || atMs > (moment?.atMs ?? atMs))
    return undefined;
  const { word } = wordsOfFace(at(track.faces, index));
  const from = clockTime(at(track.times, index));
  const to = index + 1 < track.count ? ` to ${clockTime(at(track.times, index + 1))}` : "";
  const until = moment?.atMs ?? Number.POSITIVE_INFINITY;
  const isCut = track.cutEnds.some((end, cut) => end <= until && atMs < end && atMs >= (track.cutStarts[cut] ?? 0));
  return `${to === "" ? "Since" : "From"} ${from}${to}: ${word}${isCut ? ", taken back since" : ""}.`;
}

/** "rewound twice"; undefined when it never was, or that is not known. */
export function rewindsOf(track: Track | undefined, moment: Moment | undefined): string | undefined {
  const until = moment?.atMs ?? Number.POSITIVE_INFINITY;
  const rewinds = track?.cutEnds.filter((time) => time <= until).length ?? 0;
  if (rewinds === 0) return undefined;
  return `rewound ${["once", "twice"][rewinds - 1] ?? `${count(rewinds)} times`}`;
}

export function describe(fleet: Fleet, agent: number, moment: Moment | undefined, track: Track | undefined): string {
  const path = [...namesAbove(fleet, agent).map(({ name }) => name), visibleLine(fleet.name[agent] ?? "")].join(" / ");
  const below = belowThen(fleet, agent, moment);
  const cost = costThen(fleet, agent, moment);
  const origin = originOf(fleet, agent);
  const rewinds = rewindsOf(track, moment);
  const others = below > 0 ? `${plural(below, "agent")} below` : undefined;
  return [
    path,
    faceThen(fleet, agent, moment).word,
    `level ${at(fleet.level, agent)}`,
    ...(origin === undefined ? [] : [`forked from ${origin}`]),
    ...(rewinds === undefined ? [] : [rewinds]),
    ...(cost === undefined ? [] : [usd(cost)]).map((spent) => (others ? `${spent} with ${others}` : spent)),
    ...(cost === undefined && others ? [others] : []),
    `age ${age(fleet, agent, moment?.atMs ?? fleet.timeMs)}`,
  ].join(", ");
}

export interface Tally {
  readonly face: number;
  readonly agents: number;
}

/** How many have which face, the worst first. */
export function tallyOf(faces: Uint8Array, agents: number): Tally[] {
  const counts = new Int32Array(FACES.length);
  for (let agent = 0; agent < agents; agent++) {
    const face = faces[agent] ?? ABSENT;
    if (face !== ABSENT) counts[face] = at(counts, face) + 1;
  }
  return Array.from(counts, (number, face) => ({ face, agents: number }))
    .filter((tally) => tally.agents > 0)
    .reverse();
}

export function summary(tally: readonly Tally[], levels: number): string {
  const states = tally.map(({ face, agents }) => `${count(agents)} ${wordsOfFace(face).word}`).join(", ");
  const agents = tally.reduce((sum, each) => sum + each.agents, 0);
  return `${plural(agents, "agent")} on ${plural(levels, "level")}: ${states}.`;
}
