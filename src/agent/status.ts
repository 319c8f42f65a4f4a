/**
 * The lifecycle of an agent: the one table of legal transitions. The diagram in docs/status.md is drawn from it, the
 * fold checks every step against it, and nothing else says what may follow what.
 */

export const STATUSES = [
  "queued",
  "starting",
  "running",
  "waiting",
  "held",
  "completed",
  "failed",
  "cancelled",
] as const;
export type Status = (typeof STATUSES)[number];

/** For each status: what may follow it, and when. */
export const TRANSITIONS: Readonly<Record<Status, Readonly<Partial<Record<Status, string>>>>> = {
  queued: {
    starting: "a slot is free",
    running: "its first turn begins",
    waiting: "it has nothing to read, or is back where it waited",
    held: "a hold is set",
    completed: "it is back at its final answer",
    failed: "it cannot start",
    cancelled: "it is cancelled",
  },
  starting: {
    running: "its session is open",
    queued: "its session was lost",
    held: "a hold is set",
    failed: "its session cannot be opened",
    cancelled: "it is cancelled",
  },
  running: {
    waiting: "it waits for children, a message, an approval, a rate limit or a process",
    queued: "it is rewound, or goes on after an interrupt",
    held: "a hold is set",
    completed: "it gives its final answer",
    failed: "it cannot go on",
    cancelled: "it is cancelled",
  },
  waiting: {
    running: "its call is tried again",
    queued: "what it waited for has come, or it is rewound",
    held: "a hold is set",
    failed: "it cannot go on",
    cancelled: "it is cancelled",
  },
  held: {
    queued: "the hold is released before its first turn",
    starting: "the hold is released while its session opens",
    running: "the hold is released",
    waiting: "the hold is released while it waits",
    failed: "it cannot go on",
    cancelled: "it is cancelled",
  },
  completed: { queued: "it is sent a message or rewound", waiting: "it is rewound to where it waited" },
  failed: { queued: "it is sent a message or rewound", waiting: "it is rewound to where it waited" },
  cancelled: { queued: "it is rewound", waiting: "it is rewound to where it waited" },
};

/** What a waiting agent waits for. */
export const WAITS = ["children", "message", "approval", "rateLimit", "process"] as const;
export type WaitingFor = (typeof WAITS)[number];

export function mayFollow(from: Status, to: Status): boolean {
  return from === to || TRANSITIONS[from][to] !== undefined;
}

/** True once the agent does nothing more unless someone sends it a message or rewinds it. */
export function hasEnded(status: Status): boolean {
  return status === "completed" || status === "failed" || status === "cancelled";
}

/**
 * The status to show: a hold on the agent or above it covers whatever the agent would otherwise be doing, unless it has
 * ended. An agent whose call is still in flight shows as held too: no other will start.
 */
export function shownStatus(own: Status, held: boolean): Status {
  return held && !hasEnded(own) ? "held" : own;
}

/** True for an agent that has something to do when nothing covers it. */
export function wantsWork({ status, waitingFor }: { status: Status; waitingFor: WaitingFor | null }): boolean {
  return !hasEnded(status) && (status !== "waiting" || waitingFor === "rateLimit");
}
