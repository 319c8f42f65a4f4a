/**
 * The head of an agent: how it begins, the events that change nothing else (so that holding or cancelling an agent
 * that is not in memory reads no conversation), and the status that a state stands for.
 */
import { unreachable } from "../base/assert.ts";
import type { AgentId } from "../base/ids.ts";
import { type AgentEvent, DEFAULT_TENANT, type EventOf, type Recorded } from "./events.ts";
import { nextStep } from "./next.ts";
import type { Head, State } from "./state.ts";
import { hasEnded, type Status, type WaitingFor } from "./status.ts";
import { NO_USAGE } from "./usage.ts";

const HEAD_EVENTS = [
  ...(["artifact.linked", "agent.interrupted", "hold.set", "hold.released"] as const),
  ...(["budget.set", "agent.cancelled", "agent.failed"] as const),
] as const;
type HeadEventType = (typeof HEAD_EVENTS)[number];
export type HeadEvent = { [Type in HeadEventType]: EventOf<Type> }[HeadEventType];

/** True for events that touch the head alone. */
export function isHeadEvent(event: AgentEvent): event is HeadEvent {
  return (HEAD_EVENTS as readonly string[]).includes(event.type);
}

type Identity = Pick<
  EventOf<"agent.created">,
  "parent" | "root" | "level" | "name" | "mode" | "execution" | "rights" | "tenant" | "budget"
>;

export function startHead(agent: AgentId, identity: Identity, { seq, time }: Recorded): Head {
  const { parent, root, level, name, mode, execution, rights, tenant, budget } = identity;
  return {
    agent,
    origin: null,
    parent,
    root,
    level,
    name,
    mode,
    execution,
    rights,
    budget: budget ?? null,
    tenant,
    seq,
    time,
    createdTime: time,
    status: "queued",
    waitingFor: null,
    held: false,
    turns: 0,
    usage: NO_USAGE,
    costUsd: 0,
    estimatedUsd: 0,
    reservedUsd: 0,
    childrenLive: 0,
    childrenTotal: 0,
    processes: undefined,
    activity: "queued",
    output: null,
    error: null,
    artifacts: [],
    interrupted: undefined,
  };
}

export function tenantOf({ tenant }: Pick<Head, "tenant">): string {
  return tenant ?? DEFAULT_TENANT;
}

export function evolveHead(head: Head, { seq, time, event }: Recorded<HeadEvent>): Head {
  const next = { ...head, seq, time };
  switch (event.type) {
    case "artifact.linked":
    case "agent.interrupted":
      return next;
    case "hold.set":
      return { ...next, held: true, activity: event.reason || "held" };
    case "hold.released":
      return { ...next, held: false, activity: "released" };
    case "budget.set":
      return { ...next, budget: event.budget };
    case "agent.cancelled":
      return {
        ...cutShort(next),
        status: "cancelled",
        waitingFor: null,
        held: false,
        activity: event.reason || "cancelled",
      };
    case "agent.failed":
      return {
        ...cutShort(next),
        status: "failed",
        waitingFor: null,
        error: event.error,
        activity: event.error.message,
      };
    default:
      return unreachable(event);
  }
}

/** A call still in flight when the agent ends counts with all that was reserved for it: more it cannot have cost. */
function cutShort(head: Head): Head {
  const { costUsd, estimatedUsd, reservedUsd } = head;
  return { ...head, costUsd: costUsd + reservedUsd, estimatedUsd: estimatedUsd + reservedUsd, reservedUsd: 0 };
}

/**
 * What the state is doing, as its status. It waits exactly when it has nothing to do until something happens (`nextStep`), or
 * when its call was put off. Otherwise it stays queued until a turn or a tool starts, and then runs until it waits or ends.
 */
export function statusOf(state: State): { status: Status; waitingFor: WaitingFor | null } {
  const { status } = state.head;
  if (hasEnded(status)) return { status, waitingFor: null };
  const waitingFor = waitOf(state);
  if (waitingFor !== null) return { status: "waiting", waitingFor };
  return { status: status === "waiting" ? "queued" : status, waitingFor: null };
}

function waitOf(state: State): WaitingFor | null {
  const step = nextStep(state);
  if (step.do === "callModel") return step.notBefore > 0 ? "rateLimit" : null;
  if (step.do !== "rest") return null;
  const calls = state.open.filter((open) => open.state !== "ended");
  if (calls.some((open) => open.state === "approval")) return "approval";
  const wait = calls[0]?.waitsFor;
  if (wait !== undefined) return wait;
  return state.head.childrenLive > 0 && !state.interrupted ? "children" : "message";
}
