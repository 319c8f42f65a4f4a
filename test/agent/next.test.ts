import { describe, expect, test } from "vitest";
import { nextStep } from "../../src/agent/next.ts";
import {
  answer,
  call,
  creation,
  endChild,
  endTool,
  failTurn,
  idOf,
  receive,
  START_MS,
  startTurn,
} from "../support/commands.ts";
import { after } from "../support/journeys.ts";

const CHILD = idOf(50);
const created = after(undefined, creation());
const task = after(created, receive(1));
const inFlight = after(task, startTurn());
const calling = after(inFlight, answer(call("a"), call("b"), call("c")));
const start = (callId: string, waitsFor?: "children" | "message") => ({ do: "startTool", callId, waitsFor }) as const;
const ask = (callId: string) => ({ do: "askTool", callId, question: "?" }) as const;
const spawn = { do: "spawn", child: CHILD, name: "worker" } as const;
const ids = (...names: string[]) => names.map((callId) => ({ call: { callId } }));

describe("nextStep", () => {
  test.each([
    ["an agent that was told nothing rests", created, { do: "rest" }],
    [
      "one that speaks first calls",
      after(undefined, creation({ speaksFirst: true })),
      { do: "callModel", notBefore: 0 },
    ],
    ["a message is read", task, { do: "callModel", notBefore: 0 }],
    ["a call in flight of a process that died is lost", inFlight, { do: "loseTurn" }],
    [
      "a call that was put off is tried at its time",
      after(inFlight, failTurn()),
      { do: "callModel", notBefore: START_MS + 60_000 },
    ],
    ["calls are run", calling, { do: "runTools", calls: ids("a", "b", "c") }],
    ["what ran when the process died is settled first", after(calling, start("b")), { do: "settle", calls: ids("b") }],
    [
      "calls are run beside one that waits",
      after(calling, start("a", "message")),
      { do: "runTools", calls: ids("b", "c") },
    ],
    [
      "calls are run beside one that a person is asked about",
      after(calling, start("a"), ask("a")),
      { do: "runTools", calls: ids("b", "c") },
    ],
    [
      "a wait that is over ends",
      after(calling, endTool("b"), endTool("c"), start("a", "message"), receive(2)),
      { do: "endWait", calls: ids("a") },
    ],
    [
      "a wait that is not over goes on",
      after(calling, endTool("b"), endTool("c"), start("a", "message")),
      { do: "rest" },
    ],
    ["results are read", after(calling, endTool("a"), endTool("b"), endTool("c")), { do: "callModel", notBefore: 0 }],
    [
      "a paused model is called again",
      after(inFlight, { ...answer("…"), finish: "paused" }),
      { do: "callModel", notBefore: 0 },
    ],
    ["a filtered answer is no answer", after(inFlight, { ...answer("…"), finish: "contentFilter" }), { do: "refuse" }],
    [
      "an answer that reached its length is one",
      after(inFlight, { ...answer("…"), finish: "length" }),
      { do: "complete" },
    ],
    [
      "a final answer completes",
      after(inFlight, answer("Done.")),
      { do: "complete", answer: { parts: [{ text: "Done." }] } },
    ],
    ["a final answer waits for children", after(inFlight, spawn, answer("Done.")), { do: "rest" }],
    ["and their reports are read", after(inFlight, spawn, answer("Done."), endChild(CHILD, 9)), { do: "callModel" }],
    [
      "a chat rests after its answer",
      after(undefined, creation({ mode: "chat" }), receive(1), startTurn(), answer("Hello.")),
      { do: "rest" },
    ],
    ["an ended agent rests", after(inFlight, answer("Done."), { do: "complete", output: "" }), { do: "rest" }],
    ["an interrupted one rests", after(inFlight, { ...answer("D"), outcome: "interrupted" }), { do: "rest" }],
    [
      "until a message comes",
      after(inFlight, { ...answer("D"), outcome: "interrupted" }, receive(2)),
      { do: "callModel" },
    ],
  ])("%s", (_, state, step) => {
    expect(nextStep(state)).toMatchObject(step);
  });
});
