/**
 * A conversation as it was after a sequence. Entries, results and messages know the sequence that brought them, so
 * going back is cutting. Messages read since, but received before, are unread again; reports of children that were spawned
 * before are kept, because what a child found stays found.
 */
import type { AgentId } from "../base/ids.ts";
import { callsOf } from "./content.ts";
import { List } from "./list.ts";
import type { Child, Entry, Message, OpenCall, State, ToolResult } from "./state.ts";

/** The state with its conversation cut back to `to`; the head is the caller's business. */
export function rewind(state: State, to: number): State {
  const entries = state.entries.take(state.entries.countWhile((entry) => entry.seq <= to));
  const cut = cutEntries(state.entries, entries.length);
  const children = rewindChildren(state.children, to);
  return {
    ...state,
    entries,
    open: openAt(entries.at(-1), [...resultsOf(cut), ...resultsOfOpen(state.open)], state.open, to),
    inbox: inboxAt(state, cut, children, to),
    children,
    turn: null,
    retry: null,
    interrupted: false,
    checkpoints: state.checkpoints.filter(({ at }) => at <= to),
  };
}

function cutEntries(entries: List<Entry>, kept: number): Entry[] {
  const cut: Entry[] = [];
  for (let i = kept; i < entries.length; i++) cut.push(entries.at(i) as Entry);
  return cut;
}

function resultsOf(entries: readonly Entry[]): ToolResult[] {
  return entries.flatMap((entry) => (entry.kind === "tools" ? entry.results : []));
}

function resultsOfOpen(open: readonly OpenCall[]): ToolResult[] {
  return open.flatMap(({ result }) => (result ? [result] : []));
}

/** The calls of the last kept message that had not all ended at `to`. */
function openAt(last: Entry | undefined, results: ToolResult[], open: readonly OpenCall[], to: number): OpenCall[] {
  if (last?.kind !== "assistant") return [];
  return callsOf(last.parts).map((call): OpenCall => {
    const result = results.find(({ callId, seq }) => callId === call.callId && seq > last.seq);
    if (result && result.seq <= to) {
      const { startSeq, waitsFor } = result;
      return { call, state: "ended", startSeq, waitsFor, result };
    }
    const started = result ?? open.find((each) => each.call.callId === call.callId);
    if (started?.startSeq === undefined || started.startSeq > to) return { call, state: "asked" };
    return { call, state: "started", startSeq: started.startSeq, waitsFor: started.waitsFor };
  });
}

function rewindChildren(children: ReadonlyMap<AgentId, Child>, to: number): Map<AgentId, Child> {
  const next = new Map<AgentId, Child>();
  for (const [id, child] of children) {
    const unread = child.ended?.takenSeq !== undefined && child.ended.takenSeq > to;
    const ended = unread && child.ended ? { ...child.ended, takenSeq: undefined } : child.ended;
    next.set(id, { ...child, ended, cut: child.cut || child.spawnedSeq > to });
  }
  return next;
}

/** Unread now: what was received by `to` and read later, what no one read yet, and reports that are unread again. */
function inboxAt(state: State, cut: readonly Entry[], children: ReadonlyMap<AgentId, Child>, to: number): Message[] {
  const unread = cut.flatMap((entry) => (entry.kind === "user" && entry.message.seq <= to ? [entry.message] : []));
  const reports: Message[] = [];
  for (const { ended, cut: isCut } of children.values()) {
    if (ended && ended.takenSeq === undefined && !isCut) reports.push(ended.message);
  }
  const messages = [...unread, ...state.inbox].filter((message) => !message.report);
  return [...messages, ...reports].sort((a, b) => a.seq - b.seq);
}
