import { describe, expect, test } from "vitest";
import { type AgentEvent, EVENTS, type EventType } from "../../src/agent/events.ts";
import { evolve, reportId } from "../../src/agent/evolve.ts";
import type { State } from "../../src/agent/state.ts";
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
  idOf,
  PERSON,
  plain,
  receive,
  START_MS,
  startTurn,
  usageOf,
} from "../support/journeys.ts";

const CHILD = idOf(50);
const created = after(undefined, creation());
const task = after(created, receive(1));
const inFlight = after(task, startTurn(0.5));
const calling = after(inFlight, answer("I ask.", call("a"), call("b")));
const started = after(calling, { do: "startTool", callId: "a" });
const asked = after(started, { do: "askTool", callId: "a", question: "Again?" });
const parent = after(task, { do: "spawn", child: CHILD, name: "worker", callId: "a" });
const told = after(parent, endChild(CHILD, 9));
const final = after(inFlight, answer("Done."));
const by = PERSON;
const error = { code: "TOOL_FAILED", message: "no" } as const;
const digest = `sha256:${"a".repeat(64)}`;
const artifact = { name: "map", digest, bytes: 3, mediaType: "text/plain" };
const spent = { usage: usageOf(50), costUsd: 0.25 };

/** What differs between two states, but for place and time. */
function changes(before: State, now: State): Record<string, unknown> {
  const head = Object.entries(now.head).filter(([key, value]) => {
    if (key === "seq" || key === "time") return false;
    return JSON.stringify(value) !== JSON.stringify(before.head[key as keyof State["head"]]);
  });
  const rest = Object.entries(now).filter(([key, value]) => {
    const [one, other] = [plain(value ?? null), plain(before[key as keyof State] ?? null)];
    return key !== "head" && JSON.stringify(one) !== JSON.stringify(other);
  });
  return plain({ ...Object.fromEntries(rest), head: Object.fromEntries(head) }) as Record<string, unknown>;
}

type Case<Type extends EventType> = [
  Type,
  State,
  Omit<Extract<AgentEvent, { type: Type }>, "type">,
  Record<string, unknown>,
];
const of = <Type extends EventType>(...each: Case<Type>) => each as unknown as Case<EventType>;
const user = (number: number, seq: number) => ({ id: `m${number}`, seq, from: PERSON, content: `message ${number}` });
const said = (state: State) => (plain([...state.entries]) as Record<string, unknown>[]).at(-1);

const CASES: readonly Case<EventType>[] = [
  of(
    "message.received",
    task,
    { id: "m2", from: by, content: "Hi.", meta: { x: 1 } },
    {
      inbox: [
        expect.objectContaining(user(1, 2)),
        { id: "m2", seq: 3, time: 7, from: by, content: "Hi.", meta: { x: 1 } },
      ],
      receivedIds: ["m1", "m2"],
      head: {},
    },
  ),
  of(
    "turn.started",
    task,
    { turn: 1, attempt: 1, took: ["m1"], reservedUsd: 0.5 },
    {
      entries: [{ kind: "user", seq: 3, message: expect.objectContaining(user(1, 2)) }],
      inbox: [],
      turn: { turn: 1, attempt: 1, reservedUsd: 0.5 },
      head: { status: "running", reservedUsd: 0.5, activity: "calling the model" },
    },
  ),
  of(
    "turn.ended",
    inFlight,
    {
      turn: 1,
      ...spent,
      outcome: "done",
      messageId: idOf(7),
      parts: [call("a"), call("b"), call("c", "x")],
      finish: "toolCalls",
    },
    {
      entries: [
        expect.anything(),
        expect.objectContaining({
          kind: "assistant",
          seq: 4,
          time: 7,
          messageId: idOf(7),
          finish: "toolCalls",
          interrupted: false,
        }),
      ],
      open: [expect.objectContaining({ state: "asked" }), expect.anything(), expect.anything()],
      turn: null,
      head: { turns: 1, usage: usageOf(50), costUsd: 0.25, reservedUsd: 0, activity: "asked for read_file x2, x" },
    },
  ),
  of(
    "turn.failed",
    inFlight,
    { turn: 1, ...spent, error, estimated: true, retryTime: 99 },
    {
      turn: null,
      retry: { attempts: 1, putOffs: 0, retryTime: 99 },
      head: {
        status: "waiting",
        waitingFor: "rateLimit",
        usage: usageOf(50),
        costUsd: 0.25,
        estimatedUsd: 0.25,
        reservedUsd: 0,
        activity: "call failed: TOOL_FAILED",
      },
    },
  ),
  of("turn.withdrawn", inFlight, { turn: 1 }, { turn: null, head: { reservedUsd: 0 } }),
  of(
    "turn.lost",
    inFlight,
    { turn: 1, costUsd: 0.5 },
    { turn: null, head: { costUsd: 0.5, estimatedUsd: 0.5, reservedUsd: 0 } },
  ),
  of(
    "tool.started",
    calling,
    { callId: "b" },
    {
      open: [expect.objectContaining({ state: "asked" }), { call: call("b"), state: "started", startSeq: 5 }],
      head: {},
    },
  ),
  of(
    "tool.asked",
    started,
    { callId: "a", question: "?" },
    { open: [expect.objectContaining({ state: "approval", startSeq: 5 }), expect.anything()], head: {} },
  ),
  of(
    "tool.answered",
    asked,
    { callId: "a", decision: "rerun", by },
    { open: [expect.objectContaining({ state: "asked", startSeq: 5 }), expect.anything()], head: {} },
  ),
  of(
    "tool.ended",
    started,
    { callId: "a", outcome: "ok", content: "R", meta: { x: 1 } },
    {
      open: [
        expect.objectContaining({
          state: "ended",
          result: {
            callId: "a",
            name: "read_file",
            outcome: "ok",
            content: "R",
            startSeq: 5,
            seq: 6,
            time: 7,
            took: [],
            meta: { x: 1 },
          },
        }),
        expect.anything(),
      ],
      head: {},
    },
  ),
  of(
    "child.spawned",
    task,
    { child: CHILD, name: "worker", callId: "a" },
    {
      children: [[CHILD, { agent: CHILD, name: "worker", callId: "a", spawnedSeq: 3, cut: false, toldSeq: 0 }]],
      head: { childrenLive: 1, childrenTotal: 1, activity: "spawned worker" },
    },
  ),
  of(
    "child.ended",
    parent,
    { child: CHILD, seq: 9, status: "failed", output: "", artifacts: [artifact], error, costUsd: 1 },
    {
      children: [
        [CHILD, expect.objectContaining({ ended: { seq: 9, message: expect.objectContaining({ id: `${CHILD}.9` }) } })],
      ],
      inbox: [
        expect.anything(),
        expect.objectContaining({
          id: reportId(CHILD, 9),
          from: { kind: "agent", id: CHILD, name: "worker" },
          report: { child: CHILD, name: "worker", status: "failed", output: "", artifacts: [artifact], error },
        }),
      ],
      head: { childrenLive: 0, activity: "a child failed" },
    },
  ),
  of(
    "child.revived",
    told,
    { child: CHILD },
    {
      children: [[CHILD, expect.not.objectContaining({ ended: expect.anything() })]],
      inbox: [expect.anything()],
      head: { childrenLive: 1 },
    },
  ),
  of("artifact.written", task, { artifact }, { head: { artifacts: [artifact], activity: "wrote map" } }),
  of("checkpoint.named", task, { name: "c", at: 2 }, { checkpoints: [{ name: "c", at: 2, time: 7 }], head: {} }),
  of("budget.set", task, { budget: { costUsd: 3 }, by }, { head: { budget: { costUsd: 3 } } }),
  of("hold.set", task, { by, reason: "lunch" }, { head: { held: true, activity: "lunch" } }),
  of(
    "hold.released",
    after(task, { do: "hold", by, reason: "" }),
    { by },
    { head: { held: false, activity: "released" } },
  ),
  of(
    "agent.rewound",
    final,
    { to: 3, by },
    {
      entries: [expect.anything()],
      cuts: [{ after: 3, before: 5 }],
      head: { status: "queued", activity: "rewound to 3" },
    },
  ),
  of(
    "agent.revived",
    after(inFlight, { do: "fail", error }),
    { by },
    { turn: null, head: { status: "queued", error: null } },
  ),
  of(
    "agent.completed",
    final,
    { output: "Done." },
    { head: { status: "completed", output: "Done.", activity: "completed" } },
  ),
  of(
    "agent.failed",
    inFlight,
    { error },
    { head: { status: "failed", error, costUsd: 0.5, estimatedUsd: 0.5, reservedUsd: 0, activity: "no" } },
  ),
  of(
    "agent.cancelled",
    after(inFlight, { do: "hold", by, reason: "" }),
    { by, reason: "enough" },
    {
      head: { status: "cancelled", held: false, costUsd: 0.5, estimatedUsd: 0.5, reservedUsd: 0, activity: "enough" },
    },
  ),
];

describe("E2: what each event changes, and nothing else", () => {
  test.each(CASES)("%s", (type, before, fields, expected) => {
    const event = EVENTS[type].parse({ type, ...fields }) as AgentEvent;
    const now = evolve(AGENT, before, { seq: before.head.seq + 1, time: 7, event });
    expect([now.head.seq, now.head.time]).toEqual([before.head.seq + 1, 7]);
    expect(changes(before, now)).toEqual(expected);
  });

  test("every event of a journal is among them; the first ones have tests of their own", () => {
    const first = ["agent.created", "agent.forked"];
    expect(CASES.map(([type]) => type)).toEqual(Object.keys(EVENTS).filter((type) => !first.includes(type)));
  });

  test("agent.created: an agent with nothing behind it, that waits for its first message", () => {
    expect(plain(created)).toMatchObject({
      instructions: "Do it well.",
      tools: ["read_file", "spawn", "wait"],
      speaksFirst: false,
      entries: [],
      open: [],
      inbox: [],
      children: [],
      turn: null,
      retry: null,
      interrupted: false,
      head: {
        agent: AGENT,
        origin: null,
        parent: null,
        root: AGENT,
        level: 0,
        seq: 1,
        status: "waiting",
        turns: 0,
        costUsd: 0,
        budget: null,
      },
    });
    expect(created.head).toMatchObject({ createdTime: created.head.time, time: START_MS + 1 });
    expect(after(undefined, creation({ speaksFirst: true, budget: { agents: 2 } })).head).toMatchObject({
      status: "queued",
      budget: { agents: 2 },
    });
  });
});

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
    expect(said(whole)).toMatchObject({
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
