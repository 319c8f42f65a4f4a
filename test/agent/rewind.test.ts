import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decide, isRefusal } from "../../src/agent/decide.ts";
import { nextStep } from "../../src/agent/next.ts";
import type { Entry, State } from "../../src/agent/state.ts";
import {
  answer,
  call,
  creation,
  endChild,
  endTool,
  idOf,
  PERSON,
  receive,
  rewindTo,
  startTurn,
} from "../support/commands.ts";
import { after, goOn, live, plain, plans } from "../support/journeys.ts";

const RUNS = { numRuns: 120 };
const CHILD = idOf(50);

/** What a rewind must bring back; accounting, and what children have found since, are left out. */
function past(state: State, to: number) {
  return plain({
    entries: state.entries,
    open: state.open.map((open) => ({
      callId: open.call.callId,
      // Only a question to a person is not brought back: the tool's policy asks again.
      state: open.state !== "approval" ? open.state : open.startSeq ? "started" : "asked",
      result: open.result,
      waitsFor: open.waitsFor,
    })),
    unread: state.inbox.filter(({ report, seq }) => !report && seq <= to),
    turn: null,
    children: [...state.children.values()]
      .filter(({ spawnedSeq, cut }) => spawnedSeq <= to && !cut)
      .map(({ agent }) => agent),
  });
}

describe("a rewind", () => {
  test("to the end of any message brings back the conversation, the calls and the inbox of that moment", () => {
    fc.assert(
      fc.property(plans(), (plan) => {
        const { states, state } = live(plan);
        for (const { seq: to } of state.entries) {
          const then = states[to - 1];
          const { asked, state: now } = goOn(state, [rewindTo(to)]);
          expect(asked[0]?.decision).toEqual(expect.arrayContaining([{ type: "agent.rewound", to, by: PERSON }]));
          expect(past(now, to)).toEqual(then && past(then, to));
          expect([now.turn, now.retry, now.interrupted, now.head.output, now.head.error]).toEqual([
            null,
            null,
            false,
            null,
            null,
          ]);
        }
      }),
      RUNS,
    );
  });

  test("to a named checkpoint in the middle of calls brings back their results and what had started", () => {
    fc.assert(
      fc.property(plans(), (plan) => {
        const { states, state } = live(plan);
        for (const { at: to } of state.checkpoints) {
          const then = states[to - 1];
          const { asked, state: now } = goOn(state, [rewindTo(to)]);
          if (!then || asked.some(({ decision }) => isRefusal(decision))) continue;
          const again = then.open.map((open) =>
            open.state === "asked" && open.startSeq ? { ...open, state: "started" as const } : open,
          );
          expect(past(now, to)).toEqual(past({ ...then, open: again }, to));
        }
      }),
      RUNS,
    );
  });

  test("twice to one place is the same as once", () => {
    fc.assert(
      fc.property(plans(), (plan) => {
        const { state } = live(plan);
        for (const { seq: to } of state.entries) {
          const once = goOn(state, [rewindTo(to)]).state;
          const twice = goOn(once, [rewindTo(to)]).state;
          const { head: _, cuts, ...rest } = twice;
          const { head: __, cuts: before, ...first } = once;
          expect(plain(rest)).toEqual(plain(first));
          expect(cuts.length).toBe(before.length);
        }
      }),
      RUNS,
    );
  });

  test("never refuses the place of an entry, and never accepts one that is out of its conversation", () => {
    fc.assert(
      fc.property(plans(), (plan) => {
        const { state } = live(plan);
        const entries = new Set([...state.entries].map(({ seq }) => seq));
        const named = new Set(state.checkpoints.map(({ at }) => at));
        for (let to = -1; to <= state.head.seq + 1; to++) {
          const accepted = !isRefusal(decide(state, rewindTo(to)));
          if (entries.has(to) || to === 0) expect(accepted).toBe(true);
          else if (!named.has(to)) expect(accepted).toBe(false);
        }
      }),
      RUNS,
    );
  });

  const created = after(undefined, creation(), receive(1));
  const asking = after(created, startTurn(), answer("I ask.", call("a"), call("b")));
  const asked = asking.head.seq;
  const answered = after(
    asking,
    { do: "startTool", callId: "a" },
    endTool("a"),
    { do: "startTool", callId: "b" },
    endTool("b"),
  );
  const finished = after(answered, startTurn(), answer("Done."), { do: "complete", output: "Done." });
  const kinds = (state: State) => [...state.entries].map((entry: Entry) => entry.kind);

  test("to 0 leaves an empty conversation that waits for a message", () => {
    const state = after(finished, rewindTo(0));
    expect([kinds(state), state.inbox, state.open]).toEqual([[], [], []]);
    expect(state.head).toMatchObject({ status: "waiting", waitingFor: "message", output: null, turns: 2 });
  });

  test("revives an agent that has ended, in the middle of its calls", () => {
    const state = after(finished, rewindTo(asked));
    expect(state.head.status).toBe("queued");
    expect(nextStep(state)).toMatchObject({
      do: "runTools",
      calls: [{ call: { callId: "a" } }, { call: { callId: "b" } }],
    });
  });

  test("to the final answer completes again, without a call", () => {
    const state = after(finished, rewindTo([...finished.entries].at(-1)?.seq ?? 0));
    expect(nextStep(state).do).toBe("complete");
    expect(after(state, { do: "complete", output: "Done." }).head.status).toBe("completed");
  });

  test("settles a call in flight with all that was reserved, once", () => {
    const flying = after(answered, startTurn(0.5));
    const spentUsd = answered.head.costUsd;
    expect(after(flying, rewindTo(asked)).head).toMatchObject({
      costUsd: spentUsd + 0.5,
      estimatedUsd: 0.5,
      reservedUsd: 0,
    });
    const cut = after(flying, { do: "cancel", by: PERSON, reason: "" });
    expect(cut.head.costUsd).toBe(spentUsd + 0.5);
    expect(after(cut, rewindTo(asked)).head).toMatchObject({
      costUsd: spentUsd + 0.5,
      estimatedUsd: 0.5,
      status: "queued",
    });
  });

  test("makes messages unread that were received before and read since, and forgets those that came and were read since", () => {
    const early = after(asking, receive(2));
    const place = early.head.seq;
    const named = after(early, { do: "nameCheckpoint", name: "here" });
    const results = after(
      named,
      endTool("a"),
      endTool("b"),
      receive(3),
      startTurn(),
      answer("I read both."),
      receive(4),
    );
    expect(results.inbox.map(({ id }) => id)).toEqual(["m4"]);
    const state = after(results, rewindTo(place));
    // The newest is unread as it was, though it came later.
    expect(state.inbox.map(({ id }) => id)).toEqual(["m2", "m4"]);
    expect(state.open.map((open) => open.state)).toEqual(["asked", "asked"]);
  });

  test("cuts children spawned since: their reports are never read, and they are not waited for", () => {
    const parent = after(asking, { do: "spawn", child: CHILD, name: "worker", callId: "a" });
    expect(parent.head.childrenLive).toBe(1);
    const state = after(parent, rewindTo(asked));
    expect(state.children.get(CHILD)?.cut).toBe(true);
    expect(state.head).toMatchObject({ childrenLive: 0, childrenTotal: 1 });
    const told = after(state, endChild(CHILD, 9, { status: "cancelled" }));
    expect([told.inbox, told.children.get(CHILD)?.ended?.seq]).toEqual([[], 9]);
  });

  test("keeps what children found that were spawned before, unread again if it was read since", () => {
    const parent = after(
      created,
      { do: "spawn", child: CHILD, name: "worker" },
      startTurn(),
      answer("I wait.", call("w", "wait")),
    );
    const waiting = after(parent, { do: "startTool", callId: "w", waitsFor: "children" });
    const place = parent.head.seq;
    const told = after(waiting, endChild(CHILD, 9, { output: "found" }));
    const report = `${CHILD}.9`;
    const read = after(told, { ...endTool("w"), took: [report] }, startTurn(), answer("I know."));
    expect(read.inbox).toEqual([]);
    const state = after(read, rewindTo(place));
    expect(state.inbox.map(({ id }) => id)).toEqual([report]);
    expect(nextStep(state)).toMatchObject({ do: "runTools", calls: [{ call: { callId: "w" } }] });
    const again = after(state, { do: "startTool", callId: "w", waitsFor: "children" });
    expect(nextStep(again)).toMatchObject({ do: "endWait", calls: [{ call: { callId: "w" } }] });
  });

  test("knows a report that two waits named as read by the first", () => {
    const spawned = after(created, { do: "spawn", child: CHILD, name: "worker" }, endChild(CHILD, 9));
    const report = `${CHILD}.9`;
    const wait = (callId: string) => call(callId, "wait", { json: { names: ["worker"] } });
    const first = after(spawned, startTurn(), answer(wait("w1"), wait("w2")), { ...endTool("w1"), took: [report] });
    expect(first.children.get(CHILD)?.ended?.takenSeq).toBe(spawned.head.seq + 1);
  });

  test("a checkpoint that an earlier rewind took out of the conversation can be forked, not gone back to", () => {
    const rewound = after(finished, rewindTo(asked));
    const state = after(rewound, { do: "nameCheckpoint", name: "abandoned", at: asked + 3 });
    expect(decide(state, rewindTo(asked + 3))).toMatchObject({ refused: "CHECKPOINT_NOT_FOUND", why: /fork/ });
  });

  test("forgets the names of later events, and keeps those of earlier ones", () => {
    const named = after(
      finished,
      { do: "nameCheckpoint", name: "early", at: 2 },
      { do: "nameCheckpoint", name: "late" },
    );
    expect(after(named, rewindTo(asked)).checkpoints).toMatchObject([{ name: "early", at: 2 }]);
  });

  test("goes on from an answer that was interrupted, rather than rest or take it for the final one", () => {
    const cut = after(created, startTurn(), { ...answer("Half an ans"), outcome: "interrupted" });
    expect(nextStep(cut)).toEqual({ do: "rest" });
    expect(nextStep(after(cut, rewindTo(cut.head.seq)))).toEqual({ do: "callModel", notBefore: 0 });
  });
});
