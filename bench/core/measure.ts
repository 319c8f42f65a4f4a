/** What a piece of work took: time, CPU of this process and of servers beside it, memory at its peak, bytes on disk. */
import { readFileSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** Linux counts CPU time of processes in hundredths of a second. */
const TICKS_PER_SECOND = 100;

export interface Taken {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly serverCpuSeconds: number;
}

/** Does the work and tells what it took. `servers` are process ids. */
export async function timed<T>(work: () => Promise<T>, servers: readonly number[] = []): Promise<[T, Taken]> {
  const serversBefore = cpuOf(servers);
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  const result = await work();
  const seconds = (performance.now() - startMs) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  return [result, { seconds, cpuSeconds: (user + system) / 1e6, serverCpuSeconds: cpuOf(servers) - serversBefore }];
}

/** The most memory that this process had, in MB. */
export function rssPeakMb(): number {
  return process.resourceUsage().maxRSS / 1_024;
}

/** The most memory that the servers had, in MB. */
export function rssPeakMbOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + Number(/VmHWM:\s+(\d+)/.exec(procFile(pid, "status"))?.[1] ?? 0) / 1_024, 0);
}

function cpuOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    // What follows the command's name, which may hold anything: state is the first, user and system time the 12th and 13th.
    const fields = procFile(pid, "stat")
      .replace(/^.*\) /, "")
      .split(" ");
    return sum + (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_PER_SECOND;
  }, 0);
}

/** Empty where there is no such process, or no such file system. */
function procFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return "";
  }
}

/** Bytes of all files in a folder and below. */
export async function bytesBelow(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      stat(join(entry.parentPath, entry.name)).then(
        ({ size }) => size,
        () => 0,
      ),
    );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
