/** Claude Codes in the pool: kept while agents rest, made ready before agents come, bounded by memory. */
import { describe, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { isHealthy } from "../../../src/coordinator/pool/health.ts";
import type { Running } from "../../../src/drivers/claude/running.ts";
import { asks, call, isInstalled, partOf, Stage, saidIn, seen, unmarked, WITH_SDK } from "./claude-code.ts";

const MIB = 2 ** 20;
const NEVER = new AbortController().signal;

describe.skipIf(!isInstalled)(WITH_SDK, { timeout: 60_000 }, () => {
  test("R7: an agent that rests keeps its Claude Code, which spends nothing and goes on when it is spoken to", async () => {
    await using stage = await Stage.set({ lead: (turn) => `Answer ${turn}.` });
    const banyan = await stage.open();
    const agent = await banyan.spawn({ driver: stage.claude(), instructions: "lead", task: "One.", mode: "chat" });
    let { seq } = await seen(agent, ({ type }) => type === "turn.ended");
    const [pid] = await stage.processes();
    for (const task of ["Two.", "Three."]) {
      await expect.poll(() => banyan.runtime.coordinator.pool.parked).toBe(1);
      await agent.send(task);
      ({ seq } = await seen(agent, ({ type }) => type === "turn.ended", { after: seq }));
    }
    expect(await stage.processes()).toEqual([pid]);
    expect(banyan.runtime.coordinator.pool.claims).toEqual({ parked: 2, ready: 0, waited: 0, cold: 1 });
    expect(stage.simulator.requests.answered).toBe(3);
    const prompts = stage.requests.map(({ messages }) => messages.map(unmarked));
    for (const [at, prompt] of prompts.entries()) expect(prompts[2]?.slice(0, prompt.length)).toEqual(prompts[at]);
    expect(stage.requests[2]?.messages.flatMap(saidIn)).toEqual(["One.", "Answer 0.", "Two.", "Answer 1.", "Three."]);
  });

  test("one that is killed while its agent rests is missed by nobody", async () => {
    await using stage = await Stage.set({ lead: (turn) => `Answer ${turn}.` });
    const banyan = await stage.open();
    const agent = await banyan.spawn({ driver: stage.claude(), instructions: "lead", task: "One.", mode: "chat" });
    const { seq } = await seen(agent, ({ type }) => type === "turn.ended");
    await expect.poll(() => banyan.runtime.coordinator.pool.parked).toBe(1);
    for (const pid of await stage.processes()) process.kill(pid, "SIGKILL");
    await stage.quiet();
    await agent.send("Two.");
    await seen(agent, ({ type }) => type === "turn.ended", { after: seq });
    expect(stage.requests.map(({ messages }) => messages.flatMap(saidIn))).toEqual([
      ["One."],
      ["One.", "Answer 0.", "Two."],
    ]);
  });

  test("a rewind while its agent rests is found in the state", async () => {
    await using stage = await Stage.set({ lead: (turn) => `Answer ${turn}.` });
    const banyan = await stage.open();
    const agent = await banyan.spawn({ driver: stage.claude(), instructions: "lead", task: "One.", mode: "chat" });
    const first = await seen(agent, ({ type }) => type === "turn.ended");
    await agent.send("Two.");
    const second = await seen(agent, ({ type }) => type === "turn.ended", { after: first.seq });
    await expect.poll(() => banyan.runtime.coordinator.pool.parked).toBe(1);
    await agent.rewind(first.seq);
    await agent.send("Another.");
    await seen(agent, ({ type }) => type === "turn.ended", { after: second.seq });
    expect(stage.requests[2]?.messages.flatMap(saidIn)).toEqual(["One.", "Answer 0.", "Another."]);
  });

  test("R6: one that was made ready has heard of no agent, and becomes any of its profile", async () => {
    await using stage = await Stage.set({ lead: () => "Done.", other: () => "Done." });
    const banyan = await stage.open();
    const { coordinator, claude } = banyan.runtime;
    const driver = stage.claude("Bash");
    // Without a task they rest.
    const one = await banyan.spawn({ driver, instructions: "lead" });
    const other = await banyan.spawn({ driver, instructions: "other" });
    const profile = claude.profile?.(await coordinator.state(one.id));
    const same = claude.profile?.(await coordinator.state(other.id));
    expect(profile?.key).toBe(same?.key);
    const warm = await profile?.warm?.(NEVER);
    expect(stage.requests).toEqual([]);
    expect(warm?.healthy?.()).toBe(true);
    const bytes = (await warm?.memoryBytes?.()) ?? 0;
    expect(bytes).toBeGreaterThan(30 * MIB);
    expect(bytes).toBeLessThan(500 * MIB);
    const before = await stage.processes();
    const state = await coordinator.state(other.id);
    const session = await claude.open(state, { warm });
    session.worstCase(state);
    const turn = () => session.turn(state, { signal: NEVER });
    let outcome = await turn();
    if (outcome.outcome === "withheld") {
      session.worstCase(state);
      outcome = await turn();
    }
    expect(outcome).toMatchObject({ outcome: "done", parts: [{ text: "Done." }] });
    expect(await stage.processes()).toEqual(before);
    expect(stage.requests.map(partOf)).toEqual(["other"]);
    await session.close();
    expect(await stage.processes()).toEqual([]);
  });

  test("one that stands still is seen to, though its process lives", async () => {
    await using stage = await Stage.set({});
    const banyan = await stage.open();
    const { coordinator, claude } = banyan.runtime;
    const agent = await banyan.spawn({ driver: stage.claude(), instructions: "lead" });
    const warm = (await claude.profile?.(await coordinator.state(agent.id))?.warm?.(NEVER)) as Running;
    const asked = { healthy: () => warm.program.ping().then(() => warm.isWell), close: () => warm.close() };
    expect(await isHealthy(systemClock(), asked)).toBe(true);
    const pid = warm.program.pid as number;
    process.kill(pid, "SIGSTOP");
    expect(await isHealthy(systemClock(), asked)).toBe(false);
    expect(warm.isWell).toBe(true);
    await warm.close();
    expect(await stage.processes()).toEqual([]);
  });

  test("Y3: tenants have environments, homes and sessions of their own", async () => {
    await using stage = await Stage.set({
      lead: (turn) =>
        turn === 0 ? asks(call("Bash", { command: "echo $REGION $ANTHROPIC_API_KEY $HOME >> ran" })) : "Done.",
    });
    const environmentOf = (tenant: string) => ({ REGION: `of-${tenant}`, HOME: "/", ANTHROPIC_API_KEY: "theirs" });
    const banyan = await stage.open({ claude: { environmentOf } });
    const spawn = (tenant: string) =>
      banyan.spawn({ driver: stage.claude("Bash"), instructions: "lead", task: "Go.", tenant, mode: "chat" });
    const agents = await Promise.all([spawn("one"), spawn("other")]);
    await Promise.all(agents.map((agent) => seen(agent, ({ type }) => type === "tool.ended")));
    const ran = (await stage.lines("ran")).map((line) => line.split(" "));
    expect(ran.map(([region]) => region).toSorted()).toEqual(["of-one", "of-other"]);
    expect(new Set(ran.map(([, key]) => key)).size).toBe(2);
    expect(ran.flat()).not.toContain("theirs");
    expect(new Set(ran.map(([, , home]) => home)).size).toBe(2);
    const states = await Promise.all(agents.map(({ id }) => banyan.runtime.coordinator.state(id)));
    const keys = states.map((state) => banyan.runtime.claude.profile?.(state)?.key);
    expect(keys[0]).not.toBe(keys[1]);
  });

  test("more agents than there is memory for take turns, and all finish", async () => {
    await using stage = await Stage.set({
      lead: (turn) => (turn < 2 ? asks(call("Bash", { command: "echo ran >> ran" })) : "Done."),
    });
    // For two, as they are charged at first; as they are measured later, for a few more.
    const memoryBytesMax = 380 * MIB;
    const banyan = await stage.open({ pool: { memoryBytesMax } });
    const { coordinator } = banyan.runtime;
    let most = 0;
    coordinator.watchPool(() => {
      most = Math.max(most, coordinator.pool.memoryBytes);
    });
    const driver = stage.claude("Bash");
    const agents = await Promise.all(
      Array.from({ length: 6 }, (_, at) => banyan.spawn({ name: `a${at}`, driver, instructions: "lead", task: "Go." })),
    );
    const results = await Promise.all(agents.map((agent) => agent.result()));
    expect(results.map(({ status }) => status)).toEqual(agents.map(() => "completed"));
    expect(await stage.lines("ran")).toHaveLength(12);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(memoryBytesMax);
    await stage.leaves(banyan);
  });
});
