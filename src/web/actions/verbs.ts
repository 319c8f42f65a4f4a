/** What can be done with an agent: in which words it is asked for, and what it touches. */
import { at } from "../../fleet/columns.ts";
import type { Fleet } from "../../fleet/fleet.ts";
import { touched } from "../../fleet/touched.ts";
import type { Verb } from "../shell/selection.ts";

export interface VerbWords {
  readonly title: (name: string) => string;
  /** What follows from it, for people. */
  readonly says: string;
  readonly button: string;
  /** It ends something, or takes something back. */
  readonly ends?: boolean;
  /** Everything below the agent is touched too. */
  readonly below: boolean;
}

export const VERBS: Readonly<Record<Verb, VerbWords>> = {
  send: {
    title: (name) => `Send ${name} a message`,
    says: "It reads the message before its next turn. An agent that has ended goes on with it.",
    button: "Send",
    below: false,
  },
  pause: {
    title: (name) => `Pause ${name} and all below it`,
    says: "No model call starts in the subtree until it is resumed; children born later are held too. Calls in flight end by themselves.",
    button: "Pause",
    below: true,
  },
  resume: {
    title: (name) => `Resume ${name}`,
    says: "The hold is released: everything below goes on that no other hold covers.",
    button: "Resume",
    below: true,
  },
  interrupt: {
    title: (name) => `Interrupt ${name}`,
    says: "The model call or the tools in flight stop now. What was said is kept, and the agent lives on.",
    button: "Interrupt",
    below: false,
  },
  cancel: {
    title: (name) => `Cancel ${name} and all below it`,
    says: "The whole subtree ends, its processes too. What it has done and made is kept.",
    button: "Cancel the subtree",
    ends: true,
    below: true,
  },
  fork: {
    title: (name) => `Fork ${name}`,
    says: "A new agent gets its past, while the agent runs on.",
    button: "Fork",
    below: false,
  },
  rewind: {
    title: (name) => `Rewind ${name}`,
    says: "The conversation goes back to the restore point, and the agent goes on from there. What came after stays in the journal: a fork from there gets it back.",
    button: "Rewind",
    ends: true,
    below: false,
  },
  answer: {
    title: (name) => `Answer ${name}`,
    says: "A call of a tool waits for a person.",
    button: "Allow",
    below: false,
  },
  budget: {
    title: (name) => `Budget of ${name} and all below it`,
    says: "It binds the whole subtree. Calls reserve their worst case first, so that it is never overspent.",
    button: "Set the budget",
    below: true,
  },
  checkpoint: {
    title: (name) => `Name a checkpoint of ${name}`,
    says: "A restore point with a name can be found again, to fork or to rewind to.",
    button: "Name it",
    below: false,
  },
};

/** In the order of the menu. */
export const MENU: readonly { readonly verb: Verb; readonly word: string; readonly key?: string }[] = [
  { verb: "answer", word: "Answer…" },
  { verb: "send", word: "Send a message…" },
  { verb: "pause", word: "Pause…", key: "p" },
  { verb: "resume", word: "Resume…", key: "p" },
  { verb: "interrupt", word: "Interrupt…" },
  { verb: "fork", word: "Fork…", key: "f" },
  { verb: "checkpoint", word: "Name a checkpoint…" },
  { verb: "budget", word: "Set a budget…" },
  { verb: "cancel", word: "Cancel…", key: "x" },
];

/** Whether it makes sense as things stand. The server has the last word. */
export function canDo(fleet: Fleet, agent: number, verb: Verb): boolean {
  const status = fleet.statuses[at(fleet.status, agent)];
  const hasEnded = fleet.hasEnded(agent);
  const held = at(fleet.hold, agent) > 0;
  switch (verb) {
    case "pause":
      return !held && touched(fleet, agent, true).live > 0;
    case "resume":
      return held;
    case "interrupt":
      return !hasEnded && status !== "queued";
    case "cancel":
      return touched(fleet, agent, true).live > 0;
    case "answer":
      return fleet.waiting[agent] === "approval";
    case "budget":
      return !hasEnded;
    default:
      return true;
  }
}
