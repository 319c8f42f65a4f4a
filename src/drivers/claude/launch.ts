/**
 * The process of one session, as the SDK wants it. It is the leader of a group of its own and is killed with this process, even
 * when that is killed itself (`setpriv --pdeathsig`, Linux). The shells that it starts have groups of their own; a mark in their
 * environment finds them.
 *
 * X1  Once `end` resolves, neither the process nor anything that it started with the mark runs any more.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { Launch } from "./sdk.ts";

/** Carried by everything that a session runs. */
const MARK_VARIABLE = "BANYAN_SESSION";

export interface Launched {
  readonly process: ChildProcess;
  /** Resolves when the process has gone, with how. */
  readonly exited: Promise<string>;
  end(): Promise<void>;
}

/** `mark`: the owner's mark, and the session's behind it. */
export function launch({ command, args, cwd, env }: Launch, mark: string): Launched {
  const setpriv = onPath("setpriv", env.PATH ?? "");
  const [file, ...rest] = [...(setpriv ? [setpriv, "--pdeathsig", "KILL", "--"] : []), command, ...args] as [string];
  const process = spawn(file, rest, {
    cwd,
    env: { ...env, [MARK_VARIABLE]: mark },
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const exited = new Promise<string>((resolve) => {
    process.once("exit", (code, signal) => resolve(signal === null ? `exit code ${code}` : `killed by ${signal}`));
    process.once("error", (error) => resolve(error.message));
  });
  // What is written after it has gone is lost, and nobody's fault.
  process.stdin.on("error", () => undefined);
  return {
    process,
    exited,
    async end() {
      if (process.pid !== undefined) kill(-process.pid);
      await exited;
      await endMarked(mark);
    },
  };
}

function onPath(program: string, path: string): string | undefined {
  const folder = path.split(delimiter).find((each) => each !== "" && existsSync(join(each, program)));
  return folder === undefined ? undefined : join(folder, program);
}

/** Rounds of looking and ending: what is ended may have started something meanwhile. */
const ROUNDS_MAX = 50;

/** Ends every process whose mark begins so: also those that an owner which was killed has left. */
export async function endMarked(mark: string): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^[1-9]\d*$/.test(name));
    const found = await Promise.all(pids.map(async (pid) => ((await carries(pid, mark)) ? [Number(pid)] : [])));
    const left = found.flat();
    if (left.length === 0) return;
    for (const pid of left) kill(pid);
  }
}

/** False for what is gone, no more than its exit code, or another user's. */
async function carries(pid: string, mark: string): Promise<boolean> {
  const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
  return environment.includes(`${MARK_VARIABLE}=${mark}`);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
