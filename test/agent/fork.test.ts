import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decide, isRefusal } from "../../src/agent/decide.ts";
import type { EventOf } from "../../src/agent/events.ts";
import { EVENTS } from "../../src/agent/events.ts";
import { evolve, headOfFork, restingHeadOfFork } from "../../src/agent/evolve.ts";
import { nextStep } from "../../src/agent/next.ts";
import type { State } from "../../src/agent/state.ts";
import { NO_USAGE } from "../../src/agent/usage.ts";
import {
  AGENT,
  answer,
  call,
  creation,
  endChild,
  idOf,
  PERSON,
  receive,
  rewindTo,
  START_MS,
  startTurn,
} from "../support/commands.ts";
import { after, goOn, live, plain, plans } from "../support/journeys.ts";

const RUNS = { numRuns: 60 };
const FORK = idOf(2);
const [CHILD, OTHER, CHILD_FORK] = [idOf(50), idOf(51), idOf(60)];

function forkedAt(past: State, more: Partial<EventOf<"agent.forked">> = {}, agent = FORK) {
  const event: EventOf<"agent.forked"> = {
    type: "agent.forked",
    origin: { agent: past.head.agent, seq: past.head.seq },
    parent: null,
    root: agent,
    level: 0,
    name: "twin",
    children: {},
    by: PERSON,
    ...more,
  };
  return { seq: past.head.seq + 1, time: START_MS + 1, event: EVENTS["agent.forked"].parse(event) };
}

function forkOf(past: State, more: Partial<EventOf<"agent.forked">> = {}, agent = FORK): State {
  return evolve(agent, past, forkedAt(past, more, agent));
}

describe("a fork", () => {
  test("of any state has its conversation, owes nothing, and goes on where its past stood", () => {
    fc.assert(
      fc.property(plans(), plans({ length: 10 }), (plan, { intents }) => {
        for (const past of live(plan).states) {
          const before = plain(past);
          const children = Object.fromEntries(
            [...past.children.values()].map(({ agent }, i) => [agent, idOf(100 + i)]),
          );
          for (const fork of [forkOf(past), forkOf(past, { children })]) {
            expect(plain(fork.entries)).toEqual(plain(past.entries));
            expect(fork.open).toEqual(past.open);
            expect([fork.turn, fork.retry, fork.checkpoints]).toEqual([null, null, []]);
            expect(fork.head).toMatchObject({
              agent: FORK,
              origin: { agent: AGENT, seq: past.head.seq },
              seq: past.head.seq + 1,
              held: false,
              turns: 0,
              usage: NO_USAGE,
              costUsd: 0,
              estimatedUsd: 0,
              reservedUsd: 0,
              output: null,
              error: null,
              artifacts: [],
            });
            expect(["queued", "waiting"]).toContain(fork.head.status);
            expect(fork.head.status === "waiting").toBe(nextStep(fork).do === "rest");
            expect(nextStep(fork).do).not.toBe("loseTurn");
            const life = goOn(fork, [...intents, { do: "nameCheckpoint", name: "alive" }]);
            for (const { head } of life.states) expect(head.costUsd).toBeGreaterThanOrEqual(0);
          }
          expect(plain(past)).toEqual(before);
        }
      }),
      RUNS,
    );
  });

  test("of a fork has the conversation of both", () => {
    const past = after(undefined, creation(), receive(1), startTurn(), answer("One."));
    const first = after(forkOf(past), receive(2), startTurn(), answer("Two."));
    const second = forkOf(first, {}, idOf(3));
    expect([...second.entries].map(({ kind }) => kind)).toEqual(["user", "assistant", "user", "assistant"]);
    expect(second.head.origin).toEqual({ agent: FORK, seq: first.head.seq });
    expect(past.entries.length).toBe(2);
  });

  test("takes over what it is not given: mode, model, rights; never budget or level", () => {
    const budget = { costUsd: 3 };
    const past = after(
      undefined,
      creation({ mode: "chat", budget, level: 2, parent: idOf(8), root: idOf(9) }),
      receive(1),
    );
    const { execution, rights } = past.head;
    expect(forkOf(past).head).toMatchObject({
      mode: "chat",
      execution,
      rights,
      budget: null,
      level: 0,
      parent: null,
      name: "twin",
    });
    const other = { ...execution, model: "test-2" };
    const more = {
      execution: other,
      rights: { commands: true, spawn: false },
      budget: { agents: 2 },
      level: 1,
      parent: idOf(8),
    };
    expect(forkOf(past, more).head).toMatchObject(more);
  });

  test("begins with the head that is known before its past is folded, but for children and status", () => {
    const past = after(undefined, creation(), receive(1), startTurn(), answer("One."));
    const fork = forkOf(past);
    const recorded = forkedAt(past);
    expect(headOfFork(FORK, past.head, recorded.event, recorded)).toEqual(fork.head);
  });

  test("K3: of one that waits for a message, and never had a child, has the head that its past folds to", () => {
    let resting = 0;
    fc.assert(
      fc.property(plans(), (plan) => {
        for (const past of live(plan).states) {
          const recorded = forkedAt(past);
          const head = restingHeadOfFork(FORK, past.head, recorded.event, recorded);
          if (!head) continue;
          resting += 1;
          expect(plain(head)).toEqual(plain(forkOf(past).head));
        }
      }),
      RUNS,
    );
    expect(resting).toBeGreaterThan(0);
  });

  test("does not see messages twice that its past has seen, and reads what its past had not", () => {
    const past = after(undefined, creation(), receive(1), startTurn(), answer("One."), receive(2));
    const fork = forkOf(past);
    expect(fork.inbox.map(({ id }) => id)).toEqual(["m2"]);
    expect([receive(1), receive(2)].map((again) => decide(fork, again))).toEqual([[], []]);
  });

  test("with its subtree has forks for children: renamed, their unread reports too, and those not named are none of its", () => {
    const wait = call("w", "wait");
    const parent = after(
      undefined,
      creation(),
      receive(1),
      { do: "spawn", child: CHILD, name: "one" },
      { do: "spawn", child: OTHER, name: "two" },
      startTurn(),
      answer(wait),
      { do: "startTool", callId: "w", waitsFor: "children" },
      endChild(CHILD, 9),
    );
    const fork = forkOf(parent, { children: { [CHILD]: CHILD_FORK } });
    expect([...fork.children.values()]).toMatchObject([{ agent: CHILD_FORK, name: "one", ended: { seq: 9 } }]);
    expect(fork.inbox).toMatchObject([{ id: `${CHILD}.9`, report: { child: CHILD_FORK } }]);
    expect(fork.head).toMatchObject({ childrenLive: 0, childrenTotal: 1 });
    // Both of its children have ended, as far as it has any: it waits for nothing.
    expect(nextStep(fork)).toMatchObject({ do: "endWait" });
    expect(nextStep(forkOf(parent, { children: { [OTHER]: CHILD_FORK } }))).toEqual({ do: "rest" });
  });

  test("leaves out children that a rewind had cut", () => {
    const start = after(undefined, creation(), receive(1), startTurn(), answer(call("s", "spawn")));
    const cut = after(start, { do: "spawn", child: CHILD, name: "one" }, rewindTo(start.head.seq));
    expect(forkOf(cut, { children: { [CHILD]: CHILD_FORK } }).children.size).toBe(0);
  });

  test("without its children keeps what they reported, through a rewind too", () => {
    const told = after(
      undefined,
      creation(),
      receive(1),
      startTurn(),
      answer("I wait."),
      { do: "spawn", child: CHILD, name: "one" },
      endChild(CHILD, 9),
    );
    const place = [...told.entries].at(-1)?.seq ?? 0;
    const report = `${CHILD}.9`;
    expect(forkOf(told).inbox.map(({ id }) => id)).toEqual([report]);
    const read = after(forkOf(told), { do: "nameCheckpoint", name: "here" }, startTurn(), answer("I know."));
    expect(read.inbox).toEqual([]);
    expect(after(read, rewindTo(told.head.seq + 1)).inbox.map(({ id }) => id)).toEqual([report]);
    // Before the child was spawned there is nothing to report.
    expect(after(forkOf(told), rewindTo(place)).inbox).toEqual([]);
  });

  test("may go back to before it was forked", () => {
    const past = after(undefined, creation(), receive(1), startTurn(), answer("One."));
    const fork = after(forkOf(past), receive(2), startTurn(), answer("Two."));
    const back = after(fork, rewindTo(past.head.seq));
    expect(plain(back.entries)).toEqual(plain(past.entries));
    expect(isRefusal(decide(fork, rewindTo(past.head.seq + 1)))).toBe(true);
  });

  test("must go on counting where its past stood", () => {
    const past = after(undefined, creation());
    const event: EventOf<"agent.forked"> = {
      type: "agent.forked",
      origin: { agent: AGENT, seq: 1 },
      parent: null,
      root: FORK,
      level: 0,
      name: "twin",
      children: {},
      by: PERSON,
    };
    for (const seq of [1, 3]) expect(() => evolve(FORK, past, { seq, time: 1, event })).toThrow(/continues its origin/);
    expect(() => evolve(FORK, undefined, { seq: 2, time: 1, event })).toThrow(/begins with agent.forked/);
  });
});
