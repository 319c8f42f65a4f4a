/** What people and limits do to agents of Claude Code: hold, cancel, fork, rewind, budgets, and a provider that puts them off. */
import { hostname } from "node:os";
import { describe, expect, test } from "vitest";
import { messaging, spawning } from "../../../src/index.ts";
import { asks, call, isInstalled, NOT_KEPT, type Part, Stage, saidIn, seen, WITH_SDK } from "./claude-code.ts";

const RUNS_ONCE: Part = (turn) => (turn === 0 ? asks(call("Bash", { command: "echo ran >> ran" })) : "Done.");

describe.skipIf(!isInstalled)(WITH_SDK, { timeout: 60_000 }, () => {
  test("under a hold neither a call nor a tool starts; released, the tool runs once", async () => {
    await using stage = await Stage.set({
      lead: (turn, request) =>
        turn === 0
          ? { ...asks(call("Bash", { command: "echo ran >> ran" })), durationMs: 500 }
          : RUNS_ONCE(turn, request),
    });
    const banyan = await stage.open();
    const agent = await banyan.spawn({ driver: stage.claude("Bash"), instructions: "lead", task: "Go." });
    await seen(agent, ({ type }) => type === "turn.started");
    await agent.pause();
    await seen(agent, ({ type }) => type === "turn.ended" || type === "turn.withdrawn");
    expect(await stage.lines("ran")).toEqual([]);
    const asked = stage.requests.length;
    await agent.resume();
    expect(await agent.result()).toMatchObject({ status: "completed", output: "Done." });
    expect(await stage.lines("ran")).toEqual(["ran"]);
    expect(stage.requests.length).toBe(asked + (asked === 0 ? 2 : 1));
  });

  test("a command that a person must allow waits without a process, and runs once when it is allowed", async () => {
    await using stage = await Stage.set({ lead: RUNS_ONCE });
    const banyan = await stage.open(NOT_KEPT);
    const agent = await banyan.spawn({
      driver: stage.claude("Bash"),
      instructions: "lead",
      task: "Go.",
      askFirst: ["Bash"],
    });
    const { event } = await seen(agent, ({ type }) => type === "tool.asked");
    await stage.quiet();
    expect(await stage.lines("ran")).toEqual([]);
    await agent.answer(event.type === "tool.asked" ? event.callId : "", "rerun");
    expect(await agent.result()).toMatchObject({ status: "completed", output: "Done." });
    expect(await stage.lines("ran")).toEqual(["ran"]);
    expect(stage.requests).toHaveLength(2);
  });

  test("Y1: what its own rules do not let pass waits for a person, and the model is told why it was denied", async () => {
    await using stage = await Stage.set({
      lead: (turn) =>
        turn < 2
          ? asks(call("Read", { file_path: "/etc/hostname" }), call("Bash", { command: "echo ran >> ran" }))
          : "Done.",
    });
    const banyan = await stage.open();
    const driver = { ...stage.claude("Bash", "Read"), asksBeyond: true };
    const agent = await banyan.spawn({ driver, instructions: "lead", task: "Go." });
    const first = await seen(agent, ({ type }) => type === "tool.asked");
    await seen(agent, ({ type }) => type === "tool.ended");
    expect(first.event).toMatchObject({ unrun: true, question: expect.stringContaining("/etc/hostname") });
    await expect.poll(() => banyan.runtime.coordinator.forest.get(agent.id)?.head.waitingFor).toBe("approval");
    await agent.answer(callOf(first), "report", { reason: "Ask the host itself." });
    const second = await seen(agent, ({ type }) => type === "tool.asked", { after: first.seq });
    await agent.answer(callOf(second), "rerun");
    expect(await agent.result()).toMatchObject({ status: "completed", output: "Done." });
    const said = stage.requests.map(({ messages }) => messages.slice(2).flatMap(saidIn));
    const [denied, behind] = said[1] ?? [];
    expect(denied).toBe("! Denied: a person did not allow this. Ask the host itself.");
    expect(behind).toMatch(/It did not run: a call before it waits for a person/);
    expect(said[2]?.at(-2)).toContain(hostname());
    expect(await stage.lines("ran")).toEqual([]);
  });

  test("a cancel ends Claude Code and what it runs within a second", async () => {
    await using stage = await Stage.set({
      lead: () => asks(call("Bash", { command: "echo ran >> ran; sleep 300" })),
    });
    const banyan = await stage.open();
    const agent = await banyan.spawn({ driver: stage.claude("Bash"), instructions: "lead", task: "Go." });
    await seen(agent, ({ type }) => type === "tool.started");
    await expect.poll(() => stage.lines("ran"), { timeout: 20_000 }).toEqual(["ran"]);
    expect((await stage.processes()).length).toBeGreaterThan(1);
    const started = performance.now();
    await agent.cancel();
    await expect.poll(() => stage.processes(), { interval: 20 }).toEqual([]);
    expect(performance.now() - started).toBeLessThan(1_000);
    expect(await agent.result()).toMatchObject({ status: "cancelled" });
  });

  test("a message that comes while tools run is read with their results", async () => {
    await using stage = await Stage.set({
      lead: (turn) =>
        turn === 0 ? asks(call("Bash", { command: "until test -e go; do sleep 0.05; done" })) : "Noted.",
    });
    const banyan = await stage.open();
    const agent = await banyan.spawn({ driver: stage.claude("Bash"), instructions: "lead", task: "Go." });
    await seen(agent, ({ type }) => type === "tool.started");
    await agent.send("Mind the gap.");
    await stage.write("go");
    expect(await agent.result()).toMatchObject({ status: "completed", output: "Noted." });
    expect(JSON.stringify(stage.requests[1]?.messages.at(-1))).toContain("Mind the gap.");
  });

  test("forks of one session each have its past, and go their own ways", async () => {
    await using stage = await Stage.set({ lead: (turn) => (turn === 0 ? "First." : "Another.") });
    const banyan = await stage.open({ forksPerMinute: 100, pool: { memoryBytesMax: 2 ** 30 } });
    const agent = await banyan.spawn({ driver: stage.claude(), instructions: "lead", task: "Go.", mode: "chat" });
    const { seq } = await seen(agent, ({ type }) => type === "turn.ended");
    const forks = await Promise.all(
      Array.from({ length: FORKS }, (_, at) => agent.fork({ at: seq, task: `Way ${at}.` })),
    );
    await Promise.all(forks.map((fork) => seen(fork, ({ type }) => type === "turn.ended")));
    const told = stage.requests.slice(1).map(({ messages }) => messages.flatMap(saidIn).join(" "));
    expect(told.toSorted()).toEqual(forks.map((_, at) => `Go. First. Way ${at}.`).toSorted());
  });

  test("R3: what a fork sends begins with what its origin sent, calls and results of both kinds included", async () => {
    await using stage = await Stage.set({
      lead: (turn) => {
        if (turn === 0)
          return asks(
            { type: "thinking", thinking: "Hm.", signature: "c2ln" },
            { type: "text", text: "Let me see." },
            call("list_agents", {}, { banyan: true }),
            // Ends after the next one: results are said as they come.
            call("Bash", { command: "sleep 0.3; echo one" }),
            call("Bash", { command: "false" }),
          );
        return turn === 1 ? "First." : "Another.";
      },
    });
    const banyan = await stage.open();
    const driver = stage.claude("Bash");
    const tools = [spawning()];
    const agent = await banyan.spawn({ driver, instructions: "lead", task: "Go.", mode: "chat", tools });
    const first = await seen(agent, ({ type }) => type === "turn.ended");
    const { seq } = await seen(agent, ({ type }) => type === "turn.ended", { after: first.seq });
    const fork = await agent.fork({ at: seq, task: "Go on." });
    await seen(fork, ({ type }) => type === "turn.ended", { after: seq });
    const [, origin, forked] = stage.requests.map(({ system, tools, messages }) => ({ system, tools, messages }));
    const { messages, ...prefix } = unmarkedAll(forked);
    expect({ ...prefix, messages: messages.slice(0, origin?.messages.length) }).toEqual(unmarkedAll(origin));
    expect(messages.slice(-2).map(({ role }) => role)).toEqual(["assistant", "user"]);
  });

  test("a budget is never overshot: the call that does not fit is not made", async () => {
    await using stage = await Stage.set({
      lead: () => asks({ type: "text", text: "word ".repeat(400) }, call("wait_for_message", {}, { banyan: true })),
    });
    const banyan = await stage.open();
    const budget = { costUsd: 0.2 };
    const agent = await banyan.spawn({
      driver: stage.claude(),
      instructions: "lead",
      task: "Go.",
      tools: [messaging()],
      outputTokensMax: 2_000,
      budget,
    });
    for (let after = 0; ; ) {
      const { event, seq } = await seen(agent, ({ type }) => ["tool.started", "agent.failed"].includes(type), {
        after,
      });
      if (event.type === "agent.failed") break;
      after = seq;
      await agent.send("More.");
    }
    const { error, costUsd } = await agent.result();
    expect(error?.code).toBe("BUDGET_EXHAUSTED");
    expect(costUsd).toBeGreaterThan(0.01);
    expect(costUsd).toBeLessThanOrEqual(budget.costUsd);
  });

  test("a storm of 429 and 529 is waited out by all; no Claude Code is started anew for it", async () => {
    const AGENTS = 6;
    const STORM = 24;
    // The first calls are all refused, by turns for what the account and for what the provider cannot bear.
    const faults = (_: unknown, nth: number) => {
      if (nth > STORM) return undefined;
      return nth % 2 === 0 ? ({ kind: "rateLimit", retryAfterMs: 0 } as const) : ({ kind: "overloaded" } as const);
    };
    await using stage = await Stage.set({ lead: RUNS_ONCE }, faults);
    const banyan = await stage.open();
    const agents = await Promise.all(
      Array.from({ length: AGENTS }, (_, at) =>
        banyan.spawn({ name: `a${at}`, driver: stage.claude("Bash"), instructions: "lead", task: "Go." }),
      ),
    );
    const results = await Promise.all(agents.map((agent) => agent.result()));
    expect(results).toEqual(agents.map(() => expect.objectContaining({ status: "completed", turns: 2 })));
    expect(await stage.lines("ran")).toHaveLength(AGENTS);
    expect(stage.simulator.requests.answered).toBe(2 * AGENTS);
    expect(banyan.runtime.coordinator.pool.claims.cold).toBe(AGENTS);
  });

  test("429 and 529 are waited out with the call that was made; Claude Code never hears of them", async () => {
    const faults = (_: unknown, nth: number) => {
      if (nth === 1) return { kind: "rateLimit", retryAfterMs: 0 } as const;
      return nth === 2 || nth === 4 ? ({ kind: "overloaded" } as const) : undefined;
    };
    await using stage = await Stage.set({ lead: RUNS_ONCE }, faults);
    const banyan = await stage.open();
    const agent = await banyan.spawn({ driver: stage.claude("Bash"), instructions: "lead", task: "Go." });
    await seen(agent, ({ type }) => type === "turn.failed");
    const [first] = await stage.processes();
    await seen(agent, ({ type }) => type === "tool.started");
    expect(await stage.processes()).toContain(first);
    expect(await agent.result()).toMatchObject({ status: "completed", turns: 2 });
    expect(stage.simulator.requests).toMatchObject({ calls: 5, answered: 2 });
    expect(await stage.lines("ran")).toEqual(["ran"]);
  });
});

/** Without the marks of the cache, which move. */
function unmarkedAll<Request>(request: Request | undefined): Request {
  return JSON.parse(JSON.stringify(request, (key, value) => (key === "cache_control" ? undefined : value)));
}

const callOf = ({ event }: { event: object }) => (event as { callId: string }).callId;

const FORKS = Number(process.env.CLAUDE_FORKS ?? 20);
