/**
 * Tools that never return and tools that do not stop when they are told to. What is attacked: invariants 6 (what has ended leaves
 * nothing that its agent waits for) and 8 (a tool runs once for a call, also when it was running while the process stopped) of
 * docs/architecture.md, section 6, and that no verb waits for a tool.
 */
import { expect, test } from "vitest";
import { LIMITS } from "../../src/base/limits.ts";
import { scriptedMind } from "../../src/simulator/scripted.ts";
import { probe } from "../support/probe.ts";
import { openProviderWorld, saidBefore } from "./provider-world.ts";

const TIMEOUT_MS = 60_000;

/** It calls the tool once, and then says what the tool's result was. */
const mind = scriptedMind((request) => {
  if (saidBefore(request) === 0) return { content: [{ type: "tool_use", name: "work", input: {} }] };
  const last = JSON.stringify(request.messages.at(-1));
  return /interrupted|TIMED_OUT|unknown/i.exec(last)?.[0].toLowerCase() ?? last;
});

/** One that waits for its signal, and one that is deaf to it. */
const kinds = {
  "that never returns": (timeMsMax?: number) =>
    probe("work", {
      ...(timeMsMax && { timeMsMax }),
      run: (_input, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    }),
  "that ignores its signal": (timeMsMax?: number) => probe("work", { stuck: true, ...(timeMsMax && { timeMsMax }) }),
};

for (const [kind, make] of Object.entries(kinds)) {
  test(`a tool ${kind} ends by its time limit, and the agent goes on`, { timeout: TIMEOUT_MS }, async () => {
    for (const timeMsMax of [5_000, undefined]) {
      const tool = make(timeMsMax);
      // The limit of all tools is ten minutes.
      await using world = await openProviderWorld({ mind, tools: [tool], times: timeMsMax ? 50 : 1_000 });
      const agent = await world.spawn({ name: "lone", task: "go", tools: [tool] });
      const fromMs = world.clock.monotonic();
      expect(await agent.result()).toMatchObject({ status: "completed", output: "timed_out" });
      expect(world.clock.monotonic() - fromMs).toBeGreaterThanOrEqual(timeMsMax ?? LIMITS.toolMsMax);
      expect([tool.runs.length, tool.signal?.aborted]).toEqual([1, true]);
    }
  });

  test(`a tool ${kind} is interrupted, and the agent goes on when it is told to`, { timeout: TIMEOUT_MS }, async () => {
    const tool = make();
    await using world = await openProviderWorld({ mind, tools: [tool], times: 1 });
    const agent = await world.spawn({ name: "lone", task: "go", tools: [tool] });
    await tool.started;
    expect(await agent.interrupt()).toBe(1);
    await agent.resume().catch(() => undefined);
    expect(await agent.result()).toMatchObject({ status: "completed", output: "interrupted" });
    expect(tool.runs).toHaveLength(1);
  });

  test(`6: a tool ${kind} does not keep its agent from being cancelled`, { timeout: TIMEOUT_MS }, async () => {
    const tool = make();
    await using world = await openProviderWorld({ mind, tools: [tool], times: 1 });
    const agent = await world.spawn({ name: "lone", task: "go", tools: [tool] });
    await tool.started;
    await agent.cancel();
    expect(agent.status).toBe("cancelled");
    expect([tool.runs.length, tool.signal?.aborted]).toEqual([1, true]);
  });

  test(`8: a tool ${kind} does not keep the process from stopping; the next one tells the model`, {
    timeout: TIMEOUT_MS,
  }, async () => {
    const tool = make();
    await using world = await openProviderWorld({ mind, tools: [tool], times: 1 });
    const agent = await world.spawn({ name: "lone", task: "go", tools: [tool] });
    await tool.started;
    await world.reopen();
    const ended = await world.runtime.coordinator.ended(agent.id);
    expect([ended.status, ended.output]).toEqual(["completed", "unknown"]);
    expect(tool.runs).toHaveLength(1);
  });
}
