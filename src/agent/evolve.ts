/**
 * The fold: `evolve(state, recorded) -> state`. Pure, total over the events that `decide` makes, and the only place where
 * a state changes.
 *
 * E3  Same journal, same state, on every adapter and after every restart, restore and fork.
 * E4  A status only ever changes along the table in status.ts.
 */
import { assert, unreachable } from "../base/assert.ts";
import type { AgentId } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";
import { activityOf } from "./activity.ts";
import { checkpointChanged } from "./checkpoints.ts";
import { callsOf } from "./content.ts";
import type { AgentEvent, EventOf, Recorded } from "./events.ts";
import { filesRestored, filesSaved, filesToRestore } from "./files.ts";
import { evolveHead, isHeadEvent, startHead, statusOf } from "./head.ts";
import { List } from "./list.ts";
import { cutProcesses, processEnded, processRestarted, processStarted } from "./processes.ts";
import { rewind } from "./rewind.ts";
import type { Child, Entry, Head, Message, OpenCall, State, ToolResult } from "./state.ts";
import { mayFollow } from "./status.ts";
import { addUsage } from "./usage.ts";
import { VersionedMap } from "./versioned-map.ts";

/**
 * The state after `recorded`. `agent` names the journal it stands in; `state` is what the events before it folded to:
 * undefined for the first event of an agent, the origin's state at the fork for the first event of a fork.
 * @throws INTERNAL when the event cannot follow
 */
export function evolve(agent: AgentId, state: State | undefined, recorded: Recorded): State {
  const next = apply(agent, state, recorded);
  const from = state?.head.agent === agent ? state.head.status : undefined;
  const to = next.head.status;
  assert(from === undefined || mayFollow(from, to), `${recorded.event.type} would take ${agent} from ${from} to ${to}`);
  return next;
}

function apply(agent: AgentId, state: State | undefined, recorded: Recorded): State {
  const { event } = recorded;
  if (event.type === "agent.created") return withStatus(created(agent, event, recorded));
  assert(state, `${agent} begins with ${event.type}`);
  if (event.type === "agent.forked") return withStatus(forked(agent, state, event, recorded));
  assert(recorded.seq === state.head.seq + 1, `event ${recorded.seq} of ${agent} follows ${state.head.seq}`);
  if (isHeadEvent(event)) return { ...state, head: evolveHead(state.head, { ...recorded, event }) };
  const changed = changedBy(state, event, recorded);
  return settle(changed, recorded, activityOf(event));
}

/** Everything but the head's bookkeeping, which `settle` does for all. */
function changedBy(state: State, event: Exclude<AgentEvent, HeadOrFirst>, { seq, time }: Recorded): State {
  switch (event.type) {
    case "message.received": {
      const { id, from, content, meta } = event;
      return receive(state, { id, seq, time, from, content, meta });
    }
    case "turn.started":
      return startTurn(state, event, seq);
    case "turn.ended":
      return endTurn(state, event, seq, time);
    case "turn.failed":
      return failTurn(state, event, time);
    case "turn.postponed":
      return { ...state, retry: { attempts: 0, putOffs: 0, ...state.retry, retryTime: time, waitMsMax: 0 } };
    case "turn.withdrawn":
      return { ...state, turn: null, head: { ...state.head, reservedUsd: 0 } };
    case "turn.lost":
      return { ...state, turn: null, head: spend(state.head, { ...event, estimated: true }) };
    case "tool.started":
      return withCall(started(state), event.callId, (open) => ({
        ...open,
        state: "started",
        startSeq: open.startSeq ?? seq,
        waitsFor: event.waitsFor,
      }));
    case "tool.asked":
      return withCall(state, event.callId, ({ startSeq, ...open }) => ({
        ...open,
        ...(startSeq !== undefined && !event.unrun && { startSeq }),
        state: "approval",
      }));
    case "tool.answered":
      return withCall(state, event.callId, (open) => {
        const isNew = event.decision === "rerun" && open.startSeq === undefined;
        return { ...open, state: "asked", ...(isNew && { allowed: true }) };
      });
    case "tool.ended":
      return endTool(state, event, seq, time);
    case "child.spawned": {
      const { child, name, callId } = event;
      return withChild(state, { agent: child, name, callId, spawnedSeq: seq, cut: false, toldSeq: 0 });
    }
    case "child.ended":
      return endChild(state, event, seq, time);
    case "child.revived": {
      const child = state.children.get(event.child);
      assert(child, `${event.child} is a child of ${state.head.agent}`);
      const inbox = state.inbox.filter((message) => message.report?.child !== event.child);
      // One that a rewind took back is a child anew: going back to before this takes it back again.
      const spawnedSeq = child.cut ? seq : child.spawnedSeq;
      return { ...withChild(state, { ...child, spawnedSeq, ended: undefined, cut: false }), inbox };
    }
    case "artifact.written": {
      const others = state.head.artifacts.filter(({ name }) => name !== event.artifact.name);
      return { ...state, head: { ...state.head, artifacts: [...others, event.artifact] } };
    }
    case "process.started":
      return processStarted(state, event, seq, time);
    case "process.ended":
      return processEnded(state, event, time);
    case "process.restarted":
      return processRestarted(state, event, time);
    case "checkpoint.named":
    case "checkpoint.pinned":
    case "checkpoint.unpinned":
    case "checkpoint.forgotten":
      return checkpointChanged(state, event, time);
    case "files.saved":
      return filesSaved(state, event, seq);
    case "files.restored":
      return filesRestored(state, event, seq);
    case "agent.rewound":
      return filesToRestore(rewound(state, event.to, seq), event, seq);
    case "agent.revived":
      return { ...state, turn: null, interrupted: false, retry: null, head: again(state.head) };
    case "agent.completed":
      return { ...state, head: { ...state.head, status: "completed", output: event.output } };
    default:
      return unreachable(event);
  }
}

type HeadOrFirst = EventOf<"agent.created"> | EventOf<"agent.forked"> | Parameters<typeof evolveHead>[1]["event"];

function created(agent: AgentId, event: EventOf<"agent.created">, recorded: Recorded): State {
  assert(recorded.seq === 1, `${agent} is created by its first event`);
  return {
    head: startHead(agent, event, recorded),
    instructions: event.instructions,
    toolset: event.toolset,
    tools: event.tools,
    speaksFirst: event.speaksFirst ?? false,
    entries: List.of(),
    open: [],
    inbox: [],
    children: VersionedMap.of(),
    turn: null,
    retry: null,
    interrupted: false,
    receivedIds: List.of(),
    checkpoints: [],
    cuts: [],
  };
}

/** The origin's conversation under a new identity. What the origin spent, and its hold, are its own. */
function forked(agent: AgentId, past: State, event: EventOf<"agent.forked">, recorded: Recorded): State {
  assert(recorded.seq === past.head.seq + 1, `${agent} continues its origin's sequence`);
  let children = VersionedMap.of<AgentId, Child>();
  const renamed = (message: Message): Message => {
    const fork = message.report && event.children[message.report.child];
    return fork && message.report ? { ...message, report: { ...message.report, child: fork } } : message;
  };
  for (const child of past.children.values()) {
    // A child that had ended needs no fork: what it reported is part of the past that is shared.
    const fork = event.children[child.agent] ?? (child.ended && child.agent);
    if (fork === undefined || child.cut) continue;
    const ended = child.ended && { ...child.ended, message: renamed(child.ended.message) };
    children = children.set(fork, { ...child, agent: fork, ended });
  }
  const head = headOfFork(agent, past.head, event, recorded);
  return {
    ...past,
    head: { ...head, childrenLive: countLiving(children), childrenTotal: children.size },
    children,
    inbox: past.inbox.map(renamed),
    // A process is its starter's: the fork never started one.
    processes: undefined,
    // A folder that is to be put back is its origin's to put back.
    ...(past.files && { files: { tree: past.files.tree, seq: past.files.seq } }),
    turn: null,
    retry: null,
    checkpoints: [],
  };
}

/** The head with which a fork begins: what it is known by before its past is folded. */
export function headOfFork(agent: AgentId, past: Head, event: EventOf<"agent.forked">, recorded: Recorded): Head {
  const { parent, root, level, name, budget } = event;
  const { mode, execution, rights, tenant } = { ...past, ...definedOf(event) };
  const head = startHead(agent, { parent, root, level, name, budget, mode, execution, rights, tenant }, recorded);
  return { ...head, origin: event.origin };
}

/**
 * The head of a fork made right behind its origin's newest event, when it follows from the origin's head alone: one that waits for
 * a message, and never had a child, is forked to one that does the same. Undefined when the past has to be folded first.
 */
export function restingHeadOfFork(
  agent: AgentId,
  past: Head,
  event: EventOf<"agent.forked">,
  recorded: Recorded,
): Head | undefined {
  const { status, waitingFor, childrenTotal, interrupted } = past;
  if (status !== "waiting" || waitingFor !== "message" || childrenTotal > 0) return undefined;
  if (recorded.seq !== past.seq + 1) return undefined;
  return { ...headOfFork(agent, past, event, recorded), status, waitingFor, interrupted };
}

function definedOf({ execution, rights }: EventOf<"agent.forked">) {
  return { ...(execution && { execution }), ...(rights && { rights }) };
}

function receive(state: State, message: Message): State {
  return { ...state, inbox: [...state.inbox, message], receivedIds: remember(state.receivedIds, message.id) };
}

/** Keeps between one and two times LIMITS.inboxIdsMax ids. */
function remember(ids: List<string>, id: string): List<string> {
  if (ids.length < 2 * LIMITS.inboxIdsMax) return ids.append(id);
  return List.of(...[...ids].slice(-LIMITS.inboxIdsMax), id);
}

function startTurn(state: State, event: EventOf<"turn.started">, seq: number): State {
  let { entries } = state;
  const took = new Set(event.took);
  for (const message of state.inbox) {
    if (took.has(message.id)) entries = entries.append({ kind: "user", seq, message });
  }
  const { turn, attempt, reservedUsd } = event;
  return {
    ...markTaken(state, took, seq),
    entries,
    turn: { turn, attempt, reservedUsd },
    interrupted: false,
    head: { ...started(state).head, reservedUsd },
  };
}

function started(state: State): State {
  return { ...state, head: { ...state.head, status: "running" } };
}

/** Takes messages from the inbox, and notes on children whose reports are among them that they were read. */
function markTaken(state: State, took: ReadonlySet<string>, seq: number): State {
  if (took.size === 0) return state;
  const inbox: Message[] = [];
  let { children } = state;
  for (const message of state.inbox) {
    if (!took.has(message.id)) inbox.push(message);
    const child = message.report && children.get(message.report.child);
    if (!took.has(message.id) || !child?.ended) continue;
    children = children.set(child.agent, { ...child, ended: { ...child.ended, takenSeq: seq } });
  }
  return { ...state, inbox, children };
}

function endTurn(state: State, event: EventOf<"turn.ended">, seq: number, time: number): State {
  const { messageId, parts, finish, meta } = event;
  const interrupted = event.outcome === "interrupted";
  const entry: Entry = { kind: "assistant", seq, time, messageId, parts, finish, interrupted, meta };
  const said = parts.length > 0 || !interrupted;
  return {
    ...state,
    entries: said ? state.entries.append(entry) : state.entries,
    open: callsOf(parts).map((call): OpenCall => ({ call, state: "asked" })),
    turn: null,
    retry: null,
    interrupted,
    head: { ...spend(state.head, event), turns: state.head.turns + 1, usage: addUsage(state.head.usage, event.usage) },
  };
}

function failTurn(state: State, event: EventOf<"turn.failed">, time: number): State {
  const { attempts, putOffs } = state.retry ?? { attempts: 0, putOffs: 0 };
  const counted = event.putOff ? { attempts, putOffs: putOffs + 1 } : { attempts: attempts + 1, putOffs };
  const { retryTime = 0 } = event;
  return {
    ...state,
    turn: null,
    retry: { ...counted, retryTime, waitMsMax: Math.max(0, retryTime - time) },
    head: { ...spend(state.head, event), usage: addUsage(state.head.usage, event.usage) },
  };
}

function spend(head: Head, { costUsd, estimated }: { costUsd: number; estimated?: boolean | undefined }): Head {
  return {
    ...head,
    reservedUsd: 0,
    costUsd: head.costUsd + costUsd,
    estimatedUsd: head.estimatedUsd + (estimated ? costUsd : 0),
  };
}

function withCall(state: State, callId: string, change: (open: OpenCall) => OpenCall): State {
  const found = state.open.some(({ call }) => call.callId === callId);
  assert(found, `${state.head.agent} has an open call ${callId}`);
  return { ...state, open: state.open.map((open) => (open.call.callId === callId ? change(open) : open)) };
}

function endTool(state: State, event: EventOf<"tool.ended">, seq: number, time: number): State {
  const { callId, outcome, content, meta } = event;
  const took = event.took ?? [];
  const taken = markTaken(state, new Set(took), seq);
  const ended = withCall(taken, callId, (open) => {
    const { startSeq, waitsFor, call } = open;
    const result: ToolResult = { callId, name: call.name, outcome, content, startSeq, seq, waitsFor, time, took, meta };
    return { ...open, state: "ended", result };
  });
  if (!ended.open.every((open) => open.state === "ended")) return ended;
  const results = ended.open.flatMap(({ result }) => (result ? [result] : []));
  const interrupted = results.some((result) => result.outcome === "interrupted");
  return { ...ended, open: [], interrupted, entries: ended.entries.append({ kind: "tools", seq, results }) };
}

function withChild(state: State, child: Child): State {
  const children = state.children.set(child.agent, child);
  const before = state.children.get(child.agent);
  const childrenLive = state.head.childrenLive + Number(lives(child)) - Number(before !== undefined && lives(before));
  return { ...state, children, head: { ...state.head, childrenLive, childrenTotal: children.size } };
}

function lives({ ended, cut }: Child): boolean {
  return !ended && !cut;
}

function countLiving(children: State["children"]): number {
  let count = 0;
  for (const child of children.values()) if (lives(child)) count += 1;
  return count;
}

function endChild(state: State, event: EventOf<"child.ended">, seq: number, time: number): State {
  const child = state.children.get(event.child);
  assert(child, `${event.child} is a child of ${state.head.agent}`);
  const { status, output, artifacts, error } = event;
  const message: Message = {
    id: reportId(event.child, event.seq),
    seq,
    time,
    from: { kind: "agent", id: event.child, name: child.name },
    content: output,
    report: { child: event.child, name: child.name, status, output, artifacts, error },
  };
  const next = withChild(state, { ...child, toldSeq: event.seq, ended: { seq: event.seq, message } });
  return child.cut ? next : { ...next, inbox: [...next.inbox, message] };
}

/** The id under which a child's report is delivered, so that it is delivered once. */
export function reportId(child: AgentId, seq: number): string {
  return `${child}.${seq}`;
}

function rewound(state: State, to: number, seq: number): State {
  const back = rewind(state, to);
  const cuts = [...state.cuts.filter(({ after }) => after < to), { after: to, before: seq }];
  return { ...cutProcesses(back, to), cuts, head: { ...again(state.head), childrenLive: countLiving(back.children) } };
}

/** It stands as if it had not ended: what it does next follows from its conversation. */
function again(head: Head): Head {
  return { ...head, status: "queued", output: null, error: null };
}

function settle(state: State, recorded: Recorded, activity: string | undefined): State {
  const head = { ...state.head, seq: recorded.seq, time: recorded.time, ...(activity && { activity }) };
  return withStatus({ ...state, head });
}

function withStatus(state: State): State {
  const interrupted = state.interrupted || undefined;
  return { ...state, head: { ...state.head, ...statusOf(state), interrupted } };
}
