/**
 * The decision: `decide(state, command) -> events, or a refusal with a reason`. Pure.
 *
 * D1  Under a hold no turn starts.
 * D2  A message delivered twice is folded once.
 * D3  An agent completes only when none of its children lives and it has nothing left to read or do.
 * D4  A call gets one start (or one for each time that a person or its policy says to run it again) and one end.
 * D5  What an ended agent did stays; only a message, a rewind or a revival make it go on.
 */
import { unreachable } from "../base/assert.ts";
import { LIMITS } from "../base/limits.ts";
import { type CheckpointCommand, decideCheckpoint, isCheckpointCommand } from "./checkpoints.ts";
import type { Command } from "./commands.ts";
import { callsOf, type ToolCall } from "./content.ts";
import { type AgentEvent, LABEL_LENGTH_MAX, REASON_LENGTH_MAX } from "./events.ts";
import { decideFiles, type FilesCommand, isFilesCommand } from "./files.ts";
import { nextStep } from "./next.ts";
import { endProcess, restartProcess, startProcess } from "./processes.ts";
import { checkName, type Decision, isLabel, isRefusal, type Refusal, refuse } from "./refusal.ts";
import type { Head, OpenCall, State } from "./state.ts";
import { hasEnded } from "./status.ts";

export { type Decision, isRefusal } from "./refusal.ts";

/** Decides for an agent whose conversation is at hand. `state` is undefined before its first event. */
export function decide(state: State | undefined, command: Command): Decision {
  if (command.do === "create") {
    const { do: _, ...fields } = command;
    return state
      ? refuse("JOURNAL_CONFLICT", "the agent exists")
      : checkName(command.name, { type: "agent.created", ...fields });
  }
  if (!state) return refuse("AGENT_NOT_FOUND", "the agent has no journal");
  if (command.do === "fork") {
    const { do: _, ...fields } = command;
    return checkName(command.name, { type: "agent.forked", ...fields });
  }
  if (isHeadCommand(command)) return decideHead(state.head, command);
  if (isCheckpointCommand(command)) return decideCheckpoint(state, command);
  if (isFilesCommand(command)) return decideFiles(state, command);
  return hasEnded(state.head.status) ? decideEnded(state, command) : decideLiving(state, command);
}

type LaterCommand = Exclude<Command, { do: "create" | "fork" } | HeadCommand | CheckpointCommand | FilesCommand>;

function decideLiving(state: State, command: LaterCommand): Decision {
  switch (command.do) {
    case "receive":
      return receive(state, command);
    case "startTurn":
      return startTurn(state, command);
    case "withdrawTurn":
      return state.turn ? [{ type: "turn.withdrawn", turn: state.turn.turn }] : noTurn();
    case "postponeTurn": {
      const step = nextStep(state);
      const isDue = step.do === "callModel" && step.notBefore === 0 && !state.head.held;
      return isDue ? [{ type: "turn.postponed" }] : [];
    }
    case "loseTurn":
      return state.turn ? [{ type: "turn.lost", turn: state.turn.turn, costUsd: state.turn.reservedUsd }] : noTurn();
    case "endTurn":
      return endTurn(state, command);
    case "failTurn":
      return failTurn(state, command);
    case "startTool":
    case "askTool":
    case "answerTool":
    case "endTool":
      return decideTool(state, command);
    case "spawn":
      return spawn(state, command);
    case "endChild":
      return endChild(state, command);
    case "reviveChild":
      return state.children.get(command.child)?.ended ? [{ type: "child.revived", child: command.child }] : [];
    case "writeArtifact":
      return writeArtifact(state, command);
    case "startProcess":
      return startProcess(state, command);
    case "restartProcess":
      return restartProcess(state, command);
    case "endProcess":
      return endProcess(state, command);
    case "rewind":
      return rewind(state, command);
    case "revive":
      return state.interrupted ? [{ type: "agent.revived", by: command.by }] : [];
    case "complete":
      return complete(state, command);
    default:
      return unreachable(command);
  }
}

/** D3. What has come meanwhile goes first: the agent then gives another answer, and completes with that. */
function complete(state: State, { output }: Extract<Command, { do: "complete" }>): Decision {
  if (state.head.childrenLive > 0) return refuse("AGENT_ENDED", `${state.head.childrenLive} children still live`);
  return nextStep(state).do === "complete" ? [{ type: "agent.completed", output }] : [];
}

/** D5. */
function decideEnded(state: State, command: LaterCommand): Decision {
  switch (command.do) {
    case "receive": {
      if (state.head.status === "cancelled")
        return refuse("AGENT_CANCELLED", "a cancelled agent reads no messages; rewind it");
      const received = receive(state, command);
      if (isRefusal(received) || received.length === 0) return received;
      return [{ type: "agent.revived", by: command.from }, ...received];
    }
    case "revive":
      if (state.head.status === "cancelled") return refuse("AGENT_CANCELLED", "it was cancelled; rewind it");
      return [{ type: "agent.revived", by: command.by }];
    case "rewind":
      return rewind(state, command);
    case "endChild":
      return endChild(state, command);
    case "endProcess":
      return endProcess(state, command);
    case "reviveChild":
      return refuse("PARENT_ENDED", `the parent is ${state.head.status}`);
    default:
      return refuse("AGENT_ENDED", `the agent is ${state.head.status}`);
  }
}

type HeadCommand = Extract<
  Command,
  { do: "linkArtifact" | "interrupt" | "hold" | "release" | "setBudget" | "cancel" | "fail" }
>;

/** True for commands that need the head alone, so that they reach 10,000 agents without reading a conversation. */
export function isHeadCommand(command: Command): command is HeadCommand {
  return ["linkArtifact", "interrupt", "hold", "release", "setBudget", "cancel", "fail"].includes(command.do);
}

export function decideHead(head: Head, command: HeadCommand): Decision {
  const ended = hasEnded(head.status);
  switch (command.do) {
    // What is in flight is stopped by whoever carries it out; this says who wanted it.
    case "interrupt":
      return ended ? [] : [{ type: "agent.interrupted", by: command.by, subtree: command.subtree }];
    case "linkArtifact": {
      const { do: _, ...link } = command;
      return [{ type: "artifact.linked", ...link }];
    }
    case "hold":
      if (ended) return refuse("AGENT_ENDED", `the agent is ${head.status}`);
      if (head.held) return [];
      return checkReason(command.reason, { type: "hold.set", by: command.by, reason: command.reason });
    case "release":
      return head.held ? [{ type: "hold.released", by: command.by }] : refuse("NOT_HELD", "no hold is set on it");
    case "setBudget":
      return [{ type: "budget.set", budget: command.budget, by: command.by }];
    case "cancel":
      if (ended) return [];
      return checkReason(command.reason, { type: "agent.cancelled", by: command.by, reason: command.reason });
    case "fail":
      return ended ? [] : [{ type: "agent.failed", error: command.error }];
    default:
      return unreachable(command);
  }
}

function checkReason(reason: string, event: AgentEvent): Decision {
  if (reason.length > REASON_LENGTH_MAX) {
    return refuse("INPUT_INVALID", `a reason of ${reason.length} characters is longer than ${REASON_LENGTH_MAX}`);
  }
  return [event];
}

function noTurn(): Refusal {
  return refuse("INTERRUPTED", "no model call is in flight");
}

/** D2. */
function receive(state: State, command: Extract<Command, { do: "receive" }>): Decision {
  if (state.receivedIds.includes(command.id)) return [];
  if (!isLabel(command.id)) return refuse("INPUT_INVALID", `a message's id has 1 to ${LABEL_LENGTH_MAX} characters`);
  if (state.inbox.length >= LIMITS.inboxMessagesMax) {
    return refuse("CONTENT_TOO_LARGE", `the inbox holds ${LIMITS.inboxMessagesMax} messages already`);
  }
  const { id, from, content, meta } = command;
  return [{ type: "message.received", id, from, content, ...(meta && { meta }) }];
}

/** D1. */
function startTurn(
  state: State,
  { covered, reservedUsd, readTo = Number.POSITIVE_INFINITY }: Extract<Command, { do: "startTurn" }>,
): Decision {
  if (covered || state.head.held) return refuse("INTERRUPTED", "a hold covers the agent");
  if (state.turn) return refuse("INTERRUPTED", "a model call is in flight");
  if (state.open.length > 0) return refuse("INTERRUPTED", "tool calls are open");
  if (nextStep(state).do !== "callModel") return refuse("INTERRUPTED", "there is nothing for the model to answer");
  if (state.head.turns >= LIMITS.turnsMax) return refuse("TURNS_EXCEEDED", `it had ${state.head.turns} turns`);
  const attempt = (state.retry ? state.retry.attempts + state.retry.putOffs : 0) + 1;
  const took = state.inbox.filter(({ seq }) => seq <= readTo).map(({ id }) => id);
  return [{ type: "turn.started", turn: state.head.turns + 1, attempt, took, reservedUsd }];
}

function endTurn(state: State, command: Extract<Command, { do: "endTurn" }>): Decision {
  if (!state.turn) return noTurn();
  const { do: _, ...fields } = command;
  if (command.outcome === "interrupted") {
    // Calls of an answer that was cut short will not run, so they were not made.
    const parts = command.parts.filter(({ type }) => type !== "toolCall");
    return [{ type: "turn.ended", turn: state.turn.turn, ...fields, parts }];
  }
  const garbled = garbledIn(callsOf(command.parts));
  if (garbled === undefined) return [{ type: "turn.ended", turn: state.turn.turn, ...fields }];
  return failTurn(state, { ...command, ...GIVEN_UP, error: { code: "MODEL_GARBLED", message: garbled } });
}

/** What is wrong with the calls of an answer, or undefined. */
function garbledIn(calls: readonly ToolCall[]): string | undefined {
  if (calls.length > LIMITS.turnCallsMax) {
    return `the model asked for ${calls.length} tools at once, more than ${LIMITS.turnCallsMax}`;
  }
  if (new Set(calls.map(({ callId }) => callId)).size < calls.length) return "two tool calls have one id";
  const nameless = calls.some(({ callId, name }) => !isLabel(callId) || !isLabel(name));
  return nameless ? "a tool call has no id or no name, or one that is too long" : undefined;
}

const GIVEN_UP = { do: "failTurn", retryable: false, putOff: false, retryTime: 0 } as const;

function failTurn(state: State, command: Extract<Command, { do: "failTurn" }>): Decision {
  if (!state.turn) return noTurn();
  const { error, putOff, retryTime, usage, costUsd, estimated } = command;
  const { attempts, putOffs } = state.retry ?? { attempts: 0, putOffs: 0 };
  const again =
    command.retryable && (putOff ? putOffs + 1 < LIMITS.turnPutOffMax : attempts + 1 < LIMITS.turnAttemptsMax);
  const failed: AgentEvent = {
    type: "turn.failed",
    turn: state.turn.turn,
    error,
    usage,
    costUsd,
    ...(estimated && { estimated }),
    ...(again && { retryTime }),
    ...(putOff && { putOff }),
  };
  return again ? [failed] : [failed, { type: "agent.failed", error }];
}

/** D4. */
function decideTool(
  state: State,
  command: Extract<Command, { do: "startTool" | "askTool" | "answerTool" | "endTool" }>,
): Decision {
  const { callId } = command;
  const open = state.open.find(({ call }) => call.callId === callId);
  if (!open) return refuse("CALL_NOT_FOUND", `no open call ${callId}`);
  const wrong = wrongFor(command.do, open);
  if (wrong) return refuse("CALL_NOT_FOUND", `call ${callId} ${wrong}`);
  switch (command.do) {
    case "startTool":
      return [{ type: "tool.started", callId, ...(command.waitsFor && { waitsFor: command.waitsFor }) }];
    case "askTool":
      return [{ type: "tool.asked", callId, question: command.question, ...(command.unrun && { unrun: true }) }];
    case "answerTool":
      return answerTool(command, open);
    case "endTool":
      return [toolEnded(state, command)];
    default:
      return unreachable(command);
  }
}

function toolEnded(state: State, command: Extract<Command, { do: "endTool" }>): AgentEvent {
  const { callId, outcome, content, took = [], meta } = command;
  // A result carries reports and no other message: one that it took would be read by nobody.
  const others = new Set(state.inbox.flatMap(({ id, report }) => (report ? [] : [id])));
  const reports = took.filter((id) => !others.has(id));
  const carried = reports.length > 0 && { took: reports };
  return { type: "tool.ended", callId, outcome, content, ...carried, ...(meta && { meta }) };
}

function wrongFor(verb: "startTool" | "askTool" | "answerTool" | "endTool", { state }: OpenCall): string | undefined {
  if (state === "ended") return "has ended";
  if (verb === "answerTool" && state !== "approval") return "waits for no answer";
  if (verb === "startTool" && state === "approval") return "waits for an answer";
  if (verb === "askTool" && state === "approval") return "is asked about already";
  return undefined;
}

function answerTool(
  { callId, decision, by, reason }: Extract<Command, { do: "answerTool" }>,
  { startSeq }: OpenCall,
): Decision {
  const why = reason === undefined ? "" : ` ${reason}`;
  const answered: AgentEvent = { type: "tool.answered", callId, decision, by, ...(reason !== undefined && { reason }) };
  if (decision === "rerun") return [answered];
  if (startSeq === undefined) {
    const denied = `Denied: a person did not allow this.${why}`;
    return [answered, { type: "tool.ended", callId, outcome: "denied", content: denied }];
  }
  const content = `Interrupted: the runtime stopped while this ran, so its outcome is unknown.${why}`;
  return [answered, { type: "tool.ended", callId, outcome: "unknown", content }];
}

function spawn(state: State, { child, name, callId }: Extract<Command, { do: "spawn" }>): Decision {
  if (state.children.has(child)) return [];
  if (state.children.size >= LIMITS.childrenTotalMax) {
    return refuse("CONTENT_TOO_LARGE", `it has had ${state.children.size} children`);
  }
  return checkName(name, { type: "child.spawned", child, name, ...(callId !== undefined && { callId }) });
}

function endChild(state: State, command: Extract<Command, { do: "endChild" }>): Decision {
  const child = state.children.get(command.child);
  if (!child) return refuse("AGENT_NOT_FOUND", `${command.child} is no child of it`);
  if (child.toldSeq >= command.seq) return [];
  const { do: _, ...fields } = command;
  const ended: AgentEvent = { type: "child.ended", ...fields };
  return child.ended ? [{ type: "child.revived", child: command.child }, ended] : [ended];
}

function writeArtifact(state: State, { artifact, callId, by }: Extract<Command, { do: "writeArtifact" }>): Decision {
  const known = state.head.artifacts.some(({ name }) => name === artifact.name);
  if (!known && state.head.artifacts.length >= LIMITS.artifactsMax) {
    return refuse("CONTENT_TOO_LARGE", `it has ${state.head.artifacts.length} artifacts`);
  }
  const whence = { ...(callId !== undefined && { callId }), ...(by !== undefined && { by }) };
  return checkName(artifact.name, { type: "artifact.written", artifact, ...whence });
}

/** To the end of any message of the present conversation, or to its very start. */
function rewind(state: State, { to, by, tree }: Extract<Command, { do: "rewind" }>): Decision {
  const endsEntry = state.entries.at(state.entries.countWhile((entry) => entry.seq < to))?.seq === to;
  const isNamed = state.checkpoints.some(({ at }) => at === to);
  if (to !== 0 && !endsEntry && !isNamed) {
    return refuse("CHECKPOINT_NOT_FOUND", `no message of its conversation ends at event ${to}`);
  }
  if (state.cuts.some(({ after, before }) => after < to && to < before)) {
    return refuse("CHECKPOINT_NOT_FOUND", `a rewind took event ${to} out of its conversation; fork it there`);
  }
  const rewound: AgentEvent = { type: "agent.rewound", to, by, ...(tree !== undefined && { tree }) };
  // Of an agent that has ended, a call that was in flight then is settled already.
  if (!state.turn || hasEnded(state.head.status)) return [rewound];
  return [{ type: "turn.lost", turn: state.turn.turn, costUsd: state.turn.reservedUsd }, rewound];
}
