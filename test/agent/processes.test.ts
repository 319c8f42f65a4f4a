import { describe, expect, test } from "vitest";
import { decide, isRefusal } from "../../src/agent/decide.ts";
import { endText, isLive, outputNameOf, processesOf } from "../../src/agent/processes.ts";
import type { State } from "../../src/agent/state.ts";
import { waitIsOver, waitResult } from "../../src/agent/waits.ts";
import { LIMITS } from "../../src/base/limits.ts";
import {
  AGENT,
  answer,
  call,
  creation,
  endProcess,
  idOf,
  PERSON,
  receive,
  rewindTo,
  startProcess,
  startTurn,
} from "../support/commands.ts";
import { after } from "../support/journeys.ts";

const server = startProcess(1, "server");
const created = after(undefined, creation(), receive(1));
const serving = after(created, server);
const refusal = (state: State, ...[command]: [Parameters<typeof decide>[1]]) => {
  const decision = decide(state, command);
  return isRefusal(decision) ? decision.refused : decision.map(({ type }) => type);
};

describe("starting", () => {
  test("a name serves one process that runs at a time", () => {
    expect(refusal(serving, startProcess(2, "server"))).toBe("NAME_INVALID");
    const ended = after(serving, endProcess(server.id));
    expect(refusal(ended, startProcess(2, "server"))).toEqual(["process.started"]);
  });

  test("the same start twice is one", () => {
    expect(refusal(serving, server)).toEqual([]);
  });

  test("no more than so many run, and no more than so many are remembered", () => {
    let state = created;
    for (let i = 0; i < LIMITS.processesLiveMax; i++) state = after(state, startProcess(i));
    expect(refusal(state, startProcess(1_000))).toBe("CONTENT_TOO_LARGE");
    state = created;
    for (let i = 0; i < LIMITS.processesKeptMax + 5; i++) {
      const start = startProcess(i);
      state = after(state, start, ...(i > 3 ? [endProcess(start.id)] : []));
    }
    expect(state.processes).toHaveLength(LIMITS.processesKeptMax);
    expect(processesOf(state).filter(isLive)).toHaveLength(4);
  });

  test("B2: none for an agent that has ended, at first or again", () => {
    const backingOff = after(serving, endProcess(server.id, { restartTime: 5 }));
    const again = { do: "restartProcess", id: server.id, pid: 7 } as const;
    expect(refusal(backingOff, again)).toEqual(["process.restarted"]);
    expect(refusal(serving, again)).toBe("PROCESS_NOT_FOUND");
    const cancelled = after(backingOff, { do: "cancel", by: PERSON, reason: "" });
    expect(refusal(cancelled, again)).toBe("AGENT_ENDED");
    expect(refusal(cancelled, startProcess(2))).toBe("AGENT_ENDED");
  });
});

describe("ending", () => {
  test("B3: the agent is told of an end for good, in the same append", () => {
    const ended = after(serving, endProcess(server.id, { told: "It ended with exit 0." }));
    expect(ended.inbox.at(-1)).toMatchObject({
      from: { kind: "runtime", name: "process server" },
      content: "It ended with exit 0.",
    });
    expect(ended.head.processes).toBe(0);
  });

  test("B3: it is not told of one that starts again", () => {
    const again = after(serving, endProcess(server.id, { restartTime: 5 }));
    expect(again.inbox).toHaveLength(1);
    expect(again.head.processes).toBe(1);
  });

  test("B2, B3: of an agent that has ended it is journaled, without a restart and without waking it", () => {
    const cancelled = after(serving, { do: "cancel", by: PERSON, reason: "" });
    const decision = decide(cancelled, endProcess(server.id, { how: "stopped", restartTime: 5 }));
    expect(decision).toEqual([{ type: "process.ended", id: server.id, how: "stopped", code: 0 }]);
    expect(after(cancelled, endProcess(server.id)).head).toMatchObject({ status: "cancelled", processes: 0 });
  });

  test("B4: what a run put out is an artifact in the same append, and the next run's takes its place", () => {
    const put = (digit: number, bytes: number) => ({ output: { digest: `sha256:${String(digit).repeat(64)}`, bytes } });
    const ended = decide(serving, endProcess(server.id, { ...put(1, 5), named: true, told: "It ended." }));
    expect(ended).toMatchObject([
      { type: "process.ended", ...put(1, 5) },
      {
        type: "artifact.written",
        artifact: { name: "server.output", ...put(1, 5).output, mediaType: "text/plain" },
        process: server.id,
      },
      { type: "message.received" },
    ]);
    const again = after(serving, endProcess(server.id, { ...put(1, 5), named: true, restartTime: 5 }));
    expect(again.head).toMatchObject({ artifacts: [{ bytes: 5 }], activity: serving.head.activity });
    const twice = after(
      again,
      { do: "restartProcess", id: server.id, pid: 7 },
      endProcess(server.id, { ...put(2, 6), named: true }),
    );
    expect(twice.head.artifacts).toEqual([{ name: "server.output", ...put(2, 6).output, mediaType: "text/plain" }]);
  });

  test("B4: nothing is named for a run without output, for one that a rewind cut, or beyond the names that an agent may have", () => {
    const output = { digest: `sha256:${"1".repeat(64)}`, bytes: 5 };
    expect(refusal(serving, endProcess(server.id, { named: true, told: undefined }))).toEqual(["process.ended"]);
    const cut = after(created, startTurn(), answer("Well.", call("c")), server, rewindTo(0));
    expect(refusal(cut, endProcess(server.id, { named: true, output }))).toEqual(["process.ended"]);
    const artifacts = Array.from({ length: LIMITS.artifactsMax }, (_, at) => ({
      name: `a${at}`,
      ...output,
      mediaType: "text/plain",
    }));
    const full = { ...serving, head: { ...serving.head, artifacts } };
    expect(refusal(full, endProcess(server.id, { named: true, output, told: undefined }))).toEqual(["process.ended"]);
    const long = outputNameOf("s".repeat(LIMITS.nameLengthMax));
    expect(long).toHaveLength(LIMITS.nameLengthMax);
  });

  test("twice is once, and of no process is refused", () => {
    expect(refusal(after(serving, endProcess(server.id)), endProcess(server.id))).toEqual([]);
    expect(refusal(serving, endProcess(idOf(9)))).toBe("PROCESS_NOT_FOUND");
  });
});

describe("rewinds and forks", () => {
  test("B1: a rewind to before its start cuts it, and its end tells nobody", () => {
    const said = after(created, startTurn(), answer("Well.", call("c")), server);
    const rewound = after(said, rewindTo(0));
    expect(processesOf(rewound)).toEqual([]);
    expect(rewound.head.processes).toBe(1);
    const ended = after(rewound, endProcess(server.id, { restartTime: 5 }));
    expect(ended.head.processes).toBe(0);
    expect(ended.inbox.map(({ id }) => id)).toEqual(rewound.inbox.map(({ id }) => id));
  });

  test("B1: a rewind to after its start leaves it", () => {
    const said = after(serving, startTurn(), answer("Well.", call("c")));
    const rewound = after(said, rewindTo(said.head.seq));
    expect(processesOf(rewound).map(({ name }) => name)).toEqual(["server"]);
  });

  test("B1: a fork has none", () => {
    const fork = after(serving, {
      do: "fork",
      origin: { agent: AGENT, seq: serving.head.seq },
      parent: null,
      root: AGENT,
      level: 0,
      name: "twin",
      children: {},
      by: PERSON,
    });
    expect(fork.processes).toBeUndefined();
    expect(fork.head.processes).toBeUndefined();
  });
});

describe("waiting for a process", () => {
  const wait = call("w", "wait_for_process", { json: { name: "server" } });
  const waiting = after(serving, startTurn(), answer(wait), {
    do: "startTool",
    callId: "w",
    waitsFor: "process",
  });
  const open = (state: State) => state.open.find(({ call }) => call.callId === "w") ?? expect.fail("it is open");

  test("shows as such, and is over when the process has ended for good", () => {
    expect(waiting.head).toMatchObject({ status: "waiting", waitingFor: "process" });
    expect(waitIsOver(waiting, open(waiting))).toBe(false);
    const again = after(waiting, endProcess(server.id, { restartTime: 5 }));
    expect(waitIsOver(again, open(again))).toBe(false);
    const over = after(again, { do: "restartProcess", id: server.id, pid: 8 }, endProcess(server.id, { code: 2 }));
    expect(waitIsOver(over, open(over))).toBe(true);
    expect(waitResult(over, open(over))).toEqual({ content: "server ended: exit 2", took: [] });
  });

  test("of a process that is not the agent's is over at once", () => {
    const stranger = { ...waiting, processes: undefined };
    expect(waitIsOver(stranger, open(stranger))).toBe(true);
    expect(waitResult(stranger, open(stranger)).content).toBe("You have no such process any more.");
  });
});

test.each([
  [{ how: "exited", code: 3 }, "exit 3"],
  [{ how: "signalled", signal: "SIGSEGV" }, "signal SIGSEGV"],
  [{ how: "hung", why: "no heartbeat for 412 ms" }, "ended because it hung (no heartbeat for 412 ms)"],
  [{ how: "lost" }, "ended with the runtime"],
] as const)("an end in words: %j", (last, text) => {
  expect(endText({ last })).toBe(text);
});
