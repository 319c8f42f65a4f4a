/** What agents did over time: as the journals tell it, holds included, and as it is seen inside the cells. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../src/base/limits.ts";
import { at } from "../../../src/fleet/columns.ts";
import type { Fleet } from "../../../src/fleet/fleet.ts";
import { shareHeight } from "../../../src/fleet/time/bands.ts";
import { Cells } from "../../../src/fleet/time/cells.ts";
import { ABSENT, FACES, readFaces } from "../../../src/fleet/time/faces.ts";
import { Layout } from "../../../src/fleet/time/layout.ts";
import { Runs } from "../../../src/fleet/time/runs.ts";
import { ASKED_MAX, type JournalChanges, Tracks } from "../../../src/fleet/time/tracks.ts";
import { boundsOf, whole, zoom } from "../../../src/fleet/time/view.ts";
import { type GeneratedFleet, STATUSES } from "../../support/generated-fleet.ts";
import { pastOfGenerated } from "../../support/generated-past.ts";
import { LIVELY, livelyFleet } from "./fleets.ts";

const WIDTH = 400;
const HEIGHT = 300;
const PART = fc.double({ min: 0, max: 1, noNaN: true });
const everybody = (fleet: Fleet) => Array.from({ length: fleet.count }, (_, agent) => agent);

function learnt(fleet: Fleet, generated: GeneratedFleet): { tracks: Tracks; told: JournalChanges } {
  const tracks = new Tracks();
  const told = pastOfGenerated(generated, fleet.id);
  tracks.learn(fleet, everybody(fleet), fleet.timeMs, [told]);
  return { tracks, told };
}

/** What the journals say of one at a moment, by looking at everything. */
function faceThen(fleet: Fleet, told: JournalChanges, agent: number, time: number): string | undefined {
  const newest = (of: number) => {
    const id = fleet.id[of] ?? "";
    const index = told.agents.indexOf(id);
    return told.time.reduce(
      (found, when, change) => (told.agent[change] === index && when <= time ? change : found),
      -1,
    );
  };
  const own = newest(agent);
  if (own < 0) return undefined;
  const word = STATUSES[told.status[own] ?? 0] ?? "";
  if (["completed", "failed", "cancelled"].includes(word)) return word === "failed" ? "failedHandled" : word;
  for (let above = agent; above >= 0; above = at(fleet.parent, above)) {
    const change = newest(above);
    if (change >= 0 && told.held[change]) return "held";
  }
  return word === "waiting" && told.waits[told.waiting[own] ?? -1] === "approval" ? "approval" : word;
}

describe("tracks", () => {
  test("T1: the face at any moment is what the journals tell, under the holds of those above", () => {
    fc.assert(
      fc.property(
        fc.record({ agents: fc.integer({ min: 1, max: 12 }), depth: fc.integer({ min: 1, max: 4 }), seed: fc.nat() }),
        fc.array(PART, { minLength: 4, maxLength: 12 }),
        (shape, parts) => {
          const { fleet, generated } = livelyFleet({ ...shape, ended: 0.4, isSkewed: false });
          const { tracks, told } = learnt(fleet, generated);
          for (const agent of everybody(fleet)) {
            const track = tracks.of(agent);
            const born = at(fleet.spawnedMs, agent);
            for (const part of parts) {
              const time = Math.floor(born + part * (fleet.timeMs - born));
              const face = track?.faces[track.indexAt(time)] ?? ABSENT;
              expect(FACES[face]).toBe(faceThen(fleet, told, agent, time));
            }
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  test("T2: what the feed shows follows on, and what comes twice is told once", () => {
    const { fleet, generated } = livelyFleet({ agents: 60, depth: 5, seed: 3, ended: 0.3, isSkewed: false });
    const { tracks, told } = learnt(fleet, generated);
    const before = everybody(fleet).map((agent) => tracks.of(agent)?.count);
    tracks.learn(fleet, everybody(fleet), fleet.timeMs, [told, { ...told, agents: [] }]);
    expect(everybody(fleet).map((agent) => tracks.of(agent)?.count)).toEqual(before);
    const faces = new Uint8Array(fleet.count);
    for (let round = 0; round < 20; round++) {
      fleet.applyChanges(generated.step(10));
      readFaces(fleet, faces);
      tracks.follow(fleet, faces);
      expect(everybody(fleet).map((agent) => tracks.of(agent)?.face)).toEqual([...faces]);
      for (const agent of everybody(fleet)) {
        const { times, count } = tracks.of(agent) ?? { times: [], count: 0 };
        const shown = [...times].slice(0, count);
        expect(shown).toEqual(shown.toSorted((one, other) => one - other));
      }
    }
  });

  test("T3: nothing is known of a fleet that is told anew", () => {
    const { fleet, generated } = livelyFleet({ agents: 5, depth: 2, seed: 3, ended: 0, isSkewed: false });
    const { tracks } = learnt(fleet, generated);
    generated.step(1);
    for (const frame of generated.frames()) fleet.applyAgents(frame);
    tracks.follow(fleet, new Uint8Array(fleet.count));
    expect(tracks.of(0)).toBeUndefined();
  });

  test("no more are asked for at once than the server allows", () => {
    expect(ASKED_MAX).toBeLessThanOrEqual(LIMITS.historyAgentsMax);
  });
});

const LOOK = fc.record({ close: PART, high: PART, x: PART, y: PART, until: PART });

function drawn(
  shape: Parameters<typeof livelyFleet>[0],
  { close, high, x, y, until }: Record<keyof typeof LOOK | string, number>,
) {
  const { fleet, generated } = livelyFleet(shape);
  const { tracks } = learnt(fleet, generated);
  const layout = new Layout();
  layout.update(fleet, "time");
  const bounds = boundsOf(layout, fleet.timeMs);
  const view = zoom(whole(bounds), bounds, { wide: 0.01 ** (close ?? 0), high: 0.01 ** (high ?? 0) }, x ?? 0, y ?? 0);
  const faces = new Uint8Array(fleet.count);
  readFaces(fleet, faces);
  const cells = new Cells();
  cells.draw(layout, shareHeight(layout, HEIGHT), view, faces, fleet.timeMs, WIDTH);
  const untilMs = layout.firstMs + (until ?? 1) * (fleet.timeMs - layout.firstMs);
  const past = new Runs();
  past.draw(cells, tracks, view, fleet.timeMs, WIDTH, untilMs);
  return { fleet, tracks, cells, view, past, untilMs };
}

/** By cell and pixel column: what is painted there, and how often. */
function columnsOf({ count, cell, x, width, face }: Runs["runs"]) {
  const columns = new Map<number, Map<number, number[]>>();
  for (let index = 0; index < count; index++) {
    const own = columns.get(at(cell, index)) ?? new Map<number, number[]>();
    columns.set(at(cell, index), own);
    for (let column = at(x, index); column < at(x, index) + at(width, index); column++) {
      own.set(column, [...(own.get(column) ?? []), at(face, index)]);
    }
  }
  return columns;
}

describe("runs", () => {
  test("R1, R2: every column of a roomy cell has one run, the worst of what is too short to see, and none lies outside", () => {
    fc.assert(
      fc.property(LIVELY, LOOK, (shape, look) => {
        const { cells, tracks, view, past, fleet } = drawn(shape, look);
        const columns = columnsOf(past.runs);
        const scale = WIDTH / (view.right - view.left);
        for (let cell = 0; cell < cells.count; cell++) {
          const agent = at(cells.agent, cell);
          const from = Math.max(0, at(cells.x, cell));
          const to = Math.min(WIDTH, at(cells.x, cell) + at(cells.width, cell));
          const isRoomy = agent >= 0 && to - from >= 16 && at(cells.height, cell) >= 8;
          const painted = columns.get(cell);
          expect(painted?.size ?? 0).toBe(isRoomy ? to - from : 0);
          if (!isRoomy || !painted) continue;
          for (const [column, faces] of painted) {
            expect(column >= from && column < to && faces.length === 1).toBe(true);
          }
          const track = tracks.of(agent);
          for (let index = 0; track && index < track.count; index++) {
            const left = (at(track.times, index) - view.left) * scale;
            const end = index + 1 < track.count ? at(track.times, index + 1) : fleet.timeMs;
            if (left >= to - 1 || (end - view.left) * scale <= from + 1) continue;
            const near = [...painted].filter(([column]) => Math.abs(column - Math.max(from, left)) <= 3);
            const seen = Math.max(...near.flatMap(([, faces]) => faces));
            expect(seen).toBeGreaterThanOrEqual(at(track.faces, index));
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  test("R3: what rewinds took back by the moment shown is covered once, and nothing else", () => {
    fc.assert(
      fc.property(LIVELY, LOOK, (shape, look) => {
        const { cells, tracks, view, past, untilMs } = drawn(shape, look);
        const scale = WIDTH / (view.right - view.left);
        const columns = columnsOf(past.cuts);
        for (const [cell, painted] of columns) {
          const track = tracks.of(at(cells.agent, cell));
          const spans = (track?.cutEnds ?? [])
            .map((end, cut) => [track?.cutStarts[cut] ?? 0, end] as const)
            .filter(([, end]) => end <= untilMs)
            .map(([start, end]) => [(start - view.left) * scale, (end - view.left) * scale] as const);
          for (const [column, times] of painted) {
            expect(times).toHaveLength(1);
            expect(spans.some(([start, end]) => column >= Math.min(start, end - 2) - 1 && column <= end + 1)).toBe(
              true,
            );
          }
        }
        for (let cell = 0; cell < cells.count; cell++) {
          const track = tracks.of(at(cells.agent, cell));
          const [from, to] = [
            Math.max(0, at(cells.x, cell)),
            Math.min(WIDTH, at(cells.x, cell) + at(cells.width, cell)),
          ];
          if (at(cells.agent, cell) < 0 || to - from < 16 || at(cells.height, cell) < 8) continue;
          for (const [cut, end] of (track?.cutEnds ?? []).entries()) {
            const [left, right] = [track?.cutStarts[cut] ?? 0, end].map((time) => (time - view.left) * scale) as [
              number,
              number,
            ];
            const middle = Math.floor((left + right) / 2);
            if (end > untilMs || right - left < 4 || middle < from || middle >= to) continue;
            expect(columns.get(cell)?.has(middle)).toBe(true);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
