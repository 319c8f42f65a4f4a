/** What the journals would tell of the agents of a generated fleet: how each came to stand as it does, with a rewind here and there. */
import { randomInt, seededRandom } from "../../src/base/random.ts";
import type { JournalChanges } from "../../src/fleet/time/tracks.ts";
import { type GeneratedFleet, STATUSES } from "./generated-fleet.ts";

const WAITS = ["children", "message", "approval", "rateLimit", "process"];
const status = (word: string) => STATUSES.indexOf(word);

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer I)[] ? I[] : T[K] };

/** So that a page that asks while it is measured does not pay for a search among ten thousand. */
const known = new WeakMap<object, Map<string, number>>();

function ordinalsOf(ids: readonly string[]): Map<string, number> {
  const ordinals = known.get(ids) ?? new Map<string, number>();
  known.set(ids, ordinals);
  for (let agent = ordinals.size; agent < ids.length; agent++) ordinals.set(ids[agent] ?? "", agent);
  return ordinals;
}

export function pastOfGenerated({ columns, timeMs }: GeneratedFleet, ids: readonly string[]): JournalChanges {
  const told: Mutable<JournalChanges> = {
    ...{ statuses: STATUSES, waits: WAITS, agents: [], agent: [], seq: [], time: [] },
    ...{ status: [], waiting: [], held: [], rewinds: [] },
  };
  const ordinals = ordinalsOf(columns.id);
  for (const id of ids) {
    const agent = ordinals.get(id);
    if (agent === undefined) continue;
    const random = seededRandom(agent + 1);
    const number = told.agents.push(id) - 1;
    const born = columns.spawnedMs[agent] ?? 0;
    const ended = columns.endedMs[agent] ?? 0;
    const until = ended > 0 ? ended : timeMs;
    const times: number[] = [];
    const tell = (time: number, word: string, waits = "", isHeld = 0) => {
      told.agent.push(number);
      told.seq.push(times.push(time));
      told.time.push(Math.round(time));
      told.status.push(status(word));
      told.waiting.push(WAITS.indexOf(waits));
      told.held.push(isHeld);
    };
    tell(born, "queued");
    let time = born + Math.min(4_000, (until - born) / 20);
    tell(time, "starting");
    const step = Math.max(2_000, (until - born) / (4 + randomInt(random, 24)));
    for (time += step / 8; time < until - step; time += step * (0.1 + random.next())) {
      const draw = random.next();
      if (draw < 0.45) tell(time, "running");
      else if (draw < 0.85) tell(time, "waiting", draw < 0.8 ? "children" : "approval");
      else if (draw < 0.9) tell(time, "waiting", "message", 1);
      else if (draw < 0.94 && times.length > 3) {
        told.rewinds.push({ change: told.time.length, to: times[randomInt(random, times.length)] ?? born });
        tell(time, "queued");
      }
    }
    const word = STATUSES[columns.status[agent] ?? 0] ?? "running";
    tell(ended > 0 ? until : Math.max(time, until - step), word === "held" ? "waiting" : word, columns.waiting[agent]);
  }
  return told;
}
