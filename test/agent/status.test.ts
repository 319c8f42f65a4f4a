import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Command } from "../../src/agent/commands.ts";
import type { State } from "../../src/agent/state.ts";
import { hasEnded, mayFollow, STATUSES, type Status, shownStatus, TRANSITIONS, WAITS } from "../../src/agent/status.ts";
import { answer, call, creation, failTurn, PERSON, receive, rewindTo, startTurn } from "../support/commands.ts";
import { after, goOn, live, plans } from "../support/journeys.ts";

/** What an agent's own state can be; `held` is laid over it when it is shown, `starting` is that of a driver's session. */
const OWN = STATUSES.filter((status) => status !== "held" && status !== "starting");

const task = after(undefined, creation(), receive(1));
const chat = after(undefined, creation({ mode: "chat" }), receive(1));
const inFlight = after(task, startTurn());
const waiting = after(chat, startTurn(), answer("Hello."));
const final = after(inFlight, answer("Done."));
const interrupted = after(inFlight, { ...answer("Do"), outcome: "interrupted" });
const calling = after(inFlight, answer(call("a")));

const fail: Command = { do: "fail", error: { code: "TOOL_FAILED", message: "no" } };
const cancel: Command = { do: "cancel", by: PERSON, reason: "" };
const revive: Command = { do: "revive", by: PERSON };
const complete: Command = { do: "complete", output: "Done." };
const lastOf = (state: State) => rewindTo([...state.entries].at(-1)?.seq ?? 0);
const completed = after(final, complete);

/** One way to each transition of the table that an agent's own state makes. */
const WAYS: readonly [Status, Status, State, Command][] = [
  ["queued", "running", task, startTurn()],
  ["queued", "waiting", after(calling, fail, revive), { do: "startTool", callId: "a", waitsFor: "message" }],
  ["queued", "completed", after(completed, lastOf(final)), complete],
  ["queued", "failed", task, fail],
  ["queued", "cancelled", task, cancel],
  ["running", "queued", final, lastOf(final)],
  ["running", "waiting", inFlight, failTurn()],
  ["running", "completed", final, complete],
  ["running", "failed", inFlight, fail],
  ["running", "cancelled", inFlight, cancel],
  ["waiting", "queued", waiting, receive(2)],
  ["waiting", "running", after(inFlight, failTurn()), startTurn()],
  ["waiting", "failed", waiting, fail],
  ["waiting", "cancelled", waiting, cancel],
  ["completed", "queued", completed, receive(2)],
  ["completed", "waiting", completed, rewindTo(0)],
  ["failed", "queued", after(inFlight, fail), revive],
  ["failed", "waiting", after(waiting, fail), lastOf(waiting)],
  ["cancelled", "queued", after(final, cancel), lastOf(final)],
  ["cancelled", "waiting", after(waiting, cancel), lastOf(waiting)],
];

describe("E4: the table of statuses", () => {
  test.each(WAYS)("%s -> %s happens", (from, to, state, command) => {
    expect([state.head.status, goOn(state, [command]).state.head.status]).toEqual([from, to]);
  });

  test("has no transition that never happens, and every one that does", () => {
    const listed = OWN.flatMap((from) =>
      OWN.filter((to) => TRANSITIONS[from][to] !== undefined).map((to) => `${from} -> ${to}`),
    );
    expect(WAYS.map(([from, to]) => `${from} -> ${to}`)).toEqual(listed);
  });

  test("covers every step of every life; no own status is ever starting or held", () => {
    fc.assert(
      fc.property(plans(), (plan) => {
        let before: Status | undefined;
        for (const { head } of live(plan).states) {
          if (before) expect(mayFollow(before, head.status)).toBe(true);
          expect(OWN).toContain(head.status);
          before = head.status;
        }
      }),
      { numRuns: 100 },
    );
  });

  test("says when each transition happens, and knows no status that is not one", () => {
    expect(Object.keys(TRANSITIONS)).toEqual([...STATUSES]);
    for (const [from, row] of Object.entries(TRANSITIONS)) {
      for (const [to, when] of Object.entries(row)) {
        expect(STATUSES).toContain(to);
        expect(to).not.toBe(from);
        expect(when).toMatch(/^[a-z].{8,}[^.]$/);
      }
    }
  });

  test("an ended agent goes on only by way of the queue or a wait; held covers exactly what has not ended", () => {
    for (const from of STATUSES.filter(hasEnded)) expect(Object.keys(TRANSITIONS[from])).toEqual(["queued", "waiting"]);
    for (const status of STATUSES) {
      expect(shownStatus(status, true)).toBe(hasEnded(status) ? status : "held");
      expect(shownStatus(status, false)).toBe(status);
      if (status !== "held" && !hasEnded(status))
        expect(mayFollow(status, "held") && mayFollow("held", status)).toBe(true);
    }
  });

  test("allows staying, and nothing that is not in it", () => {
    for (const status of STATUSES) expect(mayFollow(status, status)).toBe(true);
    expect(mayFollow("completed", "running")).toBe(false);
    expect(mayFollow("cancelled", "completed")).toBe(false);
  });
});

describe("what an agent waits for", () => {
  const wait = (waitsFor: "children" | "message") =>
    after(calling, { do: "spawn", child: "0".repeat(26), name: "w" }, { do: "startTool", callId: "a", waitsFor });
  test.each([
    ["rateLimit", after(inFlight, failTurn({ putOff: true }))],
    ["approval", after(calling, { do: "startTool", callId: "a" }, { do: "askTool", callId: "a", question: "?" })],
    ["children", wait("children")],
    ["children", after(final, { do: "spawn", child: "0".repeat(26), name: "w" }, { do: "nameCheckpoint", name: "c" })],
    ["message", wait("message")],
    ["message", waiting],
    ["message", interrupted],
    ["message", after(undefined, creation())],
    [null, after(undefined, creation({ speaksFirst: true }))],
    [null, task],
    [null, inFlight],
    [null, completed],
  ])("is %s", (waitingFor, state) => {
    expect(state.head.waitingFor).toBe(waitingFor);
    if (waitingFor !== null) expect(WAITS).toContain(waitingFor);
  });

  test("an approval is said before the wait beside it: a person can act on it", () => {
    const both = after(inFlight, answer(call("a"), call("b")));
    const state = after(
      both,
      { do: "startTool", callId: "a", waitsFor: "message" },
      { do: "askTool", callId: "b", question: "?" },
    );
    expect(state.head.waitingFor).toBe("approval");
  });
});
