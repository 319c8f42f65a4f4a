/**
 * Background processes in an agent's journal: what is decided about them, and what the events fold to.
 *
 * B1  A process belongs to the agent that started it. A fork has none; a rewind to before its start cuts it.
 * B2  No process starts, at first or again, for an agent that has ended; that one ended is journaled for it too.
 * B3  The agent is told of an end in the append that records it, unless the process starts again, was cut, or the agent has ended.
 * B4  What a run put out is an artifact of the agent, in the append that records the run's end.
 */
import { assert } from "../base/assert.ts";
import { LIMITS } from "../base/limits.ts";
import type { Command } from "./commands.ts";
import type { AgentEvent, EventOf } from "./events.ts";
import { checkName, type Decision, refuse } from "./refusal.ts";
import type { OpenCall, Process, State } from "./state.ts";
import { hasEnded } from "./status.ts";

type CommandOf<Verb extends Command["do"]> = Extract<Command, { do: Verb }>;

/** Those that the agent knows of: not those that a rewind cut. */
export function processesOf(state: State): readonly Process[] {
  return (state.processes ?? []).filter(({ cut }) => !cut);
}

export function isLive({ phase }: Process): boolean {
  return phase.is !== "ended";
}

export function startProcess(state: State, command: CommandOf<"startProcess">): Decision {
  const { do: _, ...fields } = command;
  const processes = state.processes ?? [];
  if (processes.some(({ id }) => id === command.id)) return [];
  if (processes.filter(isLive).length >= LIMITS.processesLiveMax) {
    return refuse("CONTENT_TOO_LARGE", `${LIMITS.processesLiveMax} processes of it run already`);
  }
  if (processesOf(state).some((process) => isLive(process) && process.name === command.name)) {
    return refuse("NAME_INVALID", `a process ${command.name} of it runs already`);
  }
  return checkName(command.name, { type: "process.started", ...fields });
}

export function restartProcess(state: State, { do: _, ...fields }: CommandOf<"restartProcess">): Decision {
  const process = find(state, fields.id);
  if (!process || process.cut || process.phase.is !== "backingOff") {
    return refuse("PROCESS_NOT_FOUND", `no process ${fields.id} of it waits to be started again`);
  }
  return [{ type: "process.restarted", ...fields }];
}

/** B3. */
export function endProcess(state: State, command: CommandOf<"endProcess">): Decision {
  const process = find(state, command.id);
  if (!process) return refuse("PROCESS_NOT_FOUND", `it has no process ${command.id}`);
  if (!isLive(process)) return [];
  const { do: _, told, named, restartTime, ...fields } = command;
  const isOver = process.cut || hasEnded(state.head.status);
  const again = !isOver && restartTime !== undefined;
  const ended: AgentEvent = { type: "process.ended", ...fields, ...(again && { restartTime }) };
  const output = named ? outputOf(state, process, command) : [];
  const isTold = !isOver && !again && told !== undefined && state.inbox.length < LIMITS.inboxMessagesMax;
  if (!isTold) return [ended, ...output];
  const id = `${process.id}.${state.head.seq + 1}`;
  return [
    ended,
    ...output,
    { type: "message.received", id, from: { kind: "runtime", name: `process ${process.name}` }, content: told },
  ];
}

/** B4. Of one that a rewind cut nothing is named: it is no process of the agent any more. */
function outputOf(
  { head: { artifacts } }: State,
  { id, name: processName, callId, cut }: Process,
  { output }: CommandOf<"endProcess">,
): AgentEvent[] {
  const name = outputNameOf(processName);
  const hasRoom = artifacts.length < LIMITS.artifactsMax || artifacts.some((artifact) => artifact.name === name);
  if (!output || cut || !hasRoom) return [];
  const artifact = { name, ...output, mediaType: "text/plain" };
  return [{ type: "artifact.written", artifact, ...(callId !== undefined && { callId }), process: id }];
}

/** Name of the artifact with what the newest run of a process put out. */
export function outputNameOf(process: string): string {
  return `${process.slice(0, LIMITS.nameLengthMax - OUTPUT.length)}${OUTPUT}`;
}

const OUTPUT = ".output";

export function processStarted(state: State, event: EventOf<"process.started">, seq: number, time: number): State {
  const { id, name, argv, cwd, policy, callId, pid, startTicks } = event;
  const phase = { is: "running", pid, startTicks, time } as const;
  const process = { id, name, argv, cwd, policy, callId, startedSeq: seq, restarts: 0, cut: false, phase };
  return withProcesses(state, kept([...(state.processes ?? []), process]));
}

export function processEnded(state: State, event: EventOf<"process.ended">, time: number): State {
  const { type: _, id, restartTime, ...last } = event;
  return change(state, id, (process) => ({
    ...process,
    last,
    phase: restartTime === undefined ? { is: "ended", time } : { is: "backingOff", restartTime },
  }));
}

export function processRestarted(state: State, event: EventOf<"process.restarted">, time: number): State {
  const { id, pid, startTicks } = event;
  return change(state, id, (process) => ({
    ...process,
    restarts: process.restarts + 1,
    phase: { is: "running", pid, startTicks, time },
  }));
}

/** B1: what was started after `to` is no process of the conversation any more. */
export function cutProcesses(state: State, to: number): State {
  if (!state.processes) return state;
  return {
    ...state,
    processes: state.processes.map((process) => ({ ...process, cut: process.cut || process.startedSeq > to })),
  };
}

/** A wait for a process is over when none of that name runs, or is to run again. */
export function processWaitIsOver(state: State, open: OpenCall): boolean {
  const name = nameIn(open);
  return !processesOf(state).some((process) => process.name === name && isLive(process));
}

export function processWaitResult(state: State, open: OpenCall): string {
  const process = processesOf(state).findLast(({ name }) => name === nameIn(open));
  return process ? `${process.name} ended: ${endText(process)}` : "You have no such process any more.";
}

/** How the newest run ended, in a few words. */
export function endText({ last }: Pick<Process, "last">): string {
  if (!last) return "it has not ended";
  const { how, code, signal, why } = last;
  const words = { ...ENDS, exited: `exit ${code ?? 0}`, signalled: `signal ${signal ?? "unknown"}` }[how];
  return why === undefined ? words : `${words} (${why})`;
}

const ENDS = {
  timedOut: "ended by its time limit",
  hung: "ended because it hung",
  overMemory: "ended by its memory limit",
  overOutput: "ended by its output limit",
  lost: "ended with the runtime",
  stopped: "stopped",
  notStarted: "it did not start",
} as const;

function find(state: State, id: string): Process | undefined {
  return state.processes?.find((process) => process.id === id);
}

function change(state: State, id: string, next: (process: Process) => Process): State {
  assert(find(state, id), `${state.head.agent} has a process ${id}`);
  return withProcesses(
    state,
    (state.processes ?? []).map((process) => (process.id === id ? next(process) : process)),
  );
}

function withProcesses(state: State, processes: readonly Process[]): State {
  return { ...state, processes, head: { ...state.head, processes: processes.filter(isLive).length } };
}

/** Without the oldest that have ended, when there are more than are remembered. */
function kept(processes: readonly Process[]): readonly Process[] {
  if (processes.length <= LIMITS.processesKeptMax) return processes;
  const oldest = processes.findIndex((process) => !isLive(process));
  return processes.filter((_, place) => place !== oldest);
}

function nameIn({ call }: OpenCall): string | undefined {
  const input = "json" in call.input ? call.input.json : undefined;
  if (typeof input !== "object" || input === null || Array.isArray(input)) return undefined;
  return typeof input.name === "string" ? input.name : undefined;
}
