import { describe, expect, test } from "vitest";
import { type AgentEvent, EVENTS, type EventType } from "../../src/agent/events.ts";
import { evolve, reportId } from "../../src/agent/evolve.ts";
import type { State } from "../../src/agent/state.ts";
import {
  AGENT,
  answer,
  call,
  creation,
  endChild,
  endProcess,
  idOf,
  PERSON,
  receive,
  START_MS,
  startProcess,
  startTurn,
  usageOf,
} from "../support/commands.ts";
import { after, plain } from "../support/journeys.ts";

const CHILD = idOf(50);
const created = after(undefined, creation());
const task = after(created, receive(1));
const inFlight = after(task, startTurn(0.5));
const calling = after(inFlight, answer("I ask.", call("a"), call("b")));
const started = after(calling, { do: "startTool", callId: "a" });
const asked = after(started, { do: "askTool", callId: "a", question: "Again?" });
const parent = after(task, { do: "spawn", child: CHILD, name: "worker", callId: "a" });
const told = after(parent, endChild(CHILD, 9));
const starting = startProcess(1, "server");
const { id: SERVER, policy } = starting;
const serving = after(task, starting);
const final = after(inFlight, answer("Done."));
const named = after(task, { do: "nameCheckpoint", name: "c", at: 2 });
const NAMED = { name: "c", at: 2, time: named.checkpoints[0]?.time };
const by = PERSON;
const pinned = after(named, { do: "pinCheckpoint", name: "c", pinned: true, by });
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
      retry: { attempts: 1, putOffs: 0, retryTime: 99, waitMsMax: 92 },
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
  of(
    "turn.postponed",
    task,
    {},
    {
      retry: { attempts: 0, putOffs: 0, retryTime: 7, waitMsMax: 0 },
      head: { status: "waiting", waitingFor: "rateLimit" },
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
  of("artifact.linked", task, { name: "map", digest, endTime: 9, by }, { head: {} }),
  of(
    "process.started",
    task,
    { id: idOf(60), name: "server", argv: ["serve"], cwd: ".", pid: 9, policy, callId: "a" },
    {
      processes: [
        {
          ...{ id: idOf(60), name: "server", argv: ["serve"], cwd: ".", policy, callId: "a" },
          ...{ startedSeq: 3, restarts: 0, cut: false, phase: { is: "running", pid: 9, time: 7 } },
        },
      ],
      head: { processes: 1, activity: "started server" },
    },
  ),
  of(
    "process.ended",
    serving,
    { id: SERVER, how: "exited", code: 3, output: { digest, bytes: 4 }, restartTime: 50 },
    {
      processes: [
        expect.objectContaining({
          phase: { is: "backingOff", restartTime: 50 },
          last: { how: "exited", code: 3, output: { digest, bytes: 4 } },
        }),
      ],
      head: {},
    },
  ),
  of(
    "process.restarted",
    after(serving, endProcess(SERVER, { restartTime: 50 })),
    { id: SERVER, pid: 11, startTicks: 5 },
    {
      processes: [expect.objectContaining({ restarts: 1, phase: { is: "running", pid: 11, startTicks: 5, time: 7 } })],
      head: {},
    },
  ),
  of("checkpoint.named", task, { name: "c", at: 2 }, { checkpoints: [{ name: "c", at: 2, time: 7 }], head: {} }),
  of("checkpoint.pinned", named, { name: "c", by }, { checkpoints: [{ ...NAMED, pinned: true }], head: {} }),
  of("checkpoint.unpinned", pinned, { name: "c", by }, { checkpoints: [NAMED], head: {} }),
  of("checkpoint.forgotten", named, { names: ["c"], by }, { checkpoints: [], head: {} }),
  of(
    "files.saved",
    task,
    { root: "/work", tree: digest, files: 1, bytes: 3, left: 0, added: [] },
    { files: { tree: digest, seq: 3 }, head: {} },
  ),
  of(
    "files.restored",
    after(final, { do: "rewind", to: 3, by, tree: digest }),
    { tree: digest, written: 1, removed: 0, spared: 0 },
    { files: { tree: digest, seq: 6 }, head: {} },
  ),
  of("budget.set", task, { budget: { costUsd: 3 }, by }, { head: { budget: { costUsd: 3 } } }),
  of("agent.interrupted", task, { by, subtree: true }, { head: {} }),
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
