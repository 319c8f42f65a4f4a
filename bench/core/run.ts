/**
 * Runs benches and gives each figure as a line, as soon as it is there.
 *
 * R1  Every contender's every bench has a process and a data folder of its own.
 * R2  Contenders take turns: run 1 of a bench for all of them, then run 2, so that what is compared shares the machine's noise.
 * R3  A contender that cannot run is named with the reason, and the others go on.
 */
import { fork } from "node:child_process";
import { mkdir, rm } from "node:fs/promises";
import { loadavg } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Told } from "./child.ts";
import { type Line, round, significant } from "./figures.ts";

export interface Plan {
  readonly benches: readonly Bench[];
  readonly runs: number;
  /** Data folders are made in here, and removed. */
  readonly dataDir: string;
  /** Where the CPU profile of every child goes; a profile slows what it watches. */
  readonly profileDir?: string | undefined;
  readonly machine: string;
  readonly onLine: (line: Line) => void;
  readonly onFailure: (what: string) => void;
}

export interface Bench {
  readonly name: string;
  /** Who takes part, each with the module that measures it. */
  readonly contenders: readonly { readonly name: string; readonly module: string }[];
  /** At most so many runs: for what takes long and hardly varies. */
  readonly runsMax?: number;
}

const AS_BUILT = new URL("as-built.ts", import.meta.url).href;
const CHILD = fileURLToPath(new URL("child.ts", import.meta.url));
/** The same for everyone. The bound on the space for new objects is what the banyan command sets, and spares all of them memory. */
const NODE_FLAGS = ["--expose-gc", "--max-semi-space-size=16", "--disable-warning=ExperimentalWarning"];
const CHILD_MS_MAX = 180_000;

export async function run({ benches, runs, dataDir, profileDir, machine, onLine, onFailure }: Plan): Promise<void> {
  const failed = new Set<string>();
  for (const bench of benches) {
    for (let at = 1; at <= Math.min(runs, bench.runsMax ?? runs); at += 1) {
      for (const { name, module } of bench.contenders) {
        if (failed.has(`${name} ${bench.name}`)) continue;
        const folder = join(dataDir, `${bench.name}-${name}-${at}`);
        try {
          await mkdir(folder, { recursive: true });
          const told = await child([module, bench.name, folder], profileDir);
          for (const line of linesOf(told, bench.name, at)) onLine({ ...line, machine });
        } catch (error) {
          failed.add(`${name} ${bench.name}`);
          onFailure(`${bench.name} of ${name}: ${error instanceof Error ? error.message : String(error)}`);
        } finally {
          await rm(folder, { recursive: true, force: true });
        }
      }
    }
  }
}

/** What the child tells. @throws with its last words when it dies without a word */
function child(args: readonly string[], profileDir: string | undefined): Promise<Told> {
  const profile = profileDir === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileDir}`];
  return new Promise((resolve, reject) => {
    const started = fork(CHILD, args, {
      execArgv: [...NODE_FLAGS, ...profile, "--import", AS_BUILT],
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      timeout: CHILD_MS_MAX,
      killSignal: "SIGKILL",
      detached: true,
    });
    let [told, words]: [Told | undefined, string] = [undefined, ""];
    const hear = (chunk: Buffer) => {
      words = `${words}${chunk}`.slice(-2_000);
    };
    started.stdout?.on("data", hear);
    started.stderr?.on("data", hear);
    started.on("message", (message) => {
      told = message as Told;
    });
    started.on("error", reject);
    // It is no part of our group, so what ends us does not reach it.
    const end = () => endGroup(started.pid);
    process.once("exit", end);
    started.on("exit", (code, signal) => {
      process.off("exit", end);
      end();
      if (told) resolve(told);
      else
        reject(new Error(signal ? `killed by ${signal} after ${CHILD_MS_MAX / 1_000} s at most` : reason(words, code)));
    });
  });
}

/** A child leads a group of its own: a server that it started goes with it, however it ended. */
function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // Nothing of it is left, as it should be.
  }
}

function reason(words: string, code: number | null): string {
  // The error itself, and not the line of code that is shown above it.
  const line = words.split("\n").find((each) => /^\w*Error\b.*:/.test(each));
  return line?.trim() || words.trim().split("\n").at(-1) || `exit ${code}`;
}

function linesOf({ outcome, about, scale }: Told, bench: string, run: number): Line[] {
  if (!outcome) return [];
  const { figures, ...taken } = outcome;
  const beside = Object.fromEntries(Object.entries(taken).map(([name, value]) => [name, round(value)]));
  const { name, durable, versions, note } = about;
  const load = round(loadavg()[0] ?? 0);
  return figures.map(({ figure, value, unit }) => ({
    bench,
    contender: name,
    run,
    figure,
    value: significant(value),
    unit,
    load,
    ...beside,
    durable,
    scale,
    versions,
    ...(note && { note }),
  }));
}
