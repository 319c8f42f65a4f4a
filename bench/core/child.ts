/**
 * The process of one contender and one bench: started by run.ts, so that no contender carries another's packages or garbage.
 * `node child.ts MODULE BENCH FOLDER SCALE`; what it found goes to its parent as a message, for packages print what they like.
 */
import type { Contender, Workload } from "./contender.ts";
import type { Outcome } from "./workloads.ts";
import { WORKLOADS } from "./workloads.ts";

/** What a child says when its work is done. */
export interface Told {
  /** Absent where the contender has no such thing. */
  readonly outcome: Outcome | undefined;
  readonly about: Omit<Contender, "open">;
  readonly scale: number;
}

const [module = "", bench = "", folder = ""] = process.argv.slice(2);
const { contender }: { contender: Contender } = await import(module);
const workload = bench as Workload;
const scale = contender.scale?.[workload] ?? 1;
const outcome = contender.cannot?.includes(workload)
  ? undefined
  : await WORKLOADS[workload]({ contender, folder, scale });
const { open: _open, ...about } = contender;
const versions = { ...about.versions, node: process.versions.node };
const told: Told = { outcome, about: { ...about, versions }, scale };
// Whatever a package left open (a socket, a timer) is not waited for.
process.send?.(told, () => process.exit(0));
