/**
 * Waiting without working: a call that waits for children, a message or a process holds no slot, no memory and no promise. Whether
 * it is over follows from the state, and so does its result.
 */
import type { Content, Json } from "./content.ts";
import { processWaitIsOver, processWaitResult } from "./processes.ts";
import { cutText } from "./render.ts";
import type { Child, OpenCall, State } from "./state.ts";

/** True when the call has nothing left to wait for. */
export function waitIsOver(state: State, open: OpenCall): boolean {
  if (open.waitsFor === "message") return state.inbox.length > 0;
  if (open.waitsFor === "process") return processWaitIsOver(state, open);
  const subagent = subagentOf(state, open);
  if (subagent) return subagent.ended !== undefined;
  // Asked after every event, and there may be thousands of children.
  const names = namesIn(open);
  if (names === undefined) return state.head.childrenLive === 0;
  return !state.children.some(({ ended, cut, name }) => !ended && !cut && names.includes(name));
}

export interface WaitResult {
  /** JSON text: `[{name, status, output, artifacts, error?}]`, in the order the children were spawned. */
  readonly content: string;
  /** Inbox messages that the result carries. */
  readonly took: readonly string[];
}

/** The result of a wait that is over. */
export function waitResult(state: State, open: OpenCall): WaitResult {
  if (open.waitsFor === "message") return { content: "A message has come; it follows.", took: [] };
  if (open.waitsFor === "process") return { content: processWaitResult(state, open), took: [] };
  const ended = awaited(state, open).flatMap((child) => (child.ended ? [child.ended.message] : []));
  const reports = ended.map(({ report, content }) => ({
    name: report?.name ?? "",
    status: report?.status ?? "",
    output: typeof content === "string" ? content : cutText(content),
    artifacts: (report?.artifacts ?? []).map(({ name, digest, bytes }) => ({ name, digest, bytes })),
    ...(report?.error && { error: `${report.error.code}: ${report.error.message}` }),
  }));
  return { content: linesOf(reports), took: ended.map(({ id }) => id) };
}

/** Identifies one call for good: providers may use an id again in a later turn. */
export function callKey({ entries }: State, callId: string): string {
  return `${entries.at(-1)?.seq ?? 0}.${callId}`;
}

export interface SubagentReport {
  readonly content: Content;
  readonly isError: boolean;
  readonly took: readonly string[];
}

/** What became of the agent that a call both asked for and waited for. */
export function subagentReport(state: State, open: OpenCall): SubagentReport {
  const ended = subagentOf(state, open)?.ended?.message;
  if (!ended)
    return { content: "The subagent did not start: call again if it is still needed.", isError: true, took: [] };
  const { content, report, id } = ended;
  if (report?.status === "completed") return { content, isError: false, took: [id] };
  const why = report?.error ? `${report.error.code}: ${report.error.message}` : "it was stopped before it was done";
  return {
    content: `The subagent ${report?.name ?? ""} ${report?.status ?? "failed"}: ${why}`,
    isError: true,
    took: [id],
  };
}

function subagentOf(state: State, { call }: OpenCall): Child | undefined {
  if (state.tools.includes(call.name)) return undefined;
  const key = callKey(state, call.callId);
  return state.children.find(({ callId, cut }) => callId === key && !cut);
}

/** JSON with one report a line, so that a result which was cut can be read on by lines. */
function linesOf(reports: readonly object[]): string {
  return `[${reports.map((report) => JSON.stringify(report)).join(",\n")}]`;
}

/** The children that the call names; all that are unread when it names none. */
function awaited(state: State, open: OpenCall): Child[] {
  const names = namesIn(open);
  const children = [...state.children.values()].filter((child) => !child.cut);
  if (names) return children.filter(({ name }) => names.includes(name));
  return children.filter(({ ended }) => ended?.takenSeq === undefined);
}

function namesIn({ call }: OpenCall): string[] | undefined {
  const input: Json | undefined = "json" in call.input ? call.input.json : undefined;
  if (typeof input !== "object" || input === null || Array.isArray(input) || !Array.isArray(input.names))
    return undefined;
  return input.names.filter((name) => typeof name === "string");
}
