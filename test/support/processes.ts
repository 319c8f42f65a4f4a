/** A coordinator with real processes in a temporary folder, and what tests ask of the system about them. */
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ProcessPolicy } from "../../src/agent/process-policy.ts";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import type { Launch } from "../../src/processes/launch.ts";
import { createLaunch } from "../../src/runtime/launch.ts";

export interface Ground extends AsyncDisposable {
  readonly folder: string;
  readonly clock: Clock;
  readonly launch: Launch;
  /** Pids that carry the mark, zombies excepted. */
  marked(mark: string): number[];
  /** Resolves when `holds`, looked at again and again. */
  until(holds: () => boolean): Promise<void>;
}

/** As little supervision as there can be. */
export const PLAIN_POLICY: ProcessPolicy = {
  ...{ restart: "never", restartsMax: 1, withinMs: 1_000, probes: [] },
  ...{ memoryBytesMax: 2 ** 40, outputBytesMax: 2 ** 20 },
};

let hosts = 0;

export async function openGround(): Promise<Ground> {
  const folder = await mkdtemp(join(tmpdir(), "banyan-ground-"));
  const clock = systemClock();
  hosts += 1;
  const launch = await createLaunch(folder, { host: `test-${process.pid}-${hosts}` });
  return {
    folder,
    clock,
    launch,
    marked,
    until,
    async [Symbol.asyncDispose]() {
      await launch.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** True when the process still runs; a zombie does not. */
export function runs(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !"ZX".includes(stat.slice(stat.lastIndexOf(")") + 2)[0] as string);
  } catch {
    return false;
  }
}

function marked(mark: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^[1-9]\d*$/.test(name))
    .map(Number)
    .filter((pid) => runs(pid) && environmentOf(pid).includes(mark));
}

function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8");
  } catch {
    return "";
  }
}

/** What the system does is not announced: it is looked at until it is so. */
async function until(holds: () => boolean): Promise<void> {
  const clock = systemClock();
  while (!holds()) await new Promise<void>((resolve) => clock.timer(5, resolve));
}
