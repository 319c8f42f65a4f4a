import { describe, expect, test } from "vitest";
import type { LoggedEvent, TranscriptEntry } from "../../../src/server/contract/agent.ts";
import { grow, NO_CONVERSATION, resultsOf, says, spendingOf } from "../../../src/web/agent/conversation.ts";

const USAGE = { input: 1, output: 2, cacheRead: 3, cacheWrite: 4 };
const call = { type: "toolCall", callId: "c1", name: "look_up", input: { json: { topic: "x" } } } as const;

function events(...given: readonly object[]): LoggedEvent[] {
  return given.map(
    (event, index) => ({ agent: "a", seq: index + 1, position: index + 1, time: index, event }) as LoggedEvent,
  );
}

const LIFE = events(
  { type: "message.received", id: "m1", from: { kind: "person", id: "anna" }, content: "Go." },
  { type: "turn.started", turn: 1, attempt: 1, took: ["m1"], reservedUsd: 1 },
  {
    type: "turn.ended",
    turn: 1,
    outcome: "done",
    messageId: "x",
    parts: [call],
    finish: "toolCalls",
    usage: USAGE,
    costUsd: 0.5,
  },
  { type: "tool.ended", callId: "c1", outcome: "ok", content: "found" },
  { type: "message.received", id: "m2", from: { kind: "person", id: "anna" }, content: "And?" },
);

describe("a conversation that grows", () => {
  const fresh = { ...NO_CONVERSATION, stale: false };

  test("C1: events become what the server would say", () => {
    const { entries, inbox, stale } = grow(fresh, LIFE);
    expect(entries.map(({ role, seq }) => [role, seq])).toEqual([
      ["user", 2],
      ["assistant", 3],
      ["tools", 4],
    ]);
    expect([...inbox.keys()]).toEqual(["m2"]);
    expect(stale).toBe(false);
    expect(resultsOf(entries).get("c1")).toMatchObject({ name: "look_up", outcome: "ok", text: "found" });
  });

  test("C1: piece by piece it grows to the same, and what the server has said already is not said twice", () => {
    const whole = grow(fresh, LIFE);
    const pieces = LIFE.reduce((conversation, event) => grow(conversation, [event]), fresh);
    expect(pieces).toEqual(whole);
    const told = { ...whole, upTo: 4 };
    expect(grow(told, LIFE).entries).toEqual(whole.entries);
  });

  test("C1: what cannot be known from events is asked for again", () => {
    expect(grow(fresh, events({ type: "agent.rewound", to: 1, by: { kind: "person" } })).stale).toBe(true);
    expect(
      grow(fresh, events({ type: "turn.started", turn: 1, attempt: 1, took: ["gone"], reservedUsd: 1 })).stale,
    ).toBe(true);
  });

  test("a search finds what was said, called and answered", () => {
    const { entries } = grow(fresh, LIFE);
    const found = (wanted: string) =>
      entries.filter((entry: TranscriptEntry) => says(entry, resultsOf(entries), wanted)).length;
    expect([found("go"), found("look_up"), found("found"), found("nowhere")]).toEqual([1, 1, 1, 0]);
  });

  test("lost and failed calls cost too", () => {
    const spent = spendingOf([...LIFE, ...events({ type: "turn.lost", turn: 2, costUsd: 0.25 })]);
    expect(spent.map(({ costUsd }) => costUsd)).toEqual([0.5, 0.25]);
  });
});
