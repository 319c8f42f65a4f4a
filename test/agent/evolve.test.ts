import { describe, expect, test } from "vitest";
import type { AgentEvent } from "../../src/agent/events.ts";
import { evolve, reportId } from "../../src/agent/evolve.ts";
import { LIMITS } from "../../src/base/limits.ts";
import {
  AGENT,
  answer,
  call,
  creation,
  endTool,
  failTurn,
  idOf,
  PERSON,
  receive,
  startTurn,
} from "../support/commands.ts";
import { after } from "../support/journeys.ts";

const CHILD = idOf(50);
const created = after(undefined, creation());
const task = after(created, receive(1));
const inFlight = after(task, startTurn(0.5));
const calling = after(inFlight, answer("I ask.", call("a"), call("b")));
const started = after(calling, { do: "startTool", callId: "a" });
const asked = after(started, { do: "askTool", callId: "a", question: "Again?" });
const final = after(inFlight, answer("Done."));
const by = PERSON;
const error = { code: "TOOL_FAILED", message: "no" } as const;
const digest = `sha256:${"a".repeat(64)}`;
const artifact = { name: "map", digest, bytes: 3, mediaType: "text/plain" };

describe("the fold", () => {
  const event: AgentEvent = { type: "hold.released", by };

  test("refuses an event out of its place, a second beginning, and one that begins with neither", () => {
    for (const seq of [1, 2, 4])
      expect(() => evolve(AGENT, task, { seq, time: 1, event })).toThrow(expect.objectContaining({ code: "INTERNAL" }));
    expect(() => evolve(AGENT, undefined, { seq: 1, time: 1, event })).toThrow(/begins with hold.released/);
    const { do: _, ...fields } = creation();
    expect(() => evolve(AGENT, undefined, { seq: 2, time: 1, event: { type: "agent.created", ...fields } })).toThrow(
      /first event/,
    );
  });

  test("E4: refuses a step that is not in the table of statuses", () => {
    const completed = after(final, { do: "complete", output: "" });
    const late: AgentEvent = { type: "agent.failed", error };
    expect(() => evolve(AGENT, completed, { seq: completed.head.seq + 1, time: 1, event: late })).toThrow(
      /from completed to failed/,
    );
  });

  test.each<[string, AgentEvent]>([
    ["a call that is not open", { type: "tool.ended", callId: "z", outcome: "ok", content: "" }],
    ["a child that it has not", { type: "child.revived", child: CHILD }],
    [
      "the end of a child that it has not",
      { type: "child.ended", child: CHILD, seq: 3, status: "completed", output: "", artifacts: [], costUsd: 0 },
    ],
  ])("refuses %s", (_, unknown) => {
    expect(() => evolve(AGENT, task, { seq: task.head.seq + 1, time: 1, event: unknown })).toThrow(
      expect.objectContaining({ code: "INTERNAL" }),
    );
  });

  test("an answer of no parts is an entry when it is done, and none when it was interrupted", () => {
    const nothing = answer();
    expect(after(inFlight, nothing).entries.length).toBe(2);
    expect(after(inFlight, { ...nothing, outcome: "interrupted" }).entries.length).toBe(1);
  });

  test("results stand in the order of the calls, whatever order they came in; the last one completes the entry", () => {
    const partly = after(calling, endTool("b", "B"));
    expect(partly.entries.length).toBe(2);
    const whole = after(partly, endTool("a", "A"));
    expect(whole.entries.at(-1)).toMatchObject({
      kind: "tools",
      seq: whole.head.seq,
      results: [{ content: "A" }, { content: "B" }],
    });
    expect(whole.open).toEqual([]);
  });

  test("a call that is run again keeps the place of its first start", () => {
    const again = after(
      asked,
      { do: "answerTool", callId: "a", decision: "rerun", by },
      { do: "startTool", callId: "a" },
    );
    expect(again.open[0]).toMatchObject({ state: "started", startSeq: started.head.seq });
  });

  test("attempts are counted until an answer comes", () => {
    const failed = after(inFlight, failTurn(), startTurn(), failTurn({ putOff: true }));
    expect(failed.retry).toMatchObject({ attempts: 1, putOffs: 1 });
    expect(after(failed, startTurn()).head.activity).toBe("calling the model, attempt 3");
    expect(after(failed, startTurn(), answer("Now.")).retry).toBeNull();
  });

  test("an artifact written again replaces the one of its name", () => {
    const write = (bytes: number) => ({ do: "writeArtifact", artifact: { ...artifact, bytes } }) as const;
    expect(after(task, write(1), write(2)).head.artifacts).toEqual([{ ...artifact, bytes: 2 }]);
  });

  test("a checkpoint named again moves", () => {
    const name = (at: number) => ({ do: "nameCheckpoint", name: "c", at }) as const;
    expect(after(task, name(1), name(2)).checkpoints).toMatchObject([{ name: "c", at: 2 }]);
  });

  test("D2: ids of the newest messages are kept, of many enough and not of all", () => {
    let state = task;
    for (let i = 2; i <= 3 * LIMITS.inboxIdsMax; i++) state = after({ ...state, inbox: [] }, receive(i));
    expect(state.receivedIds.length).toBeGreaterThanOrEqual(LIMITS.inboxIdsMax);
    expect(state.receivedIds.length).toBeLessThanOrEqual(2 * LIMITS.inboxIdsMax);
    expect([...state.receivedIds].slice(-LIMITS.inboxIdsMax)[0]).toBe(`m${2 * LIMITS.inboxIdsMax + 1}`);
  });

  test("reports have ids of their own, one for each end of a child", () => {
    expect(new Set([reportId(CHILD, 1), reportId(CHILD, 2), reportId(idOf(51), 1)]).size).toBe(3);
  });
});
