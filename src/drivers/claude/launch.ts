/**
 * The process of one session, as the SDK wants it. It leads a group of its own and is killed with this process, even when that is
 * killed itself (`setpriv --pdeathsig`, Linux). The shells that it starts have groups of their own: they are found by the marks in their
 * environment and by their limit, here as everywhere, and by the warden when this process is no more.
 *
 * X1  Once `end` resolves, neither the process nor anything that it started runs any more.
 * X2  Nor does any of that outlive this process by more than a moment, however it ends.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { MARKS_VARIABLE } from "../../processes/environment.ts";
import { LIMITED, type LimitMarks } from "../../processes/limit-mark.ts";
import { endLeft } from "../../processes/sweep.ts";
import type { Warden } from "../../processes/warden.ts";
import type { Launch } from "./sdk.ts";

export interface Launched {
  readonly process: ChildProcess;
  /** Resolves when the process has gone, with how. */
  readonly exited: Promise<string>;
  end(): Promise<void>;
}

export interface Belongings {
  /** The last is the session's own, those before it are of whoever the session belongs to. No spaces in them. */
  readonly marks: readonly [...string[], string];
  /** Of one of the marks. */
  readonly warden: Warden;
  readonly limits: LimitMarks;
}

export function launch({ command, args, cwd, env }: Launch, { marks, warden, limits }: Belongings): Launched {
  const setpriv = onPath("setpriv", env.PATH ?? "");
  const line = [...(setpriv ? [setpriv, "--pdeathsig", "KILL", "--"] : []), command, ...args];
  const limit = limits.next();
  // The shell is given a fixed text, and becomes the program.
  const process = spawn("/bin/sh", ["-c", `${LIMITED}exec "$@"`, "banyan-session", String(limit), ...line], {
    cwd,
    env: { ...env, [MARKS_VARIABLE]: marks.join(" ") },
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const exited = new Promise<string>((resolve) => {
    process.once("exit", (code, signal) => resolve(signal === null ? `exit code ${code}` : `killed by ${signal}`));
    process.once("error", (error) => resolve(error.message));
  });
  const { pid } = process;
  // X2. What it starts before the warden knows of it carries the mark.
  if (pid !== undefined) void warden.watch(pid);
  // What is written after it has gone is lost, and nobody's fault.
  process.stdin.on("error", () => undefined);
  return {
    process,
    exited,
    async end() {
      await endLeft(pid, marks.at(-1) as string, { limit: { from: limit, to: limit } });
      await exited;
      if (pid !== undefined) warden.forget(pid);
    },
  };
}

function onPath(program: string, path: string): string | undefined {
  const folder = path.split(delimiter).find((each) => each !== "" && existsSync(join(each, program)));
  return folder === undefined ? undefined : join(folder, program);
}
