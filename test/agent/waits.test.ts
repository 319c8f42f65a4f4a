import { describe, expect, test } from "vitest";
import type { ToolCall } from "../../src/agent/content.ts";
import type { State } from "../../src/agent/state.ts";
import { waitIsOver, waitResult } from "../../src/agent/waits.ts";
import { answer, call, creation, endChild, endTool, idOf, receive, rewindTo, startTurn } from "../support/commands.ts";
import { after } from "../support/journeys.ts";

const [ONE, TWO] = [idOf(50), idOf(51)];
const digest = `sha256:${"a".repeat(64)}`;

/** A parent of two children whose call waits for what the input says. */
function waiting(input: ToolCall["input"], waitsFor: "children" | "message" = "children"): State {
  return after(
    undefined,
    creation(),
    receive(1),
    { do: "spawn", child: ONE, name: "one" },
    { do: "spawn", child: TWO, name: "two" },
    startTurn(),
    answer(call("w", "wait", input)),
    { do: "startTool", callId: "w", waitsFor },
  );
}

function openOf(state: State) {
  const [open] = state.open;
  if (!open) throw new Error("the call is open");
  return open;
}

const isOver = (state: State) => waitIsOver(state, openOf(state));
const resultOf = (state: State) => waitResult(state, openOf(state));

describe("a wait for children", () => {
  test.each([
    ["no names", { json: {} }],
    ["no object", { json: "names" }],
    ["names that are no list", { json: { names: "one" } }],
    ["an input too long to read here", { text: { digest, bytes: 9_000, head: '{"names":["one"]' } }],
  ])("that gives %s is for all of them", (_, input) => {
    const none = waiting(input);
    const first = after(none, endChild(TWO, 9));
    const both = after(first, endChild(ONE, 9));
    expect([none, first, both].map(isOver)).toEqual([false, false, true]);
    expect(resultOf(both).took).toEqual([`${ONE}.9`, `${TWO}.9`]);
  });

  test("that gives names is for those, whatever the others do", () => {
    const state = waiting({ json: { names: ["two", 7, "nobody"] } });
    expect(isOver(after(state, endChild(ONE, 9)))).toBe(false);
    const over = after(state, endChild(TWO, 9));
    expect(isOver(over)).toBe(true);
    expect(resultOf(over).took).toEqual([`${TWO}.9`]);
  });

  test("for nobody that there is, is over at once", () => {
    const state = waiting({ json: { names: ["nobody"] } });
    expect([isOver(state), resultOf(state)]).toEqual([true, { content: "[]", took: [] }]);
  });

  test("says what each child came to, in the order of spawning", () => {
    const output = { digest, bytes: 10_000, head: "It begins" };
    const artifacts = [{ name: "map", digest, bytes: 3, mediaType: "text/plain" }];
    const error = { code: "TIMED_OUT", message: "too slow" } as const;
    const state = after(
      waiting({ json: {} }),
      endChild(TWO, 9, { status: "failed", output: "", error }),
      endChild(ONE, 9, { output, artifacts }),
    );
    expect(JSON.parse(resultOf(state).content)).toEqual([
      {
        name: "one",
        status: "completed",
        output: `It begins\n[cut: 10000 bytes in total; read the rest with read_artifact ref=${digest}]`,
        artifacts: [{ name: "map", digest, bytes: 3 }],
      },
      { name: "two", status: "failed", output: "", artifacts: [], error: "TIMED_OUT: too slow" },
    ]);
  });

  test("leaves out children whose report was read before, unless it names them", () => {
    const read = (input: ToolCall["input"]) =>
      after(
        waiting({ json: { names: ["one"] } }),
        endChild(ONE, 9),
        { ...endTool("w"), took: [`${ONE}.9`] },
        startTurn(),
        answer(call("w", "wait", input)),
        { do: "startTool", callId: "w", waitsFor: "children" },
        endChild(TWO, 9),
      );
    expect(resultOf(read({ json: {} })).took).toEqual([`${TWO}.9`]);
    expect(resultOf(read({ json: { names: ["one"] } })).took).toEqual([`${ONE}.9`]);
  });

  test("does not wait for children that a rewind cut", () => {
    const start = after(undefined, creation(), receive(1), startTurn(), answer(call("w", "wait")));
    const spawned = after(start, { do: "spawn", child: ONE, name: "one" }, rewindTo(start.head.seq));
    const state = after(spawned, { do: "startTool", callId: "w", waitsFor: "children" });
    expect([isOver(state), resultOf(state).took]).toEqual([true, []]);
    const named = { ...openOf(state), call: call("w", "wait", { json: { names: ["one"] } }) };
    expect([waitIsOver(state, named), waitResult(state, named).took]).toEqual([true, []]);
  });
});

test("a wait for a message is over when there is one, which it leaves to be read", () => {
  const state = waiting({ json: {} }, "message");
  const over = after(state, receive(2));
  expect([state, over].map(isOver)).toEqual([false, true]);
  expect(resultOf(over)).toEqual({ content: "A message has come; it follows.", took: [] });
});
