import { describe, expect, test } from "vitest";
import type { Command } from "../../src/agent/commands.ts";
import { decide, isRefusal } from "../../src/agent/decide.ts";
import { LABEL_LENGTH_MAX, REASON_LENGTH_MAX } from "../../src/agent/events.ts";
import { LIMITS } from "../../src/base/limits.ts";
import {
  AGENT,
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
import { after } from "../support/journeys.ts";

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
const pin = (name: string): Command => ({ do: "pinCheckpoint", name, pinned: true, by: PERSON });
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
    ["NAME_INVALID", "a checkpoint's name that is a number", task, name("12")],
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
    ["INTERRUPTED", "a second turn in flight", inFlight, startTurn()],
    ["INTERRUPTED", "a turn while calls are open", calling, startTurn()],
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
    ["CHECKPOINT_NOT_FOUND", "a pin of a name that is not there", task, pin("c")],
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
