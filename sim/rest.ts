/**
 * Liveness: once nothing goes wrong any more, every agent comes to an end, or waits for something that will not come by itself. In
 * three steps, from the most to the least patient; an agent that only a later step would wake has lost its wake-up.
 *
 * R1  Left alone, no agent that has something to do stands still.
 * R2  When holds are released, questions answered and messages sent, every agent with a task ends.
 * R3  When the rest is cancelled, every agent has ended, and stopping and starting again changes nothing.
 */
import { nextStep } from "../src/agent/next.ts";
import type { Head, State } from "../src/agent/state.ts";
import { hasEnded } from "../src/agent/status.ts";
import type { Audit } from "./audit.ts";
import { short } from "./disk.ts";
import type { People } from "./people.ts";
import type { Process } from "./process.ts";
import type { World } from "./world.ts";

/** Longest time in which a world comes to rest: the longest wait that a provider may ask for, twice over. */
const REST_MS_MAX = 3 * 3_600_000;
const MOMENTS_MAX = 50_000;
const NUDGES_MAX = 60;

export interface Resting {
  readonly world: World;
  readonly audit: Audit;
  readonly people: People;
  /** Lets everything run that can run now, then checks. */
  readonly settle: () => Promise<void>;
  readonly process: () => Process;
}

/** Lets time pass until nothing is left to wait for. Tells the world when that does not come. */
export async function comeToRest({ world, settle, process }: Resting): Promise<void> {
  const endMs = world.clock.monotonic() + REST_MS_MAX;
  for (let moment = 0; !world.violation; moment++) {
    await settle();
    const waitMs = world.clock.untilNext();
    if (waitMs === undefined) return;
    if (moment > MOMENTS_MAX || world.clock.monotonic() + waitMs > endMs) {
      const { working, waiting } = process().coordinator.load;
      const what = `${world.clock.pending} timers, ${working} agents at work and ${waiting} waiting for a slot`;
      world.fail("liveness", `the world does not come to rest: ${what} after ${moment} moments`);
      return;
    }
    world.clock.advance(waitMs);
  }
}

/** R1. */
export function checkNobodyIsStuck({ world, audit, people }: Resting): void {
  for (const deed of people.open) {
    if (!deed.process.isStale) world.fail("liveness", `${deed.verb} of ${deed.agent} was never answered`);
  }
  for (const state of audit.states.values()) {
    const why = stuck(state, audit, world.scenario.childrenLiveMax);
    if (why) world.fail("liveness", `${state.head.agent} stands still: ${why}`);
  }
}

function stuck(state: State, audit: Audit, childrenLiveMax: number): string | undefined {
  const { head } = state;
  if (hasEnded(head.status) || audit.isHeld(head.agent)) return undefined;
  if (audit.isOrphan(head.agent)) return "an agent above it has ended";
  const untold = [...audit.states.values()].find(({ head: child }) => {
    return child.parent === head.agent && hasEnded(child.status) && isAwaited(state, child);
  });
  if (untold) return `its child ${untold.head.agent} has ended, and it was not told`;
  const step = nextStep(state);
  if (step.do === "rest" || (step.do !== "loseTurn" && isCrowdedOut(head, audit, childrenLiveMax))) return undefined;
  return `its next step is ${step.do}`;
}

function isAwaited({ children }: State, child: Head): boolean {
  const known = children.get(child.agent);
  return known !== undefined && !known.ended && !known.cut;
}

/** Its siblings have all the places. */
function isCrowdedOut({ agent, parent }: Head, audit: Audit, childrenLiveMax: number): boolean {
  return parent !== null && livingBeside(agent, parent, audit).length >= childrenLiveMax;
}

function livingBeside(agent: string, parent: string, audit: Audit): Head[] {
  const heads = [...audit.states.values()].map(({ head }) => head);
  return heads.filter((head) => head.parent === parent && head.agent !== agent && !hasEnded(head.status));
}

/** R2. */
export async function bringToEnd(resting: Resting): Promise<void> {
  const { world, audit, process } = resting;
  for (let nudge = 0; nudge < NUDGES_MAX && !world.violation; nudge++) {
    const waiting = [...audit.states.values()].filter((state) => nudgeFor(state, audit, resting, process()));
    if (waiting.length === 0) break;
    await comeToRest(resting);
    checkNobodyIsStuck(resting);
  }
  for (const { head } of audit.states.values()) {
    if (hasEnded(head.status) || isChat(head, audit, world.scenario.childrenLiveMax)) continue;
    world.fail("liveness", `${head.agent} does not end: ${head.status} ${head.waitingFor ?? ""}`);
  }
}

/** Does for one agent what it waits for; false when it waits for nothing that a person could do. */
function nudgeFor({ head, open }: State, audit: Audit, { people }: Resting, process: Process): boolean {
  if (hasEnded(head.status)) return false;
  if (head.held) people.do(process, "resume", head);
  else if (audit.isHeld(head.agent)) return false;
  else if (open.some(({ state }) => state === "approval")) people.do(process, "answer", head);
  else if (head.waitingFor === "message" && head.mode === "task") people.do(process, "send", head);
  else return false;
  return true;
}

/** True for an agent that talks, waits for one that does, or for the place of one. */
function isChat({ agent, parent }: Head, audit: Audit, childrenLiveMax: number): boolean {
  const talks = (of: string) => audit.subtree(of).some(({ mode, status }) => mode === "chat" && !hasEnded(status));
  if (talks(agent)) return true;
  const beside = parent === null ? [] : livingBeside(agent, parent, audit);
  return beside.filter((head) => talks(head.agent)).length >= childrenLiveMax;
}

/** R3, its first half. */
export async function cancelTheRest(resting: Resting): Promise<void> {
  const { world, audit, people, process } = resting;
  for (const { head } of audit.states.values()) {
    if (head.parent === null && !hasEnded(head.status)) people.do(process(), "cancel", head);
  }
  await comeToRest(resting);
  for (const { head } of audit.states.values()) {
    if (!hasEnded(head.status)) world.fail("liveness", `${short(head.agent)} lives after everything was cancelled`);
  }
}
