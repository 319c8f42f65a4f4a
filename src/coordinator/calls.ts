/**
 * The tool calls of a turn: in parallel, each journaled before it starts and when it ends.
 *
 * K1  A tool runs only after its `tool.started` is durable.
 * K2  One that was running when the process died is settled by its own policy, and never run again unless that says so.
 * K3  Whatever a tool does, its call gets a result: a failure, a time limit and an interrupt are results too.
 */
import type { Json, ToolCall } from "../agent/content.ts";
import type { Meta, ToolOutcome } from "../agent/events.ts";
import type { OpenCall, State } from "../agent/state.ts";
import { hasEnded } from "../agent/status.ts";
import { subagentReport, waitResult } from "../agent/waits.ts";
import { asBanyanError, BanyanError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { MustAsk, OwnFailure } from "../drivers/driver.ts";
import type { Tool, ToolAnswer } from "../tools/tool.ts";
import { ownTool } from "./own-tools.ts";
import type { StartedCall, StopReason, Worker } from "./worker.ts";
import type { Workplace } from "./workplace.ts";

/**
 * Journals that the calls start, unless a hold covers the agent. `runStarted` runs them once that is durable. A call of a tool
 * that the agent does not have gets its result at once. When a person must allow one of them, they are asked, and none starts.
 */
export function startCalls(work: Workplace, worker: Worker, calls: readonly ToolCall[]): Promise<unknown>[] {
  if (work.roster.forest.holder(worker.cell.agent)) return [];
  const toAllow = calls.filter((call) => mustBeAllowed(worker, call));
  if (toAllow.length > 0) return toAllow.map((call) => askFirst(worker, call));
  return calls.map((call) => startCall(worker, call, toolOf(work, worker, call.name)));
}

function mustBeAllowed({ cell }: Worker, { callId, name }: ToolCall): boolean {
  if (!cell.head.execution.askFirst?.includes(name)) return false;
  return !cell.loaded?.open.some((open) => open.call.callId === callId && open.allowed);
}

function askFirst({ cell }: Worker, { callId, name, input }: ToolCall): Promise<unknown> {
  const shown = "json" in input ? JSON.stringify(input.json) : input.text.head;
  const question = `May ${name} run with ${shown.slice(0, SHOWN_LENGTH_MAX)}?`;
  return cell.dispatch({ do: "askTool", callId, question });
}

/** Of a call's input in a question. */
const SHOWN_LENGTH_MAX = 2_000;

async function startCall({ cell, started }: Worker, call: ToolCall, tool: Tool | undefined): Promise<void> {
  const { callId, name } = call;
  if (tool) {
    await cell.dispatch({ do: "startTool", callId, waitsFor: tool.waitsFor });
    started.push({ call, tool });
    return;
  }
  await cell.dispatch({ do: "endTool", callId, outcome: "error", content: `There is no tool ${name}.` });
}

/**
 * Runs what was started to its results. Calls that wait are only checked and left waiting. `afterResult` is called with every
 * result, before it is durable.
 */
export async function runStarted(
  work: Workplace,
  worker: Worker,
  signal: AbortSignal,
  afterResult: () => Promise<void>,
): Promise<void> {
  const open = worker.cell.loaded?.open ?? [];
  const isOpen = ({ call }: StartedCall) =>
    open.some((each) => each.state === "started" && each.call.callId === call.callId);
  const isOver = hasEnded(worker.cell.head.status) || work.roster.forest.isOrphan(worker.cell.agent);
  const started = isOver ? [] : worker.started.filter(isOpen);
  worker.started.length = 0;
  const ended = await Promise.allSettled(started.map((each) => runCall(work, worker, each, signal, afterResult)));
  for (const each of ended) if (each.status === "rejected") throw each.reason;
}

/** K2. */
export async function settleCalls(work: Workplace, worker: Worker, calls: readonly OpenCall[]): Promise<void> {
  await Promise.all(calls.map(({ call }) => settleCall(work, worker, call)));
}

async function settleCall(work: Workplace, worker: Worker, call: ToolCall): Promise<void> {
  const { cell } = worker;
  const { callId, name } = call;
  switch (toolOf(work, worker, name)?.onUnknownOutcome ?? "report") {
    case "rerun":
      await Promise.all(startCalls(work, worker, [call]));
      return;
    case "ask": {
      const question = `${name} was running when the runtime stopped. Run it again?`;
      await cell.dispatch({ do: "askTool", callId, question });
      return;
    }
    case "report": {
      const content = `${name} was running when the runtime stopped: its outcome is unknown.`;
      await cell.dispatch({ do: "endTool", callId, outcome: "unknown", content });
    }
  }
}

/** Gives waits that are over their results. That of a session's own tool is what it makes of the report: it is run for that. */
export async function endWaits(
  work: Workplace,
  worker: Worker,
  state: State,
  calls: readonly OpenCall[],
): Promise<void> {
  for (const open of calls) {
    const { callId, name } = open.call;
    if (!state.tools.includes(name)) {
      const report = subagentReport(state, open);
      worker.started.push({ call: open.call, tool: ownTool(work, worker, name, { report }), took: report.took });
      continue;
    }
    const { content, took } = waitResult(state, open);
    await worker.cell.dispatch({
      do: "endTool",
      callId,
      outcome: "ok",
      content: await work.services.contents.stow(content),
      took,
    });
  }
}

async function runCall(
  work: Workplace,
  worker: Worker,
  { call, tool, took }: StartedCall,
  flight: AbortSignal,
  afterResult: () => Promise<void>,
): Promise<void> {
  const { cell } = worker;
  const { callId } = call;
  const ended = await outcomeOf(work, worker, call, tool, flight);
  if (ended === undefined) return;
  if (ended instanceof MustAsk) {
    const question = ended.message.slice(0, SHOWN_LENGTH_MAX);
    return cell.dispatch({ do: "askTool", callId, question, unrun: true }).then(ignore, unlessUnwanted);
  }
  const { outcome, content, meta } = await stowed(work, ended);
  const results = await Promise.allSettled([
    cell.dispatch({ do: "endTool", callId, outcome, content, meta, ...(took && { took }) }),
    afterResult(),
  ]);
  for (const each of results) if (each.status === "rejected") unlessUnwanted(each.reason);
}

function unlessUnwanted(error: unknown): void {
  if (!isUnwanted(error)) throw error;
}

function ignore(): void {}

/** The agent was cancelled or rewound while the tool ran: nobody waits for the result. */
function isUnwanted(error: unknown): boolean {
  return error instanceof BanyanError && (error.code === "AGENT_ENDED" || error.code === "CALL_NOT_FOUND");
}

/** K3. A question when a person must allow it first; undefined when the call stays open: it waits, the runtime stops and its policy decides at the next start, or it was rewound. */
async function outcomeOf(
  work: Workplace,
  worker: Worker,
  call: ToolCall,
  tool: Tool,
  flight: AbortSignal,
): Promise<Ended | MustAsk | undefined> {
  const limit = limitTime(work, tool, flight);
  try {
    const context = work.options.contextFor(worker.cell, call, limit.signal);
    const answer = await Promise.race([tool.run(await inputOf(work, call), context), limit.aborted]);
    return tool.waitsFor ? undefined : okOf(answer);
  } catch (error) {
    if (flight.aborted)
      return (flight.reason as StopReason) === "interrupt"
        ? { outcome: "interrupted", text: "Interrupted." }
        : undefined;
    return error instanceof MustAsk ? error : { outcome: "error", text: describe(error) };
  } finally {
    limit.clear();
  }
}

interface Ended {
  readonly outcome: ToolOutcome;
  readonly text: string;
  readonly meta?: Meta | undefined;
}

/** What a tool answered; whatever is wrong with it is the tool's failure. */
function okOf(answer: string | ToolAnswer): Ended {
  const { text, meta } = typeof answer === "string" ? { text: answer, meta: undefined } : answer;
  if (typeof text !== "string") throw new BanyanError("TOOL_FAILED", "the tool answered with no text");
  const metaLength = meta === undefined ? 0 : JSON.stringify(meta).length;
  if (metaLength <= META_LENGTH_MAX) return { outcome: "ok", text, meta };
  throw new BanyanError("CONTENT_TOO_LARGE", `what comes with the result has ${metaLength} characters`);
}

/** It stands in one record with the result's text or reference, at three bytes a character. */
const META_LENGTH_MAX = LIMITS.recordBytesMax / 4;

/** A text that cannot be a result is the tool's failure as well; a store that failed is not. @throws DISK_FAILED */
async function stowed({ services: { contents } }: Workplace, { outcome, text, meta }: Ended) {
  try {
    return { outcome, content: await contents.stow(text), meta };
  } catch (error) {
    if (error instanceof BanyanError && error.code === "DISK_FAILED") throw error;
    return { outcome: "error" as const, content: await contents.stow(describe(error)), meta: undefined };
  }
}

/** A signal that the flight's end or the tool's time limit aborts, and a promise that rejects then. */
function limitTime({ services: { clock } }: Workplace, tool: Tool, flight: AbortSignal) {
  const own = new AbortController();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  aborted.catch(() => undefined);
  const end = (reason: unknown) => {
    own.abort(reason);
    reject(reason);
  };
  const onFlight = () => end(flight.reason);
  const limitMs = tool.timeMsMax ?? LIMITS.toolMsMax;
  const timer = clock.timer(limitMs, () =>
    end(new BanyanError("TIMED_OUT", `${tool.name} did not end within ${limitMs} ms`)),
  );
  if (flight.aborted) onFlight();
  else flight.addEventListener("abort", onFlight, { once: true });
  return {
    signal: own.signal,
    aborted,
    clear: () => {
      timer.cancel();
      flight.removeEventListener("abort", onFlight);
    },
  };
}

function toolOf(work: Workplace, worker: Worker, name: string): Tool | undefined {
  const isGiven = worker.cell.loaded?.tools.includes(name) !== false;
  const given = isGiven ? work.services.tools.find(name) : undefined;
  if (given) return given;
  const own = worker.session?.ownTool?.(name);
  return own && ownTool(work, worker, name, own.subagent ? { waitsFor: "children" } : {});
}

async function inputOf({ services: { contents } }: Workplace, { input }: ToolCall): Promise<Json> {
  return "json" in input ? input.json : JSON.parse(await contents.fetch(input.text));
}

/** What the model reads of a failure (T3): short enough to stand in the event, whatever a tool throws. */
function describe(error: unknown): string {
  // It is stowed, so it may be long; and it is in the prompt already.
  if (error instanceof OwnFailure) return error.message;
  const { code, message } = asBanyanError(error, "TOOL_FAILED");
  return `${code}: ${message}`.slice(0, ERROR_LENGTH_MAX);
}

const ERROR_LENGTH_MAX = LIMITS.inlineBytesMax / 4;
