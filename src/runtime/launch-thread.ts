/**
 * The thread that starts background processes and watches over them. Where the system allows it, it comes before everything else on
 * its core: what it does is short, and what it looks for does not wait.
 */
import { getPriority, setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { systemClock } from "../base/clock.ts";
import { SystemLaunch } from "../processes/system-launch.ts";
import { serveLaunch } from "../processes/thread/served-launch.ts";
import { WatchedLaunch } from "../processes/watched-launch.ts";
import { type LaunchThreadData, openFolder } from "./launch.ts";

/** Above what a machine at work runs with, below what belongs to the kernel. */
const PRIORITY = -10;

/** Of this thread alone: Linux has a priority for each. Its children inherit it: `priority` is what they are given back. */
function comeFirst(): number | undefined {
  try {
    const priority = getPriority(0);
    setPriority(0, PRIORITY);
    return priority;
  } catch {
    return undefined;
  }
}

if (parentPort) {
  const { marks, hidden } = workerData as LaunchThreadData;
  const clock = systemClock();
  const priority = comeFirst();
  const bare = new SystemLaunch({
    clock,
    marks,
    openFolder,
    ...(hidden && { hidden }),
    ...(priority !== undefined && { priority }),
  });
  serveLaunch(new WatchedLaunch(bare, clock), parentPort);
}
