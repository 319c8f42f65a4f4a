/** Fleets whose agents come and go over time, for the tests of the picture. */
import fc from "fast-check";
import { seededRandom } from "../../../src/base/random.ts";
import { Fleet } from "../../../src/fleet/fleet.ts";
import { GeneratedFleet, STATUSES } from "../../support/generated-fleet.ts";

export interface LivelyShape {
  readonly agents: number;
  readonly depth: number;
  readonly seed: number;
  /** Part of the agents that has ended. */
  readonly ended: number;
  /** Whether clocks of hosts differ, so that births and ends are told out of order. */
  readonly isSkewed: boolean;
}

export const LIVELY = fc.record({
  agents: fc.integer({ min: 1, max: 300 }),
  depth: fc.integer({ min: 1, max: 9 }),
  seed: fc.nat(),
  ended: fc.double({ min: 0, max: 1, noNaN: true }),
  isSkewed: fc.boolean(),
});

const HOUR_MS = 3_600_000;

export function livelyFleet({ agents, depth, seed, ended, isSkewed }: LivelyShape) {
  const generated = new GeneratedFleet({ agents, depth, seed });
  const random = seededRandom(seed + 1);
  const { columns, timeMs } = generated;
  const startMs = timeMs - HOUR_MS;
  for (let agent = 0; agent < agents; agent++) {
    const parent = columns.parent[agent] ?? -1;
    const skew = isSkewed ? (random.next() - 0.5) * 60_000 : 0;
    const spawned = Math.round(startMs + (agent * HOUR_MS) / agents + skew);
    const parentEnd = columns.endedMs[parent] ?? 0;
    columns.spawnedMs[agent] = spawned;
    const isEnded = random.next() < ended || parentEnd > 0;
    const until = parentEnd > 0 && !isSkewed ? parentEnd : timeMs;
    columns.endedMs[agent] = isEnded
      ? Math.max(spawned, Math.round(spawned + random.next() ** 3 * (until - spawned)))
      : 0;
    const words = isEnded ? ["completed", "failed", "cancelled"] : ["running", "waiting", "queued", "held"];
    columns.status[agent] = STATUSES.indexOf(words[Math.floor(random.next() * words.length)] ?? "running");
  }
  // Who is spawned after its parent has ended would be nobody's child.
  return { generated, fleet: load(generated) };
}

export function load(generated: GeneratedFleet): Fleet {
  const fleet = new Fleet();
  for (const frame of generated.frames()) fleet.applyAgents(frame);
  return fleet;
}
