/**
 * A conversation as it was after a sequence. Entries, results and messages know the sequence that brought them, so
 * going back is cutting. Messages read since, but received before, are unread again; reports of children that were spawned
 * before are kept, because what a child found stays found.
 */
import { callsOf } from "./content.ts";
import type { List } from "./list.ts";
import type { Child, Entry, Message, OpenCall, State, ToolResult } from "./state.ts";
import { VersionedMap } from "./versioned-map.ts";

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
    checkpoints: state.checkpoints.filter(({ at, pinned }) => pinned || at <= to),
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

function rewindChildren(children: State["children"], to: number): State["children"] {
  const back = ({ ended, ...child }: Child): Child => {
    const isUnread = ended?.takenSeq !== undefined && ended.takenSeq > to;
    return {
      ...child,
      ended: isUnread ? { ...ended, takenSeq: undefined } : ended,
      cut: child.cut || child.spawnedSeq > to,
    };
  };
  return VersionedMap.of([...children.values()].map((child) => [child.agent, back(child)]));
}

/** Unread now: what was received by `to` and read later, what no one read yet, and reports that are unread again. */
function inboxAt(state: State, cut: readonly Entry[], children: State["children"], to: number): Message[] {
  const unread = cut.flatMap((entry) => (entry.kind === "user" && entry.message.seq <= to ? [entry.message] : []));
  const reports: Message[] = [];
  for (const { ended, cut: isCut } of children.values()) {
    if (ended && ended.takenSeq === undefined && !isCut) reports.push(ended.message);
  }
  // A fork without its origin's children still has what they reported: those are messages like any other.
  const messages = [...unread, ...state.inbox].filter(({ report }) => !report || !children.has(report.child));
  return [...messages, ...reports].sort((a, b) => a.seq - b.seq);
}
