/** Agents that the real Claude Code executes, as nodes of a tree. */
import { describe, expect, test } from "vitest";
import { artifacts, spawning } from "../../../src/index.ts";
import type { MessagesRequest } from "../../../src/simulator/messages-api.ts";
import { asks, call, isInstalled, type Part, partOf, Stage, saidIn, seen, unmarked, WITH_SDK } from "./claude-code.ts";

const LEVELS = Number(process.env.CLAUDE_LEVELS ?? 12);

describe.skipIf(!isInstalled)(WITH_SDK, { timeout: 60_000 }, () => {
  test("a turn is one model call; tools of both kinds are journaled before they run", async () => {
    await using stage = await Stage.set({
      lead: (turn) =>
        turn === 0
          ? asks(
              { type: "thinking", thinking: "Hm.", signature: "c2ln" },
              { type: "text", text: "Let me see." },
              call("write_artifact", { name: "a.txt", content: "x" }, { banyan: true }),
              call("Bash", { command: "echo one >> ran; cat ran; env | grep -c sk-test" }),
              call("Read", { file_path: "/etc/passwd" }),
            )
          : "Done.",
    });
    const banyan = await stage.open();
    const agent = await banyan.spawn({
      driver: stage.claude("Bash", "Read"),
      instructions: "lead",
      task: "Go.",
      tools: [artifacts()],
    });
    const result = await agent.result();
    expect(result).toMatchObject({ status: "completed", output: "Done.", turns: 2 });
    const { answered, tokens } = stage.simulator.requests;
    expect(answered).toBe(2);
    expect(result.usage).toEqual(tokens);
    expect(await stage.lines("ran")).toEqual(["one"]);
    const [, , results] = stage.requests[1]?.messages ?? [];
    expect(results && saidIn(results)).toEqual([
      expect.stringContaining("one"),
      "! This agent may work inside its folder only.",
      expect.stringContaining("a.txt"),
    ]);
    const types = (await agent.messages()).map(({ kind }) => kind);
    expect(types).toEqual(["user", "assistant", "tools", "assistant"]);
    await stage.leaves(banyan);
  });

  test("R3: the prompt of a turn repeats that of the turn before, and adds to its end", async () => {
    await using stage = await Stage.set({
      lead: (turn) => {
        if (turn === 4) return "Done.";
        const own = call("Bash", { command: `echo ${turn} >> ran; cat ran` });
        return asks({ type: "text", text: `Step ${turn}.` }, call("list_agents", {}, { banyan: true }), own);
      },
    });
    const banyan = await stage.open();
    const agent = await banyan.spawn({
      driver: stage.claude("Bash"),
      instructions: "lead",
      task: "Go.",
      tools: [spawning()],
    });
    expect(await agent.result()).toMatchObject({ status: "completed", turns: 5 });
    expect(stage.requests.map(({ messages }) => messages.length)).toEqual([1, 3, 5, 7, 9]);
    const prompts = stage.requests.map(({ messages }) => messages.map(unmarked));
    for (const [at, prompt] of prompts.entries()) expect(prompts.at(-1)?.slice(0, prompt.length)).toEqual(prompts[at]);
  });

  test("nested levels, each a process of its own, through our own tools", {
    timeout: 30_000 + LEVELS * 10_000,
  }, async () => {
    const bottom = `level-${LEVELS - 1}`;
    const between: Part = (turn, request) => {
      const name = `level-${levelOf(request) + 1}`;
      if (turn === 0) return asks(call("spawn_agent", { name, task: "Go.", instructions: name }, { banyan: true }));
      if (turn === 1) return asks(call("wait_for_agents", {}, { banyan: true }));
      return `${name} is done.`;
    };
    const names = Array.from({ length: LEVELS - 1 }, (_, level) => `level-${level}`);
    await using stage = await Stage.set({
      ...Object.fromEntries(names.map((name) => [name, between])),
      [bottom]: (turn) => (turn === 0 ? asks(call("Bash", { command: "echo deep >> ran" })) : "Deep."),
    });
    const banyan = await stage.open();
    const agent = await banyan.spawn({
      driver: stage.claude("Bash"),
      instructions: "level-0",
      task: "Go.",
      tools: [spawning()],
    });
    const turns = 3 * (LEVELS - 1) + 2;
    expect(await agent.result()).toMatchObject({
      status: "completed",
      output: "level-1 is done.",
      agents: LEVELS,
      turns,
    });
    expect(await stage.lines("ran")).toEqual(["deep"]);
    expect(stage.simulator.requests.answered).toBe(turns);
    await stage.leaves(banyan);
  });

  test("an interrupt stops the call at once, and what was said is part of what follows", async () => {
    await using stage = await Stage.set({
      lead: (turn) =>
        turn === 0 ? { content: [{ type: "text", text: "word ".repeat(500) }], durationMs: 60_000 } : "Gladly.",
    });
    const banyan = await stage.open();
    const heard = new Promise<void>((resolve) => banyan.runtime.coordinator.watchDeltas(() => resolve()));
    const agent = await banyan.spawn({ driver: stage.claude(), instructions: "lead", task: "Go.", mode: "chat" });
    await heard;
    const started = performance.now();
    expect(await agent.interrupt()).toBe(1);
    expect(performance.now() - started).toBeLessThan(1_000);
    const [, answer] = await agent.messages();
    expect(answer).toMatchObject({ kind: "assistant", interrupted: true });
    await agent.send("Be brief.");
    await seen(agent, (event) => event.type === "turn.ended" && event.outcome === "done");
    const last = stage.requests.at(-1)?.messages ?? [];
    expect(last.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
    expect(last.slice(1).flatMap(saidIn)).toEqual([expect.stringMatching(/^word/), "(interrupted)", "Be brief."]);
  });
});

const levelOf = (request: MessagesRequest) => Number(partOf(request).slice("level-".length));
