/** What is measured of Banyan alone: benches that no peer has a counterpart for. Each in a process of its own, as the workloads. */

import { bytesBelow, rssPeakMb, timed } from "../core/measure.ts";
import type { Figure, Outcome } from "../core/workloads.ts";
import { hold, levels } from "./control.ts";
import { eventCost } from "./event.ts";
import { atRest, atWork } from "./growth.ts";
import { MEMORY } from "./memory.ts";

export { contender } from "./contender.ts";

const BENCHES: Readonly<Record<string, (folder: string) => Promise<Figure[]>>> = {
  event: eventCost,
  ...MEMORY,
  rest: atRest,
  work: atWork,
  levels,
  hold,
};

/** @throws when there is no such bench */
export async function own(bench: string, folder: string): Promise<Outcome> {
  const measure = BENCHES[bench];
  if (!measure) throw new Error(`no bench ${bench}`);
  const [figures, { cpuSeconds }] = await timed(() => measure(folder));
  const diskMb = (await bytesBelow(folder)) / 1e6;
  return { figures, cpuSeconds, serverCpuSeconds: 0, rssMb: rssPeakMb(), serverRssMb: 0, diskMb };
}
