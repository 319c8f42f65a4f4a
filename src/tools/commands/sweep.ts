/**
 * Ends what a command left running. What stayed in its group is reached by one signal. A program that calls `setsid` left the
 * group, but still carries the environment it was started with: a mark in it is looked for. (Linux; elsewhere the group is
 * all that is reached. A program that leaves the group and cleans its environment escapes: only a container would hold it.)
 */
import { readdir, readFile } from "node:fs/promises";
import { MARKS_VARIABLE } from "./environment.ts";

/** Rounds of looking and ending; each also waits for what the last one ended, and finds what was started meanwhile. */
const ROUNDS_MAX = 100;

/**
 * Ends every process of the group or with the mark, and resolves when they run no more.
 * @returns how many it could not end
 */
export async function endLeft(group: number, mark: string): Promise<number> {
  let hasGroup = true;
  for (let round = 0; ; round++) {
    // Once nobody is in it, its number may become another group's.
    hasGroup &&= killGroup(group);
    const left = await leftOf(hasGroup ? group : undefined, mark);
    if (left.length === 0 || round === ROUNDS_MAX) return left.length;
    for (const pid of left) kill(pid);
  }
}

/** SIGKILL, at once: a program that was given time to tidy up could use it to go on. False when nobody is in the group. */
export function killGroup(group: number): boolean {
  return kill(-group);
}

async function leftOf(group: number | undefined, mark: string): Promise<number[]> {
  const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^[1-9]\d*$/.test(name));
  const isLeft = async (pid: string) =>
    (await carries(pid, mark)) || (group !== undefined && (await runsIn(pid, group)));
  const found = await Promise.all(pids.map(async (pid) => ((await isLeft(pid)) ? [Number(pid)] : [])));
  return found.flat();
}

/** False for a process that is gone, that is no more than its exit code, or that is another user's. */
async function carries(pid: string, mark: string): Promise<boolean> {
  const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
  const marks = environment.split("\0").find((entry) => entry.startsWith(`${MARKS_VARIABLE}=`));
  return (
    marks
      ?.slice(MARKS_VARIABLE.length + 1)
      .split(" ")
      .includes(mark) ?? false
  );
}

/** By proc(5): after the name in brackets come state, parent and group. Zombies (Z) and the dead (X) run no more. */
async function runsIn(pid: string, group: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const [state = "X", , ownGroup] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(ownGroup) === group && !"ZX".includes(state);
}

function kill(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ESRCH") return false;
    // Another user's: the caller sees that it is still there.
    if (code === "EPERM") return true;
    throw error;
  }
}
