/** What holds over whole lives of agents, whatever is asked of them. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkEvent, decodeEvent, encodeEvent } from "../../src/agent/codec.ts";
import { decide, decideHead, isHeadCommand, isRefusal } from "../../src/agent/decide.ts";
import { EVENTS } from "../../src/agent/events.ts";
import { evolve } from "../../src/agent/evolve.ts";
import { evolveHead, isHeadEvent } from "../../src/agent/head.ts";
import { nextStep } from "../../src/agent/next.ts";
import type { State } from "../../src/agent/state.ts";
import { hasEnded } from "../../src/agent/status.ts";
import { fold, goOn, type Intent, type Life, live, type Plan, plain, plans } from "../support/journeys.ts";

const RUNS = { numRuns: 120 };

/** Checks something over many lives. */
function overLives(check: (life: Life, plan: Plan) => void): void {
  fc.assert(
    fc.property(plans(), (plan) => check(live(plan), plan)),
    RUNS,
  );
}

describe("decide and evolve", () => {
  test("lives get somewhere: the plans reach every event, every status and every refusal there is", () => {
    const seen = new Set<string>();
    for (const plan of fc.sample(plans(), { numRuns: 600, seed: 7 })) {
      const { recorded, states, asked } = live(plan);
      for (const { event } of recorded) seen.add(event.type);
      for (const { head } of states) seen.add(head.status);
      for (const { decision } of asked) if (isRefusal(decision)) seen.add(decision.refused);
    }
    const missing = Object.keys(EVENTS).filter((type) => !seen.has(type));
    expect(missing).toEqual(["agent.forked"]);
    expect([...seen]).toEqual(
      expect.arrayContaining(["queued", "running", "waiting", "completed", "failed", "cancelled"]),
    );
    expect([...seen]).toEqual(
      expect.arrayContaining([
        "AGENT_CANCELLED",
        "AGENT_ENDED",
        "CALL_NOT_FOUND",
        "CHECKPOINT_NOT_FOUND",
        "INTERRUPTED",
      ]),
    );
  });

  test("a refusal and a command that was carried out before change nothing", () => {
    overLives(({ asked, states }) => {
      let made = 0;
      for (const { before, decision } of asked) {
        expect(before).toBe(made === 0 ? undefined : states[made - 1]);
        if (!isRefusal(decision)) made += decision.length;
      }
    });
  });

  test("deciding is pure: the same state and command give the same decision and leave the state alone", () => {
    overLives(({ asked }) => {
      for (const { command, before, decision } of asked) {
        const kept = plain(before ?? null);
        expect(decide(before, command)).toEqual(decision);
        expect(plain(before ?? null)).toEqual(kept);
      }
    });
  });

  test("E1, E2: every event that is decided is valid, and comes back from its JSON text as it was", () => {
    overLives(({ recorded }) => {
      for (const { event } of recorded) {
        expect(EVENTS[event.type].parse(JSON.parse(JSON.stringify(event)))).toEqual(event);
        const { type, body } = encodeEvent(event);
        expect(checkEvent(type, body)).toBeUndefined();
        expect(decodeEvent(type, body)).toEqual(JSON.parse(JSON.stringify(event)));
      }
    });
  });

  test("E3: the journal, read back and folded from the start, gives the state that was lived", () => {
    overLives(({ agent, recorded, states }) => {
      const journal = recorded.map(({ event, ...place }) => {
        const { type, body } = encodeEvent(event);
        return { ...place, event: decodeEvent(type, body) };
      });
      let state: State | undefined;
      journal.forEach((each, index) => {
        state = evolve(agent, state, each);
        expect(plain(state)).toEqual(plain(states[index]));
      });
    });
  });

  test("E3: states stay what they were, also when another future is folded from each of them", () => {
    fc.assert(
      fc.property(plans(), plans({ length: 15 }), fc.nat(), (plan, { intents }, choice) => {
        const { agent, states, recorded } = live(plan);
        const kept = states.map(plain);
        const fork = choice % states.length;
        const other = goOn(states[fork], [...intents, { do: "revive", by: { kind: "person" } }]);
        expect(states.map(plain)).toEqual(kept);
        expect(plain(fold(agent, recorded))).toEqual(kept.at(-1));
        expect(plain(fold(agent, [...recorded.slice(0, fork + 1), ...other.recorded]))).toEqual(plain(other.state));
      }),
      RUNS,
    );
  });

  test("head commands decide and fold alike with and without the conversation at hand", () => {
    overLives(({ asked, recorded, states }) => {
      for (const { command, before, decision } of asked) {
        if (before && isHeadCommand(command)) expect(decideHead(before.head, command)).toEqual(decision);
      }
      recorded.forEach(({ event, ...place }, index) => {
        const before = states[index - 1];
        if (!before || !isHeadEvent(event)) return;
        expect({ ...before, head: evolveHead(before.head, { ...place, event }) }).toEqual(states[index]);
      });
    });
  });
});

describe("what is spent", () => {
  test("stays spent: cost, upper bounds, turns and usage never fall, and sum what the events say", () => {
    overLives(({ states, recorded }) => {
      let before: State | undefined;
      let costUsd = 0;
      states.forEach((state, index) => {
        const { head } = state;
        const event = recorded[index]?.event;
        if (event && "costUsd" in event && event.type !== "child.ended") costUsd += event.costUsd;
        else if (event?.type === "agent.cancelled" || event?.type === "agent.failed")
          costUsd += before?.head.reservedUsd ?? 0;
        expect(head.costUsd).toBeCloseTo(costUsd, 9);
        expect(head.estimatedUsd).toBeLessThanOrEqual(head.costUsd);
        if (before) {
          const past = before.head;
          expect(head.costUsd).toBeGreaterThanOrEqual(past.costUsd);
          expect(head.estimatedUsd).toBeGreaterThanOrEqual(past.estimatedUsd);
          expect(head.turns).toBeGreaterThanOrEqual(past.turns);
          for (const kind of ["input", "output", "cacheRead", "cacheWrite"] as const) {
            expect(head.usage[kind]).toBeGreaterThanOrEqual(past.usage[kind]);
          }
        }
        before = state;
      });
    });
  });

  test("N2: what is reserved is reserved for the call in flight of a living agent, and for nothing else", () => {
    overLives(({ states }) => {
      for (const { head, turn } of states) {
        expect(head.reservedUsd).toBe(hasEnded(head.status) ? 0 : (turn?.reservedUsd ?? 0));
      }
    });
  });
});

describe("the rules of decide, over whole lives", () => {
  test("D1: under a hold no turn starts", () => {
    overLives(({ asked, recorded, states }) => {
      recorded.forEach(({ event }, index) => {
        if (event.type === "turn.started") expect(states[index - 1]?.head.held).toBe(false);
      });
      for (const { command, decision } of asked) {
        if (command.do === "startTurn" && command.covered) expect(isRefusal(decision)).toBe(true);
      }
    });
  });

  test("D2: a message delivered twice is folded once", () => {
    overLives(({ recorded, state }) => {
      const ids = recorded.flatMap(({ event }) => (event.type === "message.received" ? [event.id] : []));
      expect(new Set(ids).size).toBe(ids.length);
      const shown = [...state.entries].flatMap((entry) => (entry.kind === "user" ? [entry.message.id] : []));
      const all = [...shown, ...state.inbox.map(({ id }) => id)];
      expect(new Set(all).size).toBe(all.length);
    });
  });

  test("D3: an agent completes only when no child lives, nothing is unread and nothing is in flight", () => {
    overLives(({ recorded, states }) => {
      recorded.forEach(({ event }, index) => {
        if (event.type !== "agent.completed") return;
        const before = states[index - 1];
        expect([before?.head.childrenLive, before?.inbox, before?.open, before?.turn]).toEqual([0, [], [], null]);
      });
    });
  });

  test("D4: a call has one end, and none starts that has ended", () => {
    overLives(({ recorded, states }) => {
      recorded.forEach(({ event }, index) => {
        if (event.type !== "tool.ended" && event.type !== "tool.started") return;
        const open = states[index - 1]?.open.find(({ call }) => call.callId === event.callId);
        expect(open?.state).toMatch(event.type === "tool.started" ? /^(asked|started)$/ : /^(asked|started|approval)$/);
      });
    });
  });

  test("D5: what an ended agent did stays; it goes on only by a message, a rewind or a revival", () => {
    const allowed = ["receive", "rewind", "revive"];
    overLives(({ asked, states }) => {
      let made = 0;
      for (const { command, before, decision } of asked) {
        if (isRefusal(decision)) continue;
        made += decision.length;
        const now = states[made - 1]?.head.status;
        if (!before || !now || !hasEnded(before.head.status) || hasEnded(now)) continue;
        expect(allowed).toContain(command.do);
        if (before.head.status === "cancelled") expect(command.do).toBe("rewind");
      }
    });
  });
});

describe("children", () => {
  test("are counted as they are: living ones are those that neither ended nor were cut", () => {
    overLives(({ states }) => {
      for (const { head, children } of states) {
        const living = [...children.values()].filter(({ ended, cut }) => !ended && !cut);
        expect([head.childrenLive, head.childrenTotal]).toEqual([living.length, children.size]);
      }
    });
  });

  test("that ended and were not cut have their report in the inbox until it is read, and once", () => {
    overLives(({ states }) => {
      for (const { children, inbox } of states) {
        const unread = [...children.values()].filter(({ ended, cut }) => ended && ended.takenSeq === undefined && !cut);
        const reports = inbox.filter(({ report }) => report).map(({ id }) => id);
        expect(reports.toSorted()).toEqual(unread.map(({ ended }) => ended?.message.id).toSorted());
      }
    });
  });
});

describe("the status", () => {
  test("waits exactly when nothing is to be done until something happens", () => {
    overLives(({ states }) => {
      for (const state of states) {
        const { status, waitingFor } = state.head;
        if (hasEnded(status)) continue;
        const step = nextStep(state);
        const putOff = step.do === "callModel" && step.notBefore > 0;
        expect({ step, status }).toEqual({
          step,
          status: status === "waiting" ? status : expect.not.stringMatching("waiting"),
        });
        expect(status === "waiting").toBe(step.do === "rest" || putOff);
        expect(waitingFor === "rateLimit").toBe(putOff);
        expect(waitingFor === null).toBe(status !== "waiting");
      }
    });
  });

  test("says for what it waits", () => {
    overLives(({ states }) => {
      for (const state of states) {
        const { waitingFor, childrenLive, mode } = state.head;
        const stands = state.open.filter((open) => open.state !== "ended");
        if (waitingFor === "approval") expect(stands.some((open) => open.state === "approval")).toBe(true);
        if (waitingFor === "children") expect(childrenLive).toBeGreaterThan(0);
        if (waitingFor !== "message") continue;
        const listens = state.interrupted || mode === "chat" || state.entries.length === 0;
        expect(listens || stands.some((open) => open.waitsFor === "message")).toBe(true);
      }
    });
  });

  test("runs only once a turn or a tool has started since it was queued", () => {
    overLives(({ recorded, states }) => {
      recorded.forEach(({ event }, index) => {
        const [before, now] = [states[index - 1]?.head.status, states[index]?.head.status];
        if (now === "running" && before !== "running") expect(event.type).toMatch(/^(turn|tool)\.started$/);
      });
    });
  });
});

describe("nextStep", () => {
  test("liveness: whatever happened, a runtime that takes its steps soon rests or ends", () => {
    fc.assert(
      fc.property(
        plans(),
        fc.infiniteStream(fc.record({ pick: fc.nat(1_000), also: fc.nat(1_000) })),
        (plan, chances) => {
          const { states } = live(plan);
          for (const state of [states.at(Math.floor(states.length / 2)), states.at(-1)]) {
            if (state) runToRest(state, chances);
          }
        },
      ),
      RUNS,
    );
  });
});

/** Takes steps until there are none. The model answers with calls ten times at the most, then with a text. */
function runToRest(from: State, chances: Iterator<{ pick: number; also: number }>): State {
  let state = from.head.held ? goOn(from, [{ do: "release", by: { kind: "person" } }]).state : from;
  for (let steps = 0; nextStep(state).do !== "rest"; steps++) {
    expect(steps).toBeLessThan(500);
    const { pick, also } = chances.next().value as { pick: number; also: number };
    const turns = state.head.turns - from.head.turns;
    const tired: Intent = {
      want: "step",
      pick: turns < 10 ? pick : 0,
      also: turns < 10 ? also : 5 * also + 1,
      yes: false,
      afterMs: 1,
    };
    const { asked, state: next } = goOn(state, [tired]);
    expect(asked.map(({ decision }) => decision)).toEqual([expect.any(Array)]);
    expect(next.head.seq).toBeGreaterThan(state.head.seq);
    state = next;
  }
  return state;
}
