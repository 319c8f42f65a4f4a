/** Edges to forks: each is seen at every zoom, and many in one place are one. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { seededRandom } from "../../../src/base/random.ts";
import { at } from "../../../src/fleet/columns.ts";
import { shareHeight } from "../../../src/fleet/time/bands.ts";
import { Cells } from "../../../src/fleet/time/cells.ts";
import { readFaces } from "../../../src/fleet/time/faces.ts";
import { EDGES_MAX, ForkEdges } from "../../../src/fleet/time/forks.ts";
import { type Along, Layout } from "../../../src/fleet/time/layout.ts";
import { boundsOf, whole, zoom } from "../../../src/fleet/time/view.ts";
import { LIVELY, livelyFleet } from "./fleets.ts";

const PART = fc.double({ min: 0, max: 1, noNaN: true });
const LOOK = fc.record({ along: fc.constantFrom<Along>("time", "cost"), close: PART, high: PART, x: PART, y: PART });
const box = new Int32Array(4);

function drawn(
  shape: Parameters<typeof livelyFleet>[0],
  look: { along: Along; close: number; high: number; x: number; y: number },
) {
  const { fleet } = livelyFleet(shape);
  const random = seededRandom(shape.seed + 2);
  const forks: number[] = [];
  for (let agent = 1; agent < fleet.count; agent++) {
    fleet.forkOf[agent] = random.next() < 0.8 ? Math.floor(random.next() * agent) : -1;
    if (at(fleet.forkOf, agent) >= 0) forks.push(agent);
  }
  const layout = new Layout();
  layout.update(fleet, look.along);
  const bounds = boundsOf(layout, fleet.timeMs);
  const view = zoom(whole(bounds), bounds, { wide: 0.02 ** look.close, high: 0.02 ** look.high }, look.x, look.y);
  const faces = new Uint8Array(fleet.count);
  readFaces(fleet, faces);
  const cells = new Cells();
  const isTime = look.along === "time";
  cells.draw(layout, shareHeight(layout, 600), view, faces, isTime ? fleet.timeMs : 1, 900);
  const edges = new ForkEdges();
  edges.draw(cells, fleet, Int32Array.from(forks), isTime);
  return { fleet, forks, cells, edges, isTime };
}

test("E1, E3: every fork in the view is on one edge that ends beside it, or on a stub when its origin is out of view", () => {
  fc.assert(
    fc.property(LIVELY, LOOK, (shape, look) => {
      const { fleet, forks, cells, edges, isTime } = drawn(shape, look);
      const inView = forks.filter((fork) => cells.locate(fork, box));
      const all = Array.from({ length: edges.count }, (_, edge) => edge);
      expect(all.reduce((sum, edge) => sum + at(edges.forks, edge), 0)).toBe(inView.length);
      for (const fork of inView) {
        edges.place(cells, fleet, fork, isTime);
        const [fromX = 0, fromY = 0, toX = 0, toY = 0, stub = 0] = edges.ends;
        expect(stub).toBe(cells.locate(at(fleet.forkOf, fork), box) ? 0 : 1);
        const near = (one: number, other: number) => Math.abs(one - other) <= edges.square;
        const isShown = all.some(
          (edge) =>
            at(edges.isStub, edge) === stub &&
            near(at(edges.fromX, edge), fromX) &&
            near(at(edges.fromY, edge), fromY) &&
            near(at(edges.toX, edge), toX) &&
            near(at(edges.toY, edge), toY),
        );
        expect(isShown).toBe(true);
      }
    }),
    { numRuns: 60 },
  );
});

test("E2: of thousands of forks there are some hundred edges", () => {
  const look = { along: "time", close: 0, high: 0, x: 0.5, y: 0.5 } as const;
  const { forks, edges } = drawn({ agents: 6_000, depth: 9, seed: 4, ended: 0.5, isSkewed: false }, look);
  expect(forks.length).toBeGreaterThan(4_000);
  expect(edges.count).toBeLessThanOrEqual(EDGES_MAX);
  expect(edges.count).toBeGreaterThan(20);
  expect(edges.square).toBeGreaterThan(12);
});
