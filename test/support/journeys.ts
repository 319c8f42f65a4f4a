/**
 * Whole lives of agents, for tests: a plan is a list of intents that fast-check makes and shrinks, and `live` carries it
 * out, command by command, through `decide` and `evolve`. About half of the intents take the step that a runtime would
 * take, so that lives get somewhere; the others are whatever a person, a child or a bug might ask, nonsense included.
 */
import fc from "fast-check";
import type { Command } from "../../src/agent/commands.ts";
import { type Decision, decide, isRefusal } from "../../src/agent/decide.ts";
import type { Recorded } from "../../src/agent/events.ts";
import { evolve } from "../../src/agent/evolve.ts";
import { List } from "../../src/agent/list.ts";
import { nextStep } from "../../src/agent/next.ts";
import type { State } from "../../src/agent/state.ts";
import { VersionedMap } from "../../src/agent/versioned-map.ts";
import { waitResult } from "../../src/agent/waits.ts";
import {
  AGENT,
  answer,
  call,
  creation,
  endChild,
  endProcess,
  endTool,
  failTurn,
  idOf,
  linkArtifact,
  longText,
  PERSON,
  receive,
  rewindTo,
  START_MS,
  saveFiles,
  startProcess,
  treeOf,
  usageOf,
  writeArtifact,
} from "./commands.ts";

const STEP = "step";
const ASKED = [
  "receive",
  "receiveAgain",
  "startTurn",
  "withdrawTurn",
  "postponeTurn",
  "endTurn",
  "failTurn",
  "loseTurn",
  "startTool",
  "askTool",
  "answerTool",
  "endTool",
  "spawn",
  "endChild",
  "reviveChild",
  "writeArtifact",
  "startProcess",
  "restartProcess",
  "endProcess",
  "nameCheckpoint",
  "pinCheckpoint",
  "saveFiles",
  "endRestore",
  "forgetCheckpoints",
  "setBudget",
  "interrupt",
  "linkArtifact",
  "hold",
  "release",
  "rewind",
  "revive",
  "complete",
  "fail",
  "cancel",
  "create",
] as const;

/** `pick` and `also` choose among whatever there is to choose from at the time. */
export interface Intent {
  readonly want: typeof STEP | (typeof ASKED)[number];
  readonly pick: number;
  readonly also: number;
  readonly yes: boolean;
  readonly afterMs: number;
}

const intent: fc.Arbitrary<Intent> = fc.record({
  want: fc.oneof(
    { weight: 5, arbitrary: fc.constant(STEP) },
    { weight: 1, arbitrary: fc.constantFrom("receive" as const, "spawn" as const, "endChild" as const) },
    {
      weight: 1,
      arbitrary: fc.constantFrom("startProcess" as const, "endProcess" as const, "restartProcess" as const),
    },
    { weight: 1, arbitrary: fc.constantFrom("nameCheckpoint" as const, "pinCheckpoint" as const) },
    { weight: 3, arbitrary: fc.constantFrom(...ASKED) },
  ),
  pick: fc.nat(1_000),
  also: fc.nat(1_000),
  yes: fc.boolean(),
  afterMs: fc.nat(5_000),
});

export interface Plan {
  readonly mode: "task" | "chat";
  readonly speaksFirst: boolean;
  readonly intents: readonly Intent[];
}

/** Plans of up to so many intents; a task that was given is the default. */
export function plans({ length = 60 }: { length?: number } = {}): fc.Arbitrary<Plan> {
  return fc.record({
    mode: fc.constantFrom("task" as const, "chat" as const),
    speaksFirst: fc.boolean(),
    intents: fc.array(intent, { maxLength: length, size: "max" }),
  });
}

/** One command of a life, and what came of it. */
export interface Asked {
  readonly command: Command;
  readonly before: State | undefined;
  readonly decision: Decision;
}

export interface Life {
  readonly agent: string;
  readonly recorded: readonly Recorded[];
  /** The state after each event: `states[i]` is that after `recorded[i]`. */
  readonly states: readonly State[];
  readonly asked: readonly Asked[];
  readonly state: State;
}

/** Lives the plan from the creation on. @throws what `decide` and `evolve` throw, which would be a bug */
export function live({ mode, speaksFirst, intents }: Plan): Life {
  return goOn(undefined, [creation({ mode, speaksFirst }), receive(0), ...intents]);
}

/** Goes on from a state, which stays what it was. */
export function goOn(from: State | undefined, plan: readonly (Intent | Command)[]): Life {
  let state = from;
  const agent = from?.head.agent ?? AGENT;
  const recorded: Recorded[] = [];
  const states: State[] = [];
  const asked: Asked[] = [];
  let time = from?.head.time ?? START_MS;
  for (const each of plan) {
    if (!("do" in each) && !state) throw new Error("a life begins with a command");
    const command = "do" in each ? each : commandFor(each, state as State);
    time += "do" in each ? 1 : each.afterMs;
    const decision = decide(state, command);
    asked.push({ command, before: state, decision });
    if (isRefusal(decision)) continue;
    for (const event of decision) {
      const next: Recorded = { seq: (state?.head.seq ?? 0) + 1, time, event };
      state = evolve(agent, state, next);
      recorded.push(next);
      states.push(state);
    }
  }
  if (!state) throw new Error("a life has at least one event");
  return { agent, recorded, states, asked, state };
}

/** Folds events from the beginning. */
export function fold(agent: string, recorded: readonly Recorded[], past?: State): State {
  let state = past;
  for (const each of recorded) state = evolve(agent, state, each);
  if (!state) throw new Error("nothing to fold");
  return state;
}

/** Carries out commands one after the other; a refusal is the test's mistake. */
export function after(from: State | undefined, ...commands: readonly Command[]): State {
  const life = goOn(from, commands);
  for (const { command, decision } of life.asked) {
    if (isRefusal(decision)) throw new Error(`${command.do} was refused: ${decision.refused}, ${decision.why}`);
  }
  return life.state;
}

/** The state as plain JSON data, lists and maps written out, so that two can be compared and one be kept. */
export function plain(state: unknown): unknown {
  return JSON.parse(
    JSON.stringify(state, (_, value) => (value instanceof List || value instanceof VersionedMap ? [...value] : value)),
  );
}

function commandFor(intent: Intent, state: State): Command {
  return intent.want === STEP ? stepFor(intent, state) : askedFor(intent, state);
}

const WAKES: Readonly<Record<string, (typeof ASKED)[number]>> = {
  children: "endChild",
  approval: "answerTool",
  process: "endProcess",
  cancelled: "rewind",
};

/** How a call in flight ends, mostly well. */
const LANDINGS = ["endTurn", "endTurn", "endTurn", "endTurn", "endTurn", "failTurn", "loseTurn"] as const;

/** What a runtime would do next, with an outcome that the intent picks; at rest, what the agent waits for. */
function stepFor(intent: Intent, state: State): Command {
  const { pick, also } = intent;
  if (state.head.held) return { do: "release", by: PERSON };
  const step = nextStep(state);
  switch (step.do) {
    case "rest":
      return askedFor({ ...intent, want: WAKES[state.head.waitingFor ?? state.head.status] ?? "receive" }, state);
    case "loseTurn":
      return askedFor({ ...intent, want: at(LANDINGS, pick) }, state);
    case "settle": {
      const { callId } = at(step.calls, pick).call;
      if (also % 4 === 0) return { do: "askTool", callId, question: "Run it again?" };
      if (also % 4 === 1) return { do: "startTool", callId };
      return { ...endTool(callId), outcome: also % 4 === 2 ? "unknown" : "ok" };
    }
    case "endWait": {
      const open = at(step.calls, pick);
      return { ...endTool(open.call.callId), ...waitResult(state, open) };
    }
    case "runTools":
      return startTool(at(step.calls, pick).call.callId);
    case "callModel":
      return { do: "startTurn", covered: false, reservedUsd: (also % 100) / 64 };
    case "complete":
      return { do: "complete", output: `output ${also}` };
    case "refuse":
      return { do: "fail", error: { code: "MODEL_FAILED", message: step.why } };
  }
}

function askedFor({ want, pick, also, yes, afterMs }: Intent, state: State): Command {
  const number = state.head.seq;
  const callId = state.open.length > 0 && also % 10 > 0 ? at(state.open, pick).call.callId : `no-${pick}`;
  const children = [...state.children.values()];
  const child = children.length > 0 && also % 10 > 0 ? at(children, pick) : undefined;
  switch (want) {
    case STEP:
      throw new Error("a step is not asked for");
    case "receive":
      return { ...receive(number, yes ? `message ${number}` : longText(pick)), ...(also % 2 && { meta: { also } }) };
    case "receiveAgain":
      return receive(pick % (number + 1));
    case "startTurn":
      return { do: "startTurn", covered: yes, reservedUsd: (also % 100) / 64 };
    case "withdrawTurn":
    case "postponeTurn":
      return { do: want };
    case "loseTurn":
      return { do: "loseTurn" };
    case "endTurn":
      return randomAnswer(state, pick, also);
    case "failTurn":
      return failTurn({
        retryable: also % 4 > 0,
        putOff: yes,
        retryTime: state.head.time + afterMs,
        costUsd: (pick % 10) / 64,
      });
    case "startTool":
      return startTool(callId);
    case "askTool":
      return { do: "askTool", callId, question: "Again?" };
    case "answerTool":
      return { do: "answerTool", callId, decision: yes ? "rerun" : "report", by: PERSON };
    case "endTool":
      return {
        ...endTool(callId, yes ? "result" : longText(pick)),
        outcome: (["ok", "error", "denied", "interrupted"] as const)[also % 4] ?? "ok",
        took: yes ? [] : state.inbox.slice(0, also % 3).map(({ id }) => id),
      };
    case "spawn":
      return {
        do: "spawn",
        child: child && yes ? child.agent : idOf(1_000 + number),
        name: also % 20 === 0 ? "no name" : `worker-${number}`,
        callId,
      };
    case "endChild":
      return endChild(child?.agent ?? idOf(9), yes ? 10 : 10 + number, {
        status: (["completed", "failed", "cancelled"] as const)[also % 3] ?? "completed",
        ...(also % 3 === 1 && { error: { code: "TIMED_OUT", message: "too slow" } }),
      });
    case "reviveChild":
      return { do: "reviveChild", child: child?.agent ?? idOf(9) };
    case "writeArtifact":
      return writeArtifact(also % 20 === 0 ? "../up" : `a-${pick % 5}`, also);
    case "startProcess":
      return startProcess(number, `p-${pick % 4}`);
    case "restartProcess":
      return { do: "restartProcess", id: processId(state, pick, "backingOff"), pid: 1 + also };
    case "endProcess":
      return endProcess(processId(state, pick), {
        how: yes ? "exited" : "signalled",
        ...(yes ? { code: also % 3 } : { signal: "SIGKILL" }),
        ...(also % 3 === 0 && { restartTime: state.head.time + afterMs }),
        ...(also % 5 === 0 && { gaveUp: true }),
        ...(also % 2 === 0 && { output: { digest: `sha256:${"b".repeat(64)}`, bytes: also }, named: yes }),
      });
    case "nameCheckpoint":
      return { do: "nameCheckpoint", name: `c-${pick % 8}`, ...(yes && { at: also % (number + 2) }) };
    case "pinCheckpoint":
      return pinning(state, checkpointOf(state, pick), yes);
    case "saveFiles":
      return saveFiles(pick % 4, also);
    case "endRestore": {
      const tree = state.files?.restoring ?? treeOf(pick % 4);
      return { do: "endRestore", tree, written: pick, removed: also, spared: yes ? 0 : 1 };
    }
    case "forgetCheckpoints":
      return { do: "forgetCheckpoints", names: [checkpointOf(state, pick), `c-${also}`], by: PERSON };
    case "setBudget":
      return { do: "setBudget", budget: yes ? { costUsd: pick } : {}, by: PERSON };
    case "linkArtifact":
      return linkArtifact(`file-${pick}`, also);
    case "interrupt":
      return { do: "interrupt", by: PERSON, subtree: yes };
    case "hold":
      return { do: "hold", by: PERSON, reason: yes ? "wait" : "" };
    case "release":
      return { do: "release", by: PERSON };
    case "rewind":
      return { ...rewindTo(restorePoint(state, pick, also)), ...(yes && { tree: treeOf(also % 4) }) };
    case "revive":
      return { do: "revive", by: PERSON };
    case "complete":
      return { do: "complete", output: "asked for" };
    case "fail":
      return { do: "fail", error: { code: "TOOL_FAILED", message: "asked for" } };
    case "cancel":
      return { do: "cancel", by: PERSON, reason: yes ? "enough" : "" };
    case "create":
      return creation();
  }
}

/** Whether a call waits is its tool's nature, and so the same at every start. */
function startTool(callId: string): Command {
  const nature = [...callId].reduce((sum, letter) => sum + letter.charCodeAt(0), 0);
  const waits = [undefined, undefined, "children", "message", "process"] as const;
  return { do: "startTool", callId, waitsFor: at(waits, nature) };
}

function randomAnswer(state: State, pick: number, also: number): Extract<Command, { do: "endTurn" }> {
  const calls = Array.from({ length: [0, 0, 1, 2, 4][pick % 5] ?? 0 }, (_, index) => {
    // Providers may use an id again in a later turn, and a garbled answer may use one twice.
    const callId = also % 7 === 0 ? `again-${index}` : also % 23 === 0 ? "twice" : `c-${state.head.seq}-${index}`;
    const names = [...state.children.values()].map(({ name }) => name).filter((_, place) => (also >> place) % 2 === 1);
    return call(callId, "wait", also % 3 === 0 ? { json: { names } } : { json: { also } });
  });
  const said = answer(...(also % 5 > 0 ? [`said ${also}`] : []), ...calls);
  const interrupted = also % 11 === 0;
  const finish =
    calls.length > 0 ? "toolCalls" : (["stop", "stop", "length", "paused", "contentFilter"] as const)[also % 5];
  return {
    ...said,
    outcome: interrupted ? "interrupted" : "done",
    finish: finish ?? "stop",
    usage: usageOf(also),
    costUsd: (also % 50) / 64,
    ...(interrupted && { estimated: true }),
  };
}

/** Mostly one that lives, and is in the phase if it is said. */
function processId(state: State, pick: number, wanted?: "backingOff"): string {
  const processes = state.processes ?? [];
  const live = processes.filter(({ phase }) => (wanted ? phase.is === wanted : phase.is !== "ended"));
  const choices = pick % 10 > 0 && live.length > 0 ? live : processes;
  return choices.length > 0 ? at(choices, pick).id : idOf(9);
}

function pinning({ checkpoints }: State, name: string, yes: boolean): Command {
  const pinned = checkpoints.some((each) => each.name === name && each.pinned);
  return { do: "pinCheckpoint", name, pinned: pinned ? !yes : true, by: PERSON };
}

/** Mostly one that it has. */
function checkpointOf({ checkpoints }: State, pick: number): string {
  return checkpoints.length > 0 && pick % 10 > 0 ? at(checkpoints, pick).name : "c-none";
}

/** Mostly an entry or a checkpoint; sometimes the start, sometimes anything. */
function restorePoint(state: State, pick: number, also: number): number {
  if (also % 5 === 0) return pick % (state.head.seq + 3);
  const places = [0, ...[...state.entries].map(({ seq }) => seq), ...state.checkpoints.map(({ at }) => at)];
  return at(places, pick);
}

/** The choice that a number stands for. */
export function at<T>(choices: readonly T[], number: number): T {
  if (choices.length === 0) throw new Error("there is something to choose from");
  return choices[number % choices.length] as T;
}
