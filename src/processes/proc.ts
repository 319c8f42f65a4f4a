/**
 * What the system says of its processes: Linux's /proc, see proc(5). Elsewhere there is none, and nothing is known.
 */
import { readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { BYTES_OF_KIB } from "./limit-mark.ts";
import type { Sighting, Sightings } from "./silence.ts";

export interface ProcessStat {
  /** Not a zombie, which is no more than its exit code, nor dead. */
  readonly runs: boolean;
  readonly group: number;
  /** Start since boot, in ticks: with the number it tells a process for good. */
  readonly startTicks: number;
  /** Resident memory, in pages. */
  readonly pages: number;
}

export async function pidsNow(): Promise<number[]> {
  const names = await readdir("/proc").catch(() => []);
  return names.filter((name) => /^[1-9]\d*$/.test(name)).map(Number);
}

/** The text of a file of a process; none when it is gone or another user's. May wait for the process, as statOf never does. */
export function textOf(pid: number, file: string): Promise<string> {
  return readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");
}

/**
 * Undefined when there is no such process. Read at once: the kernel has these figures in memory and waits for nobody to give them, so
 * that a look at 500 processes costs 6 ms instead of the 60 that as many turns of the thread pool do.
 */
export function statOf(pid: number): ProcessStat | undefined {
  const text = textNow(pid, "stat");
  // The name, in brackets, may hold anything; state is the third field, and the first after it.
  const end = text.lastIndexOf(")");
  if (end < 0) return undefined;
  const fields = text.slice(end + 2).split(" ");
  return {
    runs: !"ZX".includes(fields[0] ?? "X"),
    group: Number(fields[2]),
    startTicks: Number(fields[19]),
    pages: Number(fields[21]),
  };
}

/** The hard limit on resident memory, in KiB; undefined when there is none, or no such process. Others' processes show theirs, too. */
export function residentLimitOf(pid: number): number | undefined {
  const bytes = /^Max resident set +\S+ +(\d+) /m.exec(textNow(pid, "limits"))?.[1];
  return bytes === undefined ? undefined : Number(BigInt(bytes) / BYTES_OF_KIB);
}

/** A process and its descendants, at most so many. What lost its parent is not found. */
export function sightingsOf(first: number, countMax = 100): Sightings {
  const found = new Map<number, Sighting>();
  const pids = [first];
  for (let pid = pids.pop(); pid !== undefined && found.size < countMax; pid = pids.pop()) {
    const stat = textNow(pid, "stat");
    const [ranNs, waitedNs] = textNow(pid, "schedstat").split(" ").map(Number);
    if (ranNs === undefined || waitedNs === undefined) continue;
    found.set(pid, { ranNs, waitedNs, isReady: stat.slice(stat.lastIndexOf(")")).startsWith(") R") });
    pids.push(...textNow(pid, `task/${pid}/children`).split(" ").filter(Boolean).map(Number));
  }
  return found;
}

function textNow(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}

/** Resident bytes of each of the groups. */
export async function memoryOf(groups: ReadonlySet<number>): Promise<Map<number, number>> {
  const found = new Map<number, number>();
  if (groups.size === 0) return found;
  const stats = (await pidsNow()).map(statOf);
  const pageBytes = sizeOfPages();
  for (const stat of stats) {
    if (!stat?.runs || !groups.has(stat.group)) continue;
    found.set(stat.group, (found.get(stat.group) ?? 0) + stat.pages * pageBytes);
  }
  return found;
}

/**
 * Bytes of memory that a process and, with `below`, its descendants take, what they share with others in proportion (proc(5), PSS). Undefined when it
 * is gone or the system does not say.
 */
export async function shareOf(pid: number, { below = true } = {}): Promise<number | undefined> {
  const listed = below ? textOf(pid, `task/${pid}/children`) : "";
  const [rollup, children] = await Promise.all([textOf(pid, "smaps_rollup"), listed]);
  const kib = /^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1];
  if (kib === undefined) return undefined;
  const pids = children.split(" ").filter(Boolean).map(Number);
  const shares = await Promise.all(pids.map((child) => shareOf(child)));
  return shares.reduce<number>((sum, bytes = 0) => sum + bytes, Number(kib) * 1_024);
}

/** Node does not say how large a page is: it follows from what this process uses in bytes and in pages. */
function sizeOfPages(): number {
  const own = statOf(process.pid);
  if (!own?.pages) return 4_096;
  return 2 ** Math.round(Math.log2(process.memoryUsage.rss() / own.pages));
}
