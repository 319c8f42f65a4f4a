/** A fleet as they are: leads that live long, workers that come and go under them, some that fail, are cut, wait or are forked. */
import { randomInt, seededRandom } from "../../../../src/base/random.ts";
import { GeneratedFleet, STATUSES } from "../../../support/generated-fleet.ts";

const HOUR_MS = 3_600_000;

export function livelyFleet(agents: number, depth: number, seed: number): GeneratedFleet {
  const generated = new GeneratedFleet({ agents, depth, seed });
  const random = seededRandom(seed + 1);
  const { columns, timeMs } = generated;
  const startMs = timeMs - HOUR_MS;
  const status = (word: string) => STATUSES.indexOf(word);
  const isLead = new Uint8Array(agents);
  for (const parent of columns.parent) if (parent >= 0) isLead[parent] = 1;
  for (let agent = 0; agent < agents; agent++) {
    const parent = columns.parent[agent] ?? -1;
    // Most are spawned early, the rest all along.
    const spawned = agent === 0 ? startMs : startMs + (agent / agents) ** 1.4 * (HOUR_MS - 60_000);
    columns.spawnedMs[agent] = Math.round(Math.max(spawned, (columns.spawnedMs[parent] ?? 0) + 800));
    const left = timeMs - (columns.spawnedMs[agent] ?? 0);
    const draw = random.next();
    const parentWord = STATUSES[columns.status[parent] ?? 0] ?? "";
    const isOver = ["completed", "failed", "cancelled"].includes(parentWord);
    if (isOver) {
      // Nobody outlives its parent.
      columns.spawnedMs[agent] = Math.min(columns.spawnedMs[agent] ?? 0, (columns.endedMs[parent] ?? 0) - 1_000);
    }
    const ended = isOver || (isLead[agent] ? draw < 0.12 : draw < 0.62);
    if (ended) {
      const until = isOver ? (columns.endedMs[parent] ?? 0) : timeMs - 2_000;
      const from = columns.spawnedMs[agent] ?? 0;
      const life = isLead[agent] ? 0.5 + random.next() / 2 : random.next() ** 2 * Math.min(1, (12 * 60_000) / left);
      columns.endedMs[agent] = Math.round(Math.max(from + 500, Math.min(until, from + (until - from) * life)));
      const how = random.next();
      const word = parentWord === "cancelled" || how < 0.035 ? "cancelled" : how < 0.05 ? "failed" : "completed";
      columns.status[agent] = status(word);
      columns.waiting[agent] = "";
      columns.problem[agent] = word === "failed" ? "the sources contradict each other" : "";
      columns.lastMs[agent] = columns.endedMs[agent] ?? 0;
      continue;
    }
    columns.endedMs[agent] = 0;
    const how = random.next();
    const word = isLead[agent]
      ? "waiting"
      : how < 0.7
        ? "running"
        : how < 0.85
          ? "waiting"
          : how < 0.95
            ? "queued"
            : "held";
    columns.status[agent] = status(word);
    columns.waiting[agent] =
      word !== "waiting" ? "" : isLead[agent] ? "children" : how > 0.848 ? "approval" : "message";
    columns.problem[agent] = "";
    columns.lastMs[agent] = timeMs - randomInt(random, how < 0.004 ? 600_000 : 30_000);
  }
  return generated;
}
