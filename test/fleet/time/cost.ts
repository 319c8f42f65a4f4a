/** What the picture costs without a screen: `node test/fleet/time/cost.ts`. CPU time, so that a busy machine says nearly the same. */
import { Fleet } from "../../../src/fleet/fleet.ts";
import { shareHeight } from "../../../src/fleet/time/bands.ts";
import { Cells } from "../../../src/fleet/time/cells.ts";
import { readFaces } from "../../../src/fleet/time/faces.ts";
import { type Along, Layout } from "../../../src/fleet/time/layout.ts";
import { boundsOf, whole, zoom } from "../../../src/fleet/time/view.ts";
import { GeneratedFleet } from "../../support/generated-fleet.ts";

const WIDTH = 1_850;
const HEIGHT = 860;
const ROUNDS = 200;

function measure(says: string, act: (round: number) => void): void {
  for (let round = 0; round < 50; round++) act(round);
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    act(round);
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1_000);
  }
  times.sort((one, other) => one - other);
  const [mid, late] = [times[ROUNDS / 2] ?? 0, times[Math.floor(ROUNDS * 0.95)] ?? 0];
  console.log(`${says.padEnd(58)} ${mid.toFixed(2).padStart(7)} ms  p95 ${late.toFixed(2).padStart(7)} ms`);
}

for (const agents of [1_000, 10_000, 100_000]) {
  const generated = new GeneratedFleet({ agents, depth: 14, seed: 7, failed: 0.002, completed: 0.4 });
  const fleet = new Fleet();
  for (const frame of generated.frames()) fleet.applyAgents(frame);
  for (const along of ["time", "cost"] as Along[]) {
    const layout = new Layout();
    const cells = new Cells();
    const faces = new Uint8Array(fleet.count * 2);
    measure(`${agents} by ${along}: layout after a change`, () => {
      fleet.version += 1;
      layout.update(fleet, along);
    });
    if (along === "time") measure(`${agents} by ${along}: lanes of all anew`, () => layout.lanes.arrange(fleet));
    measure(`${agents} by ${along}: faces`, () => readFaces(fleet, faces));
    const bands = shareHeight(layout, HEIGHT);
    const bounds = boundsOf(layout, fleet.timeMs);
    const nowX = along === "time" ? fleet.timeMs : 1;
    for (const close of [1, 0.3, 0.05]) {
      let drawn = 0;
      measure(`${agents} by ${along}: cells of a frame at ${(1 / close).toFixed(0)}x`, (round) => {
        const view = zoom(whole(bounds), bounds, { wide: close, high: close }, 0.3 + (0.4 * round) / ROUNDS, 0.5);
        cells.draw(layout, bands, view, faces, nowX, WIDTH);
        drawn = cells.count;
      });
      console.log(`${" ".repeat(40)}${drawn} cells`);
    }
  }
}
