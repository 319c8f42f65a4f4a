import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { at } from "../../../src/fleet/columns.ts";
import type { Fleet } from "../../../src/fleet/fleet.ts";
import { type Bands, shareHeight } from "../../../src/fleet/time/bands.ts";
import { Cells } from "../../../src/fleet/time/cells.ts";
import { ABSENT, FACES, readFaces } from "../../../src/fleet/time/faces.ts";
import { type Along, Layout } from "../../../src/fleet/time/layout.ts";
import { amongMore, livingOverTime, pastOfColumns, pastOfJournals } from "../../../src/fleet/time/past.ts";
import { boundsOf, type View, whole, zoom } from "../../../src/fleet/time/view.ts";
import { GeneratedFleet, STATUSES } from "../../support/generated-fleet.ts";
import { LIVELY, livelyFleet, load } from "./fleets.ts";

const WIDTH = 240;
const HEIGHT = 120;
const PART = fc.double({ min: 0, max: 1, noNaN: true });
const LOOK = fc.record({ along: fc.constantFrom<Along>("time", "cost"), close: PART, high: PART, x: PART, y: PART });

interface Drawn {
  readonly fleet: Fleet;
  readonly layout: Layout;
  readonly bands: Bands;
  readonly view: View;
  readonly faces: Uint8Array;
  readonly cells: Cells;
  readonly nowX: number;
}

function draw(
  fleet: Fleet,
  { along, close, high, x, y }: Record<"close" | "high" | "x" | "y", number> & { along: Along },
): Drawn {
  const layout = new Layout();
  layout.update(fleet, along);
  const bands = shareHeight(layout, HEIGHT);
  const bounds = boundsOf(layout, fleet.timeMs);
  const view = zoom(whole(bounds), bounds, { wide: 0.01 ** close, high: 0.01 ** high }, x, y);
  const faces = new Uint8Array(fleet.count);
  readFaces(fleet, faces);
  const cells = new Cells();
  const nowX = along === "time" ? fleet.timeMs : 1;
  cells.draw(layout, bands, view, faces, nowX, WIDTH);
  return { fleet, layout, bands, view, faces, cells, nowX };
}

/** Pixels of an agent as arithmetic has them, before rounding and merging. */
function exact({ layout, bands, view, nowX, fleet }: Drawn, agent: number) {
  const band = at(fleet.level, agent);
  const scaleX = WIDTH / (view.right - view.left);
  const scaleY = (at(bands.bottom, band) - at(bands.top, band)) / (view.bottom - view.top);
  return {
    left: (at(layout.left, agent) - view.left) * scaleX,
    right: (Math.max(at(layout.left, agent), Math.min(at(layout.right, agent), nowX)) - view.left) * scaleX,
    top: at(bands.top, band) + (at(layout.top, agent) - view.top) * scaleY,
    bottom: at(bands.top, band) + (at(layout.bottom, agent) - view.top) * scaleY,
    bandTop: at(bands.top, band),
    bandBottom: at(bands.bottom, band),
  };
}

/** The cell that a painter leaves at every pixel. */
function paint({ cells }: Drawn): Int32Array {
  const pixels = new Int32Array(WIDTH * HEIGHT).fill(-1);
  for (const cell of cells.painted().subarray(0, cells.count)) {
    const left = Math.max(0, at(cells.x, cell));
    const right = Math.min(WIDTH, at(cells.x, cell) + at(cells.width, cell));
    for (let y = at(cells.y, cell); y < at(cells.y, cell) + at(cells.height, cell); y++) {
      if (right > left) pixels.fill(cell, y * WIDTH + left, y * WIDTH + right);
    }
  }
  return pixels;
}

describe("cells", () => {
  test("C1: every agent in the view has exactly one home, where it belongs, and nobody else has any", () => {
    fc.assert(
      fc.property(LIVELY, LOOK, (shape, look) => {
        const drawn = draw(livelyFleet(shape).fleet, look);
        const { cells, fleet } = drawn;
        const within = new Map<number, number>();
        for (let agent = 0; agent < fleet.count; agent++) {
          const { left, right, top, bottom, bandTop, bandBottom } = exact(drawn, agent);
          const home = at(cells.home, agent);
          const isIn = left < WIDTH - 1 && right > 1 && bottom > bandTop && top < bandBottom;
          if (isIn) expect(home).toBeGreaterThanOrEqual(0);
          if (home < 0) continue;
          within.set(home, (within.get(home) ?? 0) + 1);
          const owner = at(cells.agent, home);
          if (owner >= 0) expect(owner).toBe(agent);
          expect(at(cells.level, home)).toBe(at(fleet.level, agent));
          expect(at(cells.y, home)).toBeLessThanOrEqual(Math.max(bandTop, top) + 2);
          expect(at(cells.y, home) + at(cells.height, home)).toBeGreaterThanOrEqual(Math.min(bandBottom, bottom) - 3.1);
        }
        for (let cell = 0; cell < cells.count; cell++) {
          expect(within.get(at(cells.strip, cell))).toBe(at(cells.agents, cell));
          expect(at(cells.agent, cell) >= 0).toBe(at(cells.agents, cell) === 1);
        }
      }),
    );
  });

  test("C1: cells of single agents do not overlap, but for the pixels that make the smallest large enough to be seen", () => {
    fc.assert(
      fc.property(LIVELY, LOOK, (shape, look) => {
        const { cells } = draw(livelyFleet({ ...shape, isSkewed: false }).fleet, look);
        const single = Array.from({ length: cells.count }, (_, cell) => cell).filter(
          (cell) => at(cells.agent, cell) >= 0,
        );
        const overlap = (from: Int32Array, size: Int32Array, one: number, other: number) =>
          Math.min(at(from, one) + at(size, one), at(from, other) + at(size, other)) -
          Math.max(at(from, one), at(from, other));
        const found = single.flatMap((one, index) =>
          single
            .slice(index + 1)
            .filter((other) => overlap(cells.x, cells.width, one, other) > 2)
            .filter((other) => overlap(cells.y, cells.height, one, other) > 2)
            .map((other) => [one, other]),
        );
        expect(found).toEqual([]);
      }),
    );
  });

  test("C2: where an agent is one sees it, or something that is as bad", () => {
    fc.assert(
      fc.property(LIVELY, LOOK, (shape, look) => {
        const drawn = draw(livelyFleet(shape).fleet, look);
        const pixels = paint(drawn);
        for (let agent = 0; agent < drawn.fleet.count; agent++) {
          const home = at(drawn.cells.home, agent);
          if (home < 0) continue;
          const { left, right } = exact(drawn, agent);
          const from = Math.max(0, Math.round(left) - 2);
          const to = Math.min(WIDTH, Math.round(right) + 4);
          let worst = -1;
          for (let y = at(drawn.cells.y, home); y < at(drawn.cells.y, home) + at(drawn.cells.height, home); y++) {
            for (let x = from; x < to; x++) {
              const cell = pixels[y * WIDTH + x] ?? -1;
              if (cell >= 0) worst = Math.max(worst, at(drawn.cells.face, cell));
            }
          }
          if (to - from > 4) expect(worst).toBeGreaterThanOrEqual(at(drawn.faces, agent));
        }
      }),
    );
  });

  test("C3: what is found at a pixel is what was painted there, and the agent found has its face", () => {
    fc.assert(
      fc.property(LIVELY, LOOK, fc.array(fc.tuple(PART, PART), { maxLength: 60 }), (shape, look, points) => {
        const drawn = draw(livelyFleet(shape).fleet, look);
        const { cells, faces } = drawn;
        const pixels = paint(drawn);
        for (const [partX, partY] of points) {
          const x = Math.min(WIDTH - 1, Math.floor(partX * WIDTH));
          const y = Math.min(HEIGHT - 1, Math.floor(partY * HEIGHT));
          const cell = cells.cellAt(x, y);
          expect(cell).toBe(pixels[y * WIDTH + x]);
          const agent = cells.agentIn(cell, x, faces);
          if (cell < 0) expect(agent).toBe(-1);
          else expect(at(faces, agent)).toBe(at(cells.face, cell));
          if (cell >= 0) expect(at(cells.home, agent)).toBe(at(cells.strip, cell));
        }
      }),
    );
  });

  test("the one failed agent among 10,000 is seen from afar, and found under the pointer", () => {
    const generated = new GeneratedFleet({ agents: 10_000, depth: 14, seed: 7 });
    const sick = generated.columns.level.indexOf(10);
    const fleet = load(generated);
    const failed = { status: STATUSES.indexOf("failed"), endedMs: generated.timeMs, problem: "gone" };
    generated.columns.lastMs[generated.columns.parent[sick] ?? 0] = generated.timeMs - 600_000;
    fleet.applyChanges(generated.set(sick, failed));
    for (const along of ["time", "cost"] as const) {
      const drawn = draw(fleet, { along, close: 0, high: 0, x: 0, y: 0 });
      const { cells, faces } = drawn;
      const bad = Array.from({ length: cells.count }, (_, cell) => cell).filter((cell) =>
        (FACES[at(cells.face, cell)] ?? "").startsWith("failed"),
      );
      expect(bad.length).toBeGreaterThan(0);
      const [cell = -1] = bad;
      const x = Math.max(0, at(cells.x, cell));
      expect(cells.agentIn(cells.cellAt(x, at(cells.y, cell)), x, faces)).toBe(sick);
      expect(cells.count).toBeLessThan(5_000);
    }
  });
});

describe("the past", () => {
  test("births and ends are as they were; those born later are absent", () => {
    fc.assert(
      fc.property(LIVELY, PART, (shape, part) => {
        const { fleet } = livelyFleet(shape);
        const atMs = fleet.timeMs - part * 3_600_000;
        const { faces, isExact } = pastOfColumns(fleet, atMs, new Uint8Array(fleet.count));
        expect(isExact).toBe(false);
        const now = new Uint8Array(fleet.count);
        readFaces(fleet, now);
        for (let agent = 0; agent < fleet.count; agent++) {
          const ended = at(fleet.endedMs, agent);
          if (at(fleet.spawnedMs, agent) > atMs) expect(faces[agent]).toBe(ABSENT);
          else if (ended > 0 && ended <= atMs) expect(faces[agent]).toBe(now[agent]);
          else expect(FACES[faces[agent] ?? 0]).toBe("running");
        }
      }),
    );
  });

  test("the journals tell what everybody did then: holds cover those below, and who is not known is absent", () => {
    const generated = new GeneratedFleet({ agents: 6, depth: 6, seed: 3 });
    const fleet = load(generated);
    const words = ["waiting", "running", "waiting", "failed", "running"];
    const { faces, isExact } = pastOfJournals(fleet, fleet.timeMs - 1_000, {
      statuses: STATUSES,
      waits: ["children", "approval"],
      agents: [...generated.columns.id.slice(0, 5), "somebody-else"],
      status: [...words, "running"].map((word) => STATUSES.indexOf(word)),
      waiting: [0, -1, 1, -1, -1, -1],
      held: [0, 0, 0, 1, 0, 0],
      costUsd: [1, 0.5, 0, 0.25, 0.1, 100],
    });
    const named = Array.from(faces, (face) => FACES[face] ?? "absent");
    expect(named).toEqual(["waiting", "running", "approval", "failedHandled", "held", "absent"]);
    expect(isExact).toBe(true);
  });

  test("what a moment's subtrees had cost and whom they had is summed from those who were there then", () => {
    const { fleet, generated } = livelyFleet({ agents: 120, depth: 6, seed: 5, ended: 0.5, isSkewed: false });
    const born = Array.from({ length: fleet.count }, (_, agent) => agent).filter((agent) => agent < 70);
    const moment = pastOfJournals(fleet, fleet.timeMs - 1, {
      ...{ statuses: STATUSES, waits: [], agents: born.map((agent) => generated.columns.id[agent] ?? "") },
      ...{ status: born.map(() => 0), waiting: born.map(() => -1), held: born.map(() => 0) },
      costUsd: born.map((agent) => agent / 8),
    });
    const { agents, costs } = amongMore(moment, fleet.count + 3);
    const [nano, counted] = [new Float64Array(fleet.count), new Int32Array(fleet.count)];
    for (const agent of born) {
      for (let above = agent; above >= 0; above = at(fleet.parent, above)) {
        nano[above] = at(nano, above) + (agent / 8) * 1e9;
        counted[above] = at(counted, above) + 1;
      }
    }
    expect(costs?.nano.subarray(0, fleet.count)).toEqual(nano);
    expect(agents.subarray(0, fleet.count)).toEqual(counted);
    expect(costs?.allNano).toBe(born.reduce((sum, agent) => sum + (agent / 8) * 1e9, 0));
  });

  test("who is born after a moment was read was not there then, and the rest stays as it was read", () => {
    const { fleet } = livelyFleet({ agents: 40, depth: 4, seed: 2, ended: 0.3, isSkewed: false });
    const moment = pastOfColumns(fleet, fleet.timeMs, new Uint8Array(fleet.count));
    const later = amongMore(moment, 100);
    expect(later.faces.subarray(0, fleet.count)).toEqual(moment.faces);
    expect([...later.faces.subarray(fleet.count)].every((face) => face === ABSENT)).toBe(true);
    expect(amongMore(later, 100)).toBe(later);
  });

  test("how many lived when is counted right", () => {
    const { fleet } = livelyFleet({ agents: 200, depth: 5, seed: 8, ended: 0.6, isSkewed: true });
    const from = fleet.timeMs - 3_700_000;
    const living = new Float64Array(100);
    livingOverTime(fleet, from, fleet.timeMs, 100, living);
    for (let moment = 0; moment < 100; moment++) {
      const [begin, end] = [from + (moment * 3_700_000) / 99, from + ((moment + 1) * 3_700_000) / 99];
      let lived = 0;
      for (let agent = 0; agent < fleet.count; agent++) {
        const ended = fleet.endedMs[agent] || Number.POSITIVE_INFINITY;
        if (at(fleet.spawnedMs, agent) < end && ended >= begin) lived += 1;
      }
      expect(Math.abs(at(living, moment) - lived)).toBeLessThanOrEqual(1);
    }
  });
});
