/**
 * What the system says of its processes: Linux's /proc, see proc(5). Elsewhere there is none, and nothing is known.
 */
import { readdir, readFile } from "node:fs/promises";

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

/** The text of a file of a process; none when it is gone or another user's. */
export function textOf(pid: number, file: string): Promise<string> {
  return readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");
}

/** Undefined when there is no such process. */
export async function statOf(pid: number): Promise<ProcessStat | undefined> {
  const text = await textOf(pid, "stat");
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

/** Resident bytes of each of the groups. */
export async function memoryOf(groups: ReadonlySet<number>): Promise<Map<number, number>> {
  const found = new Map<number, number>();
  if (groups.size === 0) return found;
  const stats = await Promise.all((await pidsNow()).map(statOf));
  const pageBytes = await sizeOfPages();
  for (const stat of stats) {
    if (!stat?.runs || !groups.has(stat.group)) continue;
    found.set(stat.group, (found.get(stat.group) ?? 0) + stat.pages * pageBytes);
  }
  return found;
}

/** Node does not say how large a page is: it follows from what this process uses in bytes and in pages. */
async function sizeOfPages(): Promise<number> {
  const own = await statOf(process.pid);
  if (!own?.pages) return 4_096;
  return 2 ** Math.round(Math.log2(process.memoryUsage.rss() / own.pages));
}
