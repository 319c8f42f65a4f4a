/**
 * How a state looks: a shape, a colour and a word, so that neither colour nor shape alone has to be told apart. One table for the
 * whole page, the canvas over time included.
 */
import { at } from "../../fleet/columns.ts";
import type { Fleet } from "../../fleet/fleet.ts";
import { PROBLEMS, type Problem } from "../../fleet/problems.ts";

/** Path of the shape in a box of 16 by 16. */
export const SHAPES: Readonly<Record<string, string>> = {
  queued: "M8 2.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 0 1 0-11zm0 1.5a4 4 0 1 0 0 8a4 4 0 0 0 0-8z",
  starting: "M8 2.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 0 1 0-11zm0 1.5v8a4 4 0 0 0 0-8z",
  running: "M4.5 2.7a1 1 0 0 1 1.5-.85l8 4.85a1.5 1.5 0 0 1 0 2.6l-8 4.85a1 1 0 0 1-1.5-.85z",
  waiting: "M4 2h8v2.2L9.3 8 12 11.8V14H4v-2.2L6.7 8 4 4.2z",
  held: "M3.5 2.5h3.2v11H3.5zm5.8 0h3.2v11H9.3z",
  completed: "M13.7 3.9 6.5 12.6 2.3 8.7l1.4-1.5 2.6 2.4 5.8-7z",
  failed: "m8 1.3 6.7 6.7L8 14.7 1.3 8zm-.9 3.2v4.3h1.8V4.5zm0 5.4v1.8h1.8V9.9z",
  cancelled:
    "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zm0 1.6A4.4 4.4 0 0 0 4.4 10.5l6.1-6.1A4.4 4.4 0 0 0 8 3.6zm3.6 1.9-6.1 6.1a4.4 4.4 0 0 0 6.1-6.1z",
  approval:
    "M8 1.5a6.5 6.5 0 1 1 0 13a6.5 6.5 0 0 1 0-13zM6 5.7l1.3.7c.2-.4.4-.6.8-.6.5 0 .8.3.8.7 0 .9-1.6 1-1.6 2.7h1.5c0-1.1 1.7-1.2 1.7-2.8C10.5 5.3 9.5 4.4 8.1 4.4 7.1 4.4 6.4 4.9 6 5.7zm1.2 4.4v1.6h1.6v-1.6z",
  stalled: "M8 1.5 15 14H1zm-.8 4.5v4h1.6V6zm0 5v1.6h1.6V11z",
  rateLimited: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zm-.8 2.5v4l3 1.9.8-1.3-2.3-1.4V4.5z",
  burning:
    "M8.3 1c.4 2.6 3.900 4.2 3.9 7.900A4.2 4.2 0 0 1 8 14.5a4.2 4.2 0 0 1-4.2-4.4c0-1.9 1-3.2 2-4.1.1 1 .4 1.700 1 2C7 5.500 7.100 3 8.300 1z",
};

export interface Face {
  /** Names the colour too: `--state-NAME`. */
  readonly shape: string;
  readonly word: string;
}

const PROBLEM_WORDS: Readonly<Record<Problem, string>> = {
  none: "well",
  failedHandled: "failed, parent went on",
  burning: "budget nearly spent",
  rateLimited: "rate limited",
  stalled: "stalled",
  failed: "failed",
  approval: "needs approval",
};

const WAITING_WORDS: Readonly<Record<string, string>> = {
  children: "waits for children",
  message: "waits for a message",
  approval: "waits for approval",
  rateLimit: "waits for its provider",
  process: "waits for a process",
};

/** What an agent shows: its problem where it has one that its status does not say, else its status. */
export function faceOf(fleet: Fleet, agent: number): Face {
  const problem = PROBLEMS[at(fleet.problem, agent)] ?? "none";
  if (problem === "approval" || problem === "stalled" || problem === "rateLimited") {
    return { shape: problem, word: PROBLEM_WORDS[problem] };
  }
  const status = fleet.statuses[at(fleet.status, agent)] ?? "queued";
  if (status === "waiting") {
    const waiting = fleet.waiting[agent] ?? "";
    return { shape: "waiting", word: WAITING_WORDS[waiting] ?? "waiting" };
  }
  return { shape: status, word: status };
}

export function problemFace(problem: Problem): Face {
  return { shape: problem === "failedHandled" ? "failed" : problem, word: PROBLEM_WORDS[problem] };
}

export function StateIcon({ shape, size = 14 }: { shape: string; size?: number }) {
  return (
    <svg className="state-icon" data-state={shape} width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <path fillRule="evenodd" d={SHAPES[shape] ?? SHAPES.queued} />
    </svg>
  );
}

export function State({ face }: { face: Face }) {
  return (
    <span className="state" data-state={face.shape}>
      <StateIcon shape={face.shape} />
      {face.word}
    </span>
  );
}
