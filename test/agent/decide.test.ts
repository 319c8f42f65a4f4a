import { describe, expect, test } from "vitest";
import type { Command } from "../../src/agent/commands.ts";
import { decide, isHeadCommand } from "../../src/agent/decide.ts";
import { LABEL_LENGTH_MAX } from "../../src/agent/events.ts";
import { nextStep } from "../../src/agent/next.ts";
import { LIMITS } from "../../src/base/limits.ts";
import {
  answer,
  call,
  creation,
  endChild,
  endTool,
  failTurn,
  idOf,
  PERSON,
  receive,
  rewindTo,
  startTurn,
} from "../support/commands.ts";
import { after, goOn } from "../support/journeys.ts";

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
const name = (name: string, at?: number): Command => ({ do: "nameCheckpoint", name, at });
const answering = (callId: string, decision: "rerun" | "report" = "rerun", reason?: string): Command => ({
  do: "answerTool",
  callId,
  decision,
  by: PERSON,
  ...(reason !== undefined && { reason }),
});

const completed = after(final, complete);
const failed = after(inFlight, fail);
const heldAgent = after(task, hold);

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

  test("take no more messages than their reservation counts: what came since waits for the next turn", () => {
    const state = after(task, receive(2), receive(3));
    const turn = (readTo: number): Command => ({ do: "startTurn", covered: false, reservedUsd: 1, readTo });
    expect(decide(state, turn(state.head.seq - 1))).toMatchObject([{ took: ["m1", "m2"] }]);
    expect(after(state, turn(0)).inbox).toHaveLength(3);
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
      retry: { attempts: 0, putOffs: LIMITS.turnPutOffMax - 1, retryTime: 1, waitMsMax: 1 },
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
    const unrun = after(started, { do: "askTool", callId: "a", question: "May it?", unrun: true });
    expect(after(unrun, answering("a")).open[0]).toMatchObject({ state: "asked", allowed: true });
    expect(decide(unrun, answering("a", "report", "No."))).toMatchObject([
      { type: "tool.answered", reason: "No." },
      { type: "tool.ended", outcome: "denied", content: expect.stringMatching(/ No\.$/) },
    ]);
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
    const state = after(inFlight, failTurn(), startTurn(), fail, revive);
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
  const interrupt = { do: "interrupt", by: PERSON, subtree: false } as const;
  const link = { do: "linkArtifact", name: "map", digest: `sha256:${"a".repeat(64)}`, endTime: 1, by: PERSON } as const;
  const commands = [link, interrupt, hold, release, cancel, fail, { do: "setBudget", budget: {}, by: PERSON } as const];
  expect(commands.every(isHeadCommand)).toBe(true);
  expect([receive(1), revive, rewindTo(0), complete, startTurn()].some(isHeadCommand)).toBe(false);
});
