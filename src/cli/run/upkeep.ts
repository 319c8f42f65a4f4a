/**
 * What is done to the data again and again while `banyan up` runs: ended trees are archived, what nobody refers to is collected, all that
 * is stored is read again.
 *
 * U1  Each task is done when its time has passed since it was done last, by whichever process: a file in the data folder says when that was. One
 *     that was never done waits LIMITS.upkeepFirstMs, so that a process that is started and stopped has done nothing.
 * U2  One task at a time. A failure is told, and the task is done again when it is due again.
 * U3  Stopping ends what is under way.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type Clock, sleep } from "../../base/clock.ts";
import { asBanyanError, type BanyanError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";

export interface UpkeepTask {
  readonly name: "archive" | "collect" | "scrub";
  readonly everyMs: number;
  /** Must stop when the signal is aborted. */
  run(signal: AbortSignal): Promise<unknown>;
}

export interface UpkeepOptions {
  /** Of the data. */
  readonly folder: string;
  readonly tasks: readonly UpkeepTask[];
  readonly clock: Clock;
  readonly onFault: (error: BanyanError) => void;
}

const FILE = "upkeep.json";
const times = z.record(z.string(), z.number());

export function keepUp(options: UpkeepOptions): AsyncDisposable {
  const stop = new AbortController();
  const working = work(options, stop.signal);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await working;
    },
  };
}

async function work({ folder, tasks, clock, onFault }: UpkeepOptions, signal: AbortSignal): Promise<void> {
  const beganMs = clock.now();
  const done = new Map(Object.entries(read(folder)));
  const dueOf = ({ name, everyMs }: UpkeepTask) =>
    (done.get(name) ?? beganMs + LIMITS.upkeepFirstMs - everyMs) + everyMs;
  while (tasks.length > 0 && !signal.aborted) {
    const next = tasks.reduce((first, task) => (dueOf(task) < dueOf(first) ? task : first));
    await sleep(clock, Math.max(0, dueOf(next) - clock.now()), signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      await next.run(signal);
    } catch (error) {
      if (!signal.aborted) onFault(asBanyanError(error));
    }
    if (signal.aborted) return;
    done.set(next.name, clock.now());
    write(folder, Object.fromEntries(done));
  }
}

/** A file that cannot be read says of no task that it was done. */
function read(folder: string): Readonly<Record<string, number>> {
  try {
    return times.parse(JSON.parse(readFileSync(join(folder, FILE), "utf8")));
  } catch {
    return {};
  }
}

/** Lost, a task is done once more. */
function write(folder: string, done: Readonly<Record<string, number>>): void {
  const path = join(folder, FILE);
  try {
    writeFileSync(`${path}.new`, JSON.stringify(done), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } catch {
    // A disk that takes nothing is told of by those who need it.
  }
}
