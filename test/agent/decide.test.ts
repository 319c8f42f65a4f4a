import { describe, expect, test } from "vitest";
import type { Command } from "../../src/agent/commands.ts";
import { decide, isHeadCommand, isRefusal } from "../../src/agent/decide.ts";
import { LABEL_LENGTH_MAX, REASON_LENGTH_MAX } from "../../src/agent/events.ts";
import { nextStep } from "../../src/agent/next.ts";
import { LIMITS } from "../../src/base/limits.ts";
import {
  AGENT,
  after,
  answer,
  call,
  creation,
  endChild,
  endTool,
  failTurn,
  goOn,
  idOf,
  PERSON,
  receive,
  rewindTo,
  startTurn,
} from "../support/journeys.ts";

const CHILD = idOf(50);
const created = after(undefined, creation());
const task = after(created, receive(1));
const inFlight = after(task, startTurn());
const calling = after(inFlight, answer("I ask.", call("a"), call("b")));
const started = after(calling, { do: "startTool", callId: "a" });
const asked = after(started, { do: "askTool", callId: "a", question: "Again?" });
const final = after(inFlight, answer("Done."));
const parent = after(final, { do: "spawn", child: CHILD, name: "worker" });

const complete: Command = { do: "complete", output: "Done." };
const cancel: Command = { do: "cancel", by: PERSON, reason: "" };
const hold: Command = { do: "hold", by: PERSON, reason: "wait" };
const release: Command = { do: "release", by: PERSON };
const revive: Command = { do: "revive", by: PERSON };
const fail: Command = { do: "fail", error: { code: "TOOL_FAILED", message: "no" } };
const spawn: Command = { do: "spawn", child: CHILD, name: "worker" };
const fork: Command = {
  do: "fork",
  origin: { agent: AGENT, seq: 2 },
  parent: null,
  root: idOf(2),
  level: 0,
  name: "twin",
  children: {},
  by: PERSON,
};
const name = (name: string, at?: number): Command => ({ do: "nameCheckpoint", name, at });
const artifact = (name: string): Command => ({
  do: "writeArtifact",
  artifact: { name, digest: `sha256:${"a".repeat(64)}`, bytes: 1, mediaType: "text/plain" },
});
const tool = (verb: "startTool" | "endTool", callId: string): Command =>
  verb === "startTool" ? { do: verb, callId } : endTool(callId);
const answering = (callId: string, decision: "rerun" | "report" = "rerun"): Command => ({
  do: "answerTool",
  callId,
  decision,
  by: PERSON,
});

const completed = after(final, complete);
const failed = after(inFlight, fail);
const cancelled = after(task, cancel);
const heldAgent = after(task, hold);

describe("refusals", () => {
  test.each<[string, string, typeof task | undefined, Command]>([
    ["AGENT_NOT_FOUND", "a command before the first event", undefined, receive(1)],
    ["AGENT_NOT_FOUND", "a fork of nothing", undefined, fork],
    ["JOURNAL_CONFLICT", "a second creation", created, creation()],
    ["NAME_INVALID", "a name with a path in it", undefined, creation({ name: "../up" })],
    ["NAME_INVALID", "a name that is too long", undefined, creation({ name: "n".repeat(LIMITS.nameLengthMax + 1) })],
    ["NAME_INVALID", "an empty name", undefined, creation({ name: "" })],
    ["NAME_INVALID", "a child's name with a line end", final, { ...spawn, name: "a\n" }],
    ["NAME_INVALID", "a fork's name with a blank", task, { ...fork, name: "a b" }],
    ["NAME_INVALID", "an artifact's name with a path in it", task, artifact("a/b")],
    ["NAME_INVALID", "a checkpoint without a name", task, name("")],
    ["NAME_INVALID", "a checkpoint's name that is too long", task, name("n".repeat(LABEL_LENGTH_MAX + 1))],
    ["INPUT_INVALID", "a message without an id", task, { ...receive(2), id: "" }],
    ["INPUT_INVALID", "a message's id that is too long", task, { ...receive(2), id: "i".repeat(LABEL_LENGTH_MAX + 1) }],
    [
      "INPUT_INVALID",
      "a reason for a hold that is too long",
      task,
      { ...hold, reason: "r".repeat(REASON_LENGTH_MAX + 1) },
    ],
    [
      "INPUT_INVALID",
      "a reason for a cancel that is too long",
      task,
      { ...cancel, reason: "r".repeat(REASON_LENGTH_MAX + 1) },
    ],
    ["INTERRUPTED", "a turn under a hold above", task, { do: "startTurn", covered: true, reservedUsd: 0 }],
    ["INTERRUPTED", "a turn under a hold of its own", heldAgent, startTurn()],
    ["INTERRUPTED", "a turn when there is nothing to answer", final, startTurn()],
    ["INTERRUPTED", "a turn before the first message", created, startTurn()],
    ["JOURNAL_CONFLICT", "a second turn in flight", inFlight, startTurn()],
    ["JOURNAL_CONFLICT", "a turn while calls are open", calling, startTurn()],
    ["INTERRUPTED", "an answer when no call is in flight", task, answer("Late.")],
    ["INTERRUPTED", "a failure when no call is in flight", task, failTurn()],
    ["INTERRUPTED", "a loss when no call is in flight", task, { do: "loseTurn" }],
    ["INTERRUPTED", "a withdrawal when no call is in flight", task, { do: "withdrawTurn" }],
    ["CALL_NOT_FOUND", "a start of a call that was not asked for", calling, tool("startTool", "c")],
    ["CALL_NOT_FOUND", "an end of a call that was not asked for", task, tool("endTool", "a")],
    ["CALL_NOT_FOUND", "a second end", after(calling, endTool("a")), tool("endTool", "a")],
    ["CALL_NOT_FOUND", "a start after the end", after(calling, endTool("a")), tool("startTool", "a")],
    ["CALL_NOT_FOUND", "a start while a person is asked", asked, tool("startTool", "a")],
    ["CALL_NOT_FOUND", "a second question", asked, { do: "askTool", callId: "a", question: "?" }],
    ["CALL_NOT_FOUND", "an answer that nobody asked for", started, answering("a")],
    ["AGENT_NOT_FOUND", "the end of a stranger", final, endChild(idOf(99), 3)],
    ["AGENT_ENDED", "completing while a child lives", parent, complete],
    ["NOT_HELD", "a release without a hold", task, release],
    ["CHECKPOINT_NOT_FOUND", "a checkpoint in the future", task, name("c", 3)],
    ["CHECKPOINT_NOT_FOUND", "a checkpoint before the beginning", task, name("c", 0)],
    ["CHECKPOINT_NOT_FOUND", "a rewind to no message's end", final, rewindTo(2)],
    ["CHECKPOINT_NOT_FOUND", "a rewind into the future", final, rewindTo(99)],
    ["AGENT_CANCELLED", "a message to a cancelled agent", cancelled, receive(2)],
    ["AGENT_CANCELLED", "reviving a cancelled agent", cancelled, revive],
    ["AGENT_ENDED", "holding an ended agent", completed, hold],
    ["AGENT_ENDED", "a child of an ended agent", completed, { ...spawn, child: idOf(51) }],
    ["AGENT_ENDED", "an artifact of an ended agent", failed, artifact("late")],
    ["AGENT_ENDED", "an answer to an ended agent", failed, answer("Late.")],
    ["AGENT_ENDED", "a tool's result to an ended agent", after(started, cancel), endTool("a")],
    ["AGENT_ENDED", "completing twice", completed, complete],
    ["PARENT_ENDED", "a child going on under an ended parent", completed, { do: "reviveChild", child: CHILD }],
  ])("%s: %s", (code, _, state, command) => {
    const decision = decide(state, command);
    expect(decision).toMatchObject({ refused: code });
    if (isRefusal(decision)) expect(decision.why.length).toBeGreaterThan(5);
  });

  const manyIds = Array.from({ length: LIMITS.inboxMessagesMax }, (_, i) => `m${i}`);
  const withSize = <Key extends "inbox" | "checkpoints">(key: Key, items: (typeof task)[Key]) => ({
    ...task,
    [key]: items,
  });
  const message = task.inbox[0];
  const full = withSize(
    "inbox",
    manyIds.flatMap((id) => (message ? [{ ...message, id }] : [])),
  );
  const checkpoints = manyIds.slice(0, LIMITS.checkpointsMax).map((name) => ({ name, at: 1, time: 1 }));
  const made = Array.from({ length: LIMITS.artifactsMax }, (_, i) => ({
    name: `a${i}`,
    digest: "",
    bytes: 0,
    mediaType: "",
  }));
  const rich = { ...task, head: { ...task.head, artifacts: made } };
  const old = { ...task, head: { ...task.head, turns: LIMITS.turnsMax } };

  test.each<[string, string, typeof task, Command]>([
    ["CONTENT_TOO_LARGE", "a message to a full inbox", full, receive(-1)],
    ["CONTENT_TOO_LARGE", "a checkpoint too many", withSize("checkpoints", checkpoints), name("another")],
    ["CONTENT_TOO_LARGE", "an artifact too many", rich, artifact("another")],
    ["TURNS_EXCEEDED", "a turn too many", old, startTurn()],
  ])("%s: %s", (code, _, state, command) => {
    expect(decide(state, command)).toMatchObject({ refused: code });
  });

  test("a full agent may still replace what it has", () => {
    expect(decide(withSize("checkpoints", checkpoints), name("m0"))).toHaveLength(1);
    expect(decide(rich, artifact("a0"))).toHaveLength(1);
  });

  test("a parent of too many children gets no more", () => {
    let state = final;
    for (let i = 0; i < LIMITS.childrenTotalMax; i++)
      state = after(state, { do: "spawn", child: idOf(1_000 + i), name: "w" });
    expect(decide(state, { ...spawn, child: idOf(1) })).toMatchObject({ refused: "CONTENT_TOO_LARGE" });
  });
});

describe("commands that were carried out before change nothing", () => {
  test.each<[string, typeof task, Command]>([
    ["D2: a message delivered twice", task, receive(1)],
    ["a spawn repeated", parent, spawn],
    ["a hold on a held agent", heldAgent, hold],
    ["a cancel of an ended agent", completed, cancel],
    ["a failure of an ended agent", completed, fail],
    ["reviving an agent that is at work", task, revive],
    ["a child's end told twice", after(parent, endChild(CHILD, 9)), endChild(CHILD, 9)],
    ["a child's end told late", after(parent, endChild(CHILD, 9)), endChild(CHILD, 4)],
    [
      "D2: an end told again of a child that has gone on since",
      after(parent, endChild(CHILD, 9), { do: "reviveChild", child: CHILD }),
      endChild(CHILD, 9),
    ],
    ["reviving a child that lives", parent, { do: "reviveChild", child: CHILD }],
    ["reviving a stranger", parent, { do: "reviveChild", child: idOf(99) }],
  ])("%s", (_, state, command) => {
    expect(decide(state, command)).toEqual([]);
  });
});

describe("turns", () => {
  test("D1: a released agent may call again", () => {
    expect(decide(after(heldAgent, release), startTurn(1))).toEqual([
      { type: "turn.started", turn: 1, attempt: 1, took: ["m1"], reservedUsd: 1 },
    ]);
  });

  test("take what is unread, in order, and count attempts, whatever they failed of", () => {
    const twice = after(inFlight, failTurn({ putOff: true }), receive(2), startTurn(), failTurn());
    expect(decide(twice, startTurn(0))).toEqual([
      { type: "turn.started", turn: 1, attempt: 3, took: [], reservedUsd: 0 },
    ]);
    expect([...twice.entries].flatMap((entry) => (entry.kind === "user" ? [entry.message.id] : []))).toEqual([
      "m1",
      "m2",
    ]);
  });

  test("are tried again until the attempts are used up; then the agent fails with the last error", () => {
    let state = task;
    for (let attempt = 1; attempt < LIMITS.turnAttemptsMax; attempt++) state = after(state, startTurn(), failTurn());
    const decision = decide(after(state, startTurn()), failTurn());
    expect(decision).toMatchObject([
      { type: "turn.failed" },
      { type: "agent.failed", error: { code: "MODEL_GARBLED" } },
    ]);
    expect(decision).not.toMatchObject([{ retryTime: expect.anything() }, {}]);
  });

  test("that the provider puts off do not count as failed attempts", () => {
    let state = task;
    for (let i = 0; i < LIMITS.turnAttemptsMax + 3; i++) state = after(state, startTurn(), failTurn({ putOff: true }));
    expect(state.retry).toMatchObject({ attempts: 0, putOffs: LIMITS.turnAttemptsMax + 3 });
    const patient = {
      ...after(state, startTurn()),
      retry: { attempts: 0, putOffs: LIMITS.turnPutOffMax - 1, retryTime: 1 },
    };
    expect(decide(patient, failTurn({ putOff: true }))).toMatchObject([{ putOff: true }, { type: "agent.failed" }]);
  });

  test("that cannot be tried again fail the agent at once", () => {
    expect(decide(inFlight, failTurn({ retryable: false }))).toMatchObject([
      { type: "turn.failed" },
      { type: "agent.failed" },
    ]);
  });

  const calls = (count: number) => Array.from({ length: count }, (_, i) => call(`c${i}`));
  test.each([
    ["more calls than are allowed", calls(LIMITS.turnCallsMax + 1)],
    ["two calls with one id", [call("a"), call("a")]],
    ["a call without an id", [call("")]],
    ["a call without a name", [call("a", "")]],
    ["a call whose id is too long", [call("a".repeat(LABEL_LENGTH_MAX + 1))]],
  ])("with %s are garbled: paid for, and not tried again", (_, parts) => {
    const decision = decide(inFlight, answer(...parts));
    expect(decision).toMatchObject([
      { type: "turn.failed", error: { code: "MODEL_GARBLED" }, costUsd: 0.25 },
      { type: "agent.failed" },
    ]);
    expect(goOn(inFlight, [answer(...parts)]).state.head).toMatchObject({
      status: "failed",
      costUsd: 0.25,
      reservedUsd: 0,
    });
  });

  test("with as many calls as are allowed are fine", () => {
    expect(decide(inFlight, answer(...calls(LIMITS.turnCallsMax)))).toMatchObject([{ type: "turn.ended" }]);
  });

  test("that were interrupted made no calls: what was said stays, and the agent rests", () => {
    const state = after(inFlight, { ...answer("Half", call("a")), outcome: "interrupted" });
    expect(state.open).toEqual([]);
    expect(state.entries.at(-1)).toMatchObject({
      kind: "assistant",
      interrupted: true,
      parts: [{ type: "text", text: "Half" }],
    });
    expect(nextStep(state)).toEqual({ do: "rest" });
  });
});

describe("calls", () => {
  test("D4: may start again, because a policy or a person said so, until they end", () => {
    expect(decide(started, { do: "startTool", callId: "a" })).toEqual([{ type: "tool.started", callId: "a" }]);
    expect(after(asked, answering("a")).open[0]?.state).toBe("asked");
    expect(decide(after(asked, answering("a")), { do: "startTool", callId: "a" })).toHaveLength(1);
  });

  test("that a person has reported end with what is known of them", () => {
    expect(decide(asked, answering("a", "report"))).toMatchObject([
      { type: "tool.answered", decision: "report" },
      { type: "tool.ended", callId: "a", outcome: "unknown" },
    ]);
  });

  test("leave messages in the inbox that are no reports, for the model to read", () => {
    const state = after(calling, receive(2));
    expect(decide(state, { ...endTool("a"), took: ["m2"] })).toEqual([
      { type: "tool.ended", callId: "a", outcome: "ok", content: "result" },
    ]);
  });

  test("carry what they waited for, which messages they took, and metadata, only where there is any", () => {
    expect(decide(calling, { do: "startTool", callId: "a", waitsFor: "children" })).toEqual([
      { type: "tool.started", callId: "a", waitsFor: "children" },
    ]);
    const bare = { type: "tool.ended", callId: "a", outcome: "ok", content: "result" };
    expect(decide(calling, { ...endTool("a"), took: [] })).toEqual([bare]);
    expect(decide(calling, { ...endTool("a"), took: ["r"], meta: { x: 1 } })).toEqual([
      { ...bare, took: ["r"], meta: { x: 1 } },
    ]);
  });
});

describe("D3: completing", () => {
  test("waits for what has come meanwhile: an unread message, a call in flight, open calls", () => {
    for (const state of [after(final, receive(2)), inFlight, calling, task])
      expect(decide(state, complete)).toEqual([]);
  });

  test("a child that ended is no obstacle once its report is read", () => {
    const told = after(parent, endChild(CHILD, 9));
    expect(decide(told, complete)).toEqual([]);
    expect(decide(after(told, startTurn(), answer("Now done.")), complete)).toMatchObject([
      { type: "agent.completed" },
    ]);
  });

  test("a cut and a failure end an agent whose children live", () => {
    for (const command of [cancel, fail]) expect(decide(parent, command)).toHaveLength(1);
  });

  test("a chat never completes by itself", () => {
    const chat = after(undefined, creation({ mode: "chat" }), receive(1), startTurn(), answer("Hello."));
    expect(decide(chat, complete)).toEqual([]);
  });
});

describe("D5: an ended agent", () => {
  test.each([
    ["completed", completed],
    ["failed", failed],
  ])("that %s goes on when a message comes, which it then reads", (_, state) => {
    expect(decide(state, receive(2))).toMatchObject([
      { type: "agent.revived", by: PERSON },
      { type: "message.received", id: "m2" },
    ]);
    expect(nextStep(after(state, receive(2)))).toEqual({ do: "callModel", notBefore: 0 });
    expect(after(state, receive(2)).head).toMatchObject({ status: "queued", output: null, error: null });
  });

  test("is not woken by a message that it has had", () => {
    expect(decide(completed, receive(1))).toEqual([]);
  });

  test("that failed tries again when it is revived, its attempts counted anew", () => {
    const state = after(failed, revive);
    expect([state.turn, state.retry]).toEqual([null, null]);
    expect(nextStep(state)).toEqual({ do: "callModel", notBefore: 0 });
  });

  test("hears of children that end after it, and reads it should it go on", () => {
    const cut = after(parent, fail, endChild(CHILD, 9));
    expect(cut.head).toMatchObject({ status: "failed", childrenLive: 0 });
    expect(after(cut, revive).inbox).toHaveLength(1);
  });

  test("can still be named and have its bounds changed", () => {
    expect(decide(completed, name("end"))).toMatchObject([{ at: completed.head.seq }]);
    expect(decide(completed, { do: "setBudget", budget: {}, by: PERSON })).toHaveLength(1);
  });
});

describe("an interrupted agent", () => {
  const interrupted = after(inFlight, { ...answer("Half"), outcome: "interrupted" });

  test("goes on with its answer when it is revived", () => {
    expect(decide(interrupted, revive)).toEqual([{ type: "agent.revived", by: PERSON }]);
    expect(nextStep(after(interrupted, revive))).toEqual({ do: "callModel", notBefore: 0 });
  });

  test("whose tool was interrupted rests likewise", () => {
    const state = after(calling, endTool("a"), { ...endTool("b"), outcome: "interrupted" });
    expect([nextStep(state).do, nextStep(after(state, revive)).do]).toEqual(["rest", "callModel"]);
  });
});

describe("a child that ended and goes on", () => {
  test("may end again: the parent hears of both ends", () => {
    const told = after(parent, endChild(CHILD, 9));
    expect(decide(told, endChild(CHILD, 12))).toMatchObject([
      { type: "child.revived", child: CHILD },
      { type: "child.ended", seq: 12 },
    ]);
    expect(after(told, endChild(CHILD, 12)).inbox.map(({ id }) => id)).toEqual([`${CHILD}.12`]);
  });

  test("takes back a report that was not read", () => {
    const again = after(parent, endChild(CHILD, 9), { do: "reviveChild", child: CHILD });
    expect(again.inbox).toEqual([]);
    expect(again.head).toMatchObject({ childrenLive: 1, waitingFor: "children" });
  });
});

test("head commands are those that need no conversation", () => {
  const commands = [hold, release, cancel, fail, { do: "setBudget", budget: {}, by: PERSON } as const];
  expect(commands.every(isHeadCommand)).toBe(true);
  expect([receive(1), revive, rewindTo(0), complete, startTurn()].some(isHeadCommand)).toBe(false);
});
