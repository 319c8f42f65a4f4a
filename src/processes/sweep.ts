/**
 * Ends what a program left running. What stayed in its group is reached by one signal. A program that calls `setsid` left the
 * group, but still carries the environment it was started with: a mark in it is looked for. What cleans its environment, too, is known by its
 * limit (limit-mark.ts). (Linux; elsewhere the group is all that is reached. Who means to escape can: only a sandbox holds that.)
 *
 * S1  One look at all processes serves everybody who asks meanwhile: ending 100 groups at once costs little more than ending one.
 */
import { sleep, systemClock } from "../base/clock.ts";
import { MARKS_VARIABLE } from "./environment.ts";
import type { LimitRange } from "./limit-mark.ts";
import { pidsNow, residentLimitOf, statOf, textOf } from "./proc.ts";

/** Rounds of looking and ending; each also waits for what the last one ended, and finds what was started meanwhile. */
const ROUNDS_MAX = 100;
/** Rounds for the sake of a process that shows no environment: one that is becoming another program shows none for a moment. */
const UNCLEAR_ROUNDS_MAX = 3;
/** Longest pause before a further round: what was killed takes its time to die on a machine that is busy. */
const PAUSE_MS_MAX = 20;

interface Wanted {
  /** Undefined once nobody is in it: its number may become another group's. */
  group: number | undefined;
  readonly mark: string;
  readonly sinceTicks: number;
  readonly limit: LimitRange | undefined;
  rounds: number;
  /** A process was seen that may be one of them. */
  isUnclear: boolean;
  readonly resolve: (left: number) => void;
}

const clock = systemClock();
let waiting: Wanted[] = [];
let isLooking = false;

/**
 * Ends every process of the group or with the mark, or with a limit of the range and nobody's mark, and resolves when they run no more. Never this process itself.
 * @param sinceTicks when the first of them started: no process that is older is looked into
 * @returns how many it could not end
 */
export function endLeft(
  group: number | undefined,
  mark: string,
  { sinceTicks = 0, limit }: { sinceTicks?: number | undefined; limit?: LimitRange | undefined } = {},
): Promise<number> {
  return new Promise((resolve) => {
    waiting.push({ group, mark, sinceTicks, limit, rounds: 0, isUnclear: false, resolve });
    if (!isLooking) void lookUntilNoneWaits();
  });
}

/** SIGKILL, at once: a program that was given time to tidy up could use it to go on. False when nobody is in the group. */
export function killGroup(group: number, signal: NodeJS.Signals = "SIGKILL"): boolean {
  return killOne(-group, signal);
}

async function lookUntilNoneWaits(): Promise<void> {
  isLooking = true;
  try {
    while (waiting.length > 0) {
      const wanted = waiting;
      waiting = [];
      await look(wanted);
    }
  } finally {
    isLooking = false;
  }
}

async function look(wanted: readonly Wanted[]): Promise<void> {
  for (const each of wanted) if (each.group !== undefined && !killGroup(each.group)) each.group = undefined;
  const left = await leftOf(wanted);
  const again: Wanted[] = [];
  for (const each of wanted) {
    const pids = left.get(each) ?? [];
    const isOver = pids.length === 0 && !(each.isUnclear && each.rounds < UNCLEAR_ROUNDS_MAX);
    if (isOver || each.rounds === ROUNDS_MAX) {
      each.resolve(pids.length);
      continue;
    }
    for (const pid of pids) killOne(pid, "SIGKILL");
    each.rounds += 1;
    each.isUnclear = false;
    again.push(each);
  }
  if (again.length === 0) return;
  await sleep(clock, Math.min(PAUSE_MS_MAX, 2 * Math.min(...again.map(({ rounds }) => rounds))));
  waiting.push(...again);
}

async function leftOf(wanted: readonly Wanted[]): Promise<Map<Wanted, number[]>> {
  const byGroup = new Map(wanted.flatMap((each) => (each.group === undefined ? [] : [[each.group, each] as const])));
  const byMark = new Map(wanted.map((each) => [each.mark, each]));
  const sinceTicks = Math.min(...wanted.map((each) => each.sinceTicks));
  const looksAtLimits = wanted.some(({ limit }) => limit !== undefined);
  const left = new Map<Wanted, number[]>();
  const note = (each: Wanted, pid: number) => left.set(each, [...(left.get(each) ?? []), pid]);
  const one = async (pid: number) => {
    const stat = statOf(pid);
    if (!stat?.runs || pid === process.pid) return;
    // Threads of the kernel have no group, and no environment.
    const marks = stat.startTicks < sinceTicks || stat.group === 0 ? [] : await marksOf(pid);
    if (marks === undefined) for (const each of wanted) each.isUnclear ||= stat.startTicks >= each.sinceTicks;
    const found = new Set((marks ?? []).flatMap((mark) => byMark.get(mark) ?? []));
    const limit = looksAtLimits && stat.startTicks >= sinceTicks && !marks?.length ? residentLimitOf(pid) : undefined;
    if (limit !== undefined) for (const each of wanted) if (isWithin(limit, each.limit)) found.add(each);
    const member = byGroup.get(stat.group);
    if (member) found.add(member);
    for (const each of found) note(each, pid);
  };
  await Promise.all((await pidsNow()).map(one));
  return left;
}

function isWithin(limit: number, range: LimitRange | undefined): boolean {
  return range !== undefined && range.from <= limit && limit <= range.to;
}

/** Undefined of a process that shows no environment: that is gone, that is no more than its exit code, or that is another user's. */
async function marksOf(pid: number): Promise<string[] | undefined> {
  const environment = await textOf(pid, "environ");
  if (environment === "") return undefined;
  const marks = environment.split("\0").find((entry) => entry.startsWith(`${MARKS_VARIABLE}=`));
  return marks?.slice(MARKS_VARIABLE.length + 1).split(" ") ?? [];
}

/** False when there is no such process. */
export function killOne(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ESRCH") return false;
    // Another user's: the caller sees that it is still there.
    if (code === "EPERM") return true;
    throw error;
  }
}
