/** The life of a supervised process: the one table of what may follow what, and what is held in each phase. */
import { assert } from "../base/assert.ts";
import type { Timer } from "../base/clock.ts";
import type { Launched } from "./launch.ts";
import type { Run } from "./run.ts";

export type Phase =
  /** On its way: nothing of the program has run. `stop` is set when it is not to begin after all. */
  | { readonly is: "starting"; stop?: true }
  | { readonly is: "running"; readonly launched: Launched; readonly run: Run }
  /** It has ended or is being ended, and what it left is cleared away. */
  | { readonly is: "stopping"; readonly launched: Launched; readonly run: Run }
  | { readonly is: "backingOff"; readonly timer: Timer; readonly restartTime: number }
  | { readonly is: "ended" };

const NEXT: Readonly<Record<Phase["is"], readonly Phase["is"][]>> = {
  starting: ["running", "backingOff", "ended"],
  running: ["stopping"],
  stopping: ["backingOff", "ended"],
  backingOff: ["starting", "ended"],
  ended: [],
};

/** The phase itself, if it may follow. */
export function follow(from: Phase, to: Phase): Phase {
  assert(NEXT[from.is].includes(to.is), `a process goes from ${from.is} to ${to.is}`);
  return to;
}
