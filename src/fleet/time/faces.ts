/**
 * What a cell of the picture shows of an agent, from the least to the worst: where cells merge, the worst one is on top. An agent's
 * problem is shown where it has one, else its status.
 */
import { at } from "../columns.ts";
import type { Fleet } from "../fleet.ts";
import { PROBLEMS } from "../problems.ts";

/** `failedHandled` has failed, and its parent went on or has ended; `failed` needs a person. */
export const FACES = [
  "completed",
  "cancelled",
  "queued",
  "waiting",
  "starting",
  "running",
  "held",
  "failedHandled",
  "burning",
  "rateLimited",
  "stalled",
  "failed",
  "approval",
] as const;
export type Face = (typeof FACES)[number];

/** Index in FACES of an agent that is not there: it was not born yet. */
export const ABSENT = 255;

/** From this one on a person has to see it, however small its cell is. */
export const URGENT_FACE = FACES.indexOf("stalled");

const QUEUED = FACES.indexOf("queued");
const HANDLED = FACES.indexOf("failedHandled");
/** By problem, -1 where the status tells more. */
const OF_PROBLEM = PROBLEMS.map((problem) => FACES.indexOf(problem as Face));

/** Face of a status alone, by its index in the feed's words. */
function facesOfStatuses(statuses: readonly string[]): Uint8Array {
  return Uint8Array.from(statuses, (status) => {
    if (status === "failed") return HANDLED;
    const face = FACES.indexOf(status as Face);
    return face < 0 ? QUEUED : face;
  });
}

const WAITING = FACES.indexOf("waiting");
const APPROVAL = FACES.indexOf("approval");

/** Face of a status that the journals tell, with what it waited for, both by their index in the answer's words. */
export function facesOfMoment({
  statuses,
  waits,
}: {
  readonly statuses: readonly string[];
  readonly waits: readonly string[];
}): (status: number, waiting: number) => number {
  const ofStatus = facesOfStatuses(statuses);
  const approval = waits.indexOf("approval");
  return (status, waiting) => {
    const face = at(ofStatus, status);
    return face === WAITING && approval >= 0 && waiting === approval ? APPROVAL : face;
  };
}

/** Faces of all agents as they are now, into `faces`, which has room for them. */
export function readFaces(fleet: Fleet, faces: Uint8Array): void {
  const ofStatus = facesOfStatuses(fleet.statuses);
  for (let agent = 0; agent < fleet.count; agent++) {
    const problem = OF_PROBLEM[at(fleet.problem, agent)] ?? -1;
    faces[agent] = problem >= 0 ? problem : at(ofStatus, at(fleet.status, agent));
  }
}
