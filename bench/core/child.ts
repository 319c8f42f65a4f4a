/**
 * The process of one contender and one bench: started by run.ts, so that no contender carries another's packages or garbage.
 * `node child.ts MODULE BENCH FOLDER`; what it found goes to its parent as a message, for packages print what they like.
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

interface Module {
  readonly contender: Contender;
  /** Benches of its own, beside the workloads. */
  readonly own?: (bench: string, folder: string) => Promise<Outcome>;
}

const [path = "", bench = "", folder = ""] = process.argv.slice(2);
const { contender, own }: Module = await import(path);
const told = isWorkload(bench) ? await workload(bench) : { outcome: await own?.(bench, folder), scale: 1 };
const { open: _open, ...about } = contender;
const versions = { ...about.versions, node: process.versions.node };
const message: Told = { ...told, about: { ...about, versions } };
// Whatever a package left open (a socket, a timer) is not waited for.
process.send?.(message, () => process.exit(0));

async function workload(name: Workload): Promise<Pick<Told, "outcome" | "scale">> {
  const scale = contender.scale?.[name] ?? 1;
  if (contender.cannot?.includes(name)) return { outcome: undefined, scale };
  return { outcome: await WORKLOADS[name]({ contender, folder, scale }), scale };
}

function isWorkload(name: string): name is Workload {
  return name in WORKLOADS;
}
