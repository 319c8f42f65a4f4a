/** Agents that the model asks for with Claude Code's own Agent tool: nodes like any other. */
import { describe, expect, test } from "vitest";
import { type Agent, type Banyan, claude } from "../../../src/index.ts";
import { treeRows } from "../../../src/server/rows.ts";
import { asks, call, isInstalled, MODEL, type Part, Stage, saidIn, seen, unmarked, WITH_SDK } from "./claude-code.ts";

/** As Claude Code frames what a subagent reports. */
const REPORT = /^\[Subagent hand-back\]/;

function nodesOf(banyan: Banyan, agent: Agent) {
  return [...banyan.runtime.coordinator.forest.subtree(agent.id)].slice(1).map(({ head }) => head);
}

describe.skipIf(!isInstalled)(WITH_SDK, { timeout: 60_000 }, () => {
  const look: Part = (turn) =>
    turn === 0 ? asks(call("Bash", { command: "echo looked >> ran; cat ran" })) : "I looked.";

  test("each is a node of its own, marked, whose report the model reads as Claude Code has it, and whose cost counts once", async () => {
    await using stage = await Stage.set({
      lead: (turn) => {
        if (turn === 2) return "Done.";
        if (turn === 1) return asks(call("Bash", { command: "echo after >> ran" }));
        return asks(
          call("Agent", { description: "Look around", prompt: "Find it.", subagent_type: "Explore" }),
          call("Bash", { command: "echo beside >> beside" }),
          call("Agent", { description: "Look around", prompt: "Find more." }),
        );
      },
    });
    stage.plays(look);
    const banyan = await stage.open();
    const agent = await banyan.spawn({
      driver: stage.claude("Agent", "Bash", "Edit"),
      instructions: "lead",
      task: "Go.",
    });
    const result = await agent.result();
    expect(result).toMatchObject({ status: "completed", output: "Done.", agents: 3, turns: 3 + 2 * 2 });
    const { answered, tokens } = stage.simulator.requests;
    expect(answered).toBe(7);
    expect(result.usage).toEqual(tokens);
    const nodes = nodesOf(banyan, agent);
    expect(
      nodes.map(({ name, level, status, turns, execution }) => ({ name, level, status, turns, ...execution })),
    ).toMatchObject([
      { name: "Look-around", level: 1, status: "completed", turns: 2, subagent: "Explore", ownTools: ["Bash"] },
      { name: "Look-around-2", subagent: "general-purpose", ownTools: ["Agent", "Bash", "Edit"] },
    ]);
    const tree = [...treeRows(banyan.runtime.coordinator.forest, agent.id)];
    expect(tree.map(({ subagent }) => subagent)).toEqual([undefined, "Explore", "general-purpose"]);
    expect(result.costUsd).toBeGreaterThan(0);
    const own = tree.reduce((sum, { costUsd }) => sum + costUsd, 0);
    expect(result.costUsd).toBeCloseTo(own, 9);
    const second = stage.requests.filter((request) => JSON.stringify(request.system).includes("lead"))[1];
    const texts = second?.messages.at(-1);
    expect(texts && saidIn(texts)).toEqual(
      expect.arrayContaining([expect.stringMatching(REPORT), expect.stringMatching(REPORT)]),
    );
    expect(texts && saidIn(texts).filter((text) => text.includes("I looked."))).toHaveLength(2);
    expect(await stage.lines("ran")).toEqual(["looked", "looked", "after"]);
    await stage.leaves(banyan);
  });

  test("its parent waits without a slot, through a restart; the node goes on, and the prompt goes on as it was", async () => {
    let isOpen = false;
    const asked = Promise.withResolvers<void>();
    await using stage = await Stage.set({
      lead: (turn) => {
        if (turn === 0) return asks(call("Agent", { description: "look", prompt: "Find it." }));
        return turn === 1 ? asks(call("Bash", { command: "true" })) : "Done.";
      },
    });
    stage.plays((turn) => {
      if (turn === 1) return "I looked.";
      asked.resolve();
      return isOpen
        ? asks(call("Bash", { command: "true" }))
        : { content: [{ type: "text", text: "Hm." }], durationMs: 60_000 };
    });
    const first = await stage.open({ runningMax: 1 });
    const { id } = await first.spawn({ driver: stage.claude("Agent", "Bash"), instructions: "lead", task: "Go." });
    await asked.promise;
    expect(first.runtime.coordinator.forest.get(id)?.head).toMatchObject({ status: "waiting", waitingFor: "children" });
    isOpen = true;
    await first.close();
    const again = await stage.open({ runningMax: 1 });
    const agent = again.agent(id);
    expect(await agent.result()).toMatchObject({ status: "completed", output: "Done.", agents: 2 });
    const lead = stage.requests.filter((request) => JSON.stringify(request.system).includes("lead"));
    const prompts = lead.map(({ messages }) => messages.map(unmarked));
    for (const [at, prompt] of prompts.entries()) expect(prompts.at(-1)?.slice(0, prompt.length)).toEqual(prompts[at]);
    expect(
      lead
        .at(-1)
        ?.messages.flatMap(saidIn)
        .filter((text) => REPORT.test(text)),
    ).toHaveLength(1);
    await stage.leaves(again);
  });

  test("every verb works on it: it is held, resumed and cancelled, and its parent is told in words", async () => {
    await using stage = await Stage.set({
      lead: (turn) => (turn === 0 ? asks(call("Agent", { description: "look", prompt: "Find it." })) : "Done."),
    });
    stage.plays(() => ({ content: [{ type: "text", text: "Hm." }], durationMs: 60_000 }));
    const banyan = await stage.open();
    const agent = await banyan.spawn({ driver: stage.claude("Agent"), instructions: "lead", task: "Go." });
    await seen(agent, ({ type }) => type === "child.spawned");
    const [node] = nodesOf(banyan, agent);
    const child = banyan.agent(node?.agent ?? "");
    await seen(child, ({ type }) => type === "turn.started");
    await child.pause({ interrupt: true });
    expect(child.status).toBe("held");
    await child.resume();
    await child.cancel({ reason: "enough" });
    expect(await agent.result()).toMatchObject({ status: "completed", output: "Done." });
    const last = stage.requests.at(-1)?.messages.at(-1);
    expect(last && saidIn(last)).toEqual([expect.stringContaining("The subagent look cancelled")]);
  });

  test("it is forked and rewound as any other, and its parent reads the report of the call alone", async () => {
    await using stage = await Stage.set({
      lead: (turn) => (turn === 0 ? asks(call("Agent", { description: "look", prompt: "Find it." })) : "Done."),
    });
    // Its second call is the one that is rewound: it says more the second time.
    let isRewound = false;
    stage.plays((turn, { messages }) => {
      if (turn === 0) return asks(call("Bash", { command: "echo looked >> ran; cat ran" }));
      if (messages.flatMap(saidIn).includes("Look elsewhere.")) return "I looked elsewhere.";
      return isRewound ? "I looked again." : { content: [{ type: "text", text: "Hm." }], durationMs: 60_000 };
    });
    const banyan = await stage.open();
    const agent = await banyan.spawn({
      driver: stage.claude("Agent", "Bash"),
      instructions: "lead",
      task: "Go.",
    });
    await seen(agent, ({ type }) => type === "child.spawned");
    const child = banyan.agent(nodesOf(banyan, agent)[0]?.agent ?? "");
    const { seq } = await seen(child, ({ type }) => type === "tool.ended");
    await seen(child, ({ type }) => type === "turn.started", { after: seq });

    const fork = await child.fork({ at: seq, task: "Look elsewhere." });
    expect(await fork.result()).toMatchObject({ status: "completed", output: "I looked elsewhere." });
    expect(nodesOf(banyan, agent).map(({ execution: { subagent } }) => subagent)).toEqual([
      "general-purpose",
      "general-purpose",
    ]);
    expect(agent.status).toBe("waiting");
    isRewound = true;
    await child.rewind(seq);
    expect(await child.result()).toMatchObject({ status: "completed", output: "I looked again." });
    expect(await agent.result()).toMatchObject({ status: "completed", output: "Done." });
    // The command that both have in their past ran once.
    expect(await stage.lines("ran")).toEqual(["looked"]);
    const results = stage.requests.at(-1)?.messages.at(-1);
    const said = results ? saidIn(results) : [];
    expect(said.filter((text) => REPORT.test(text))).toEqual([expect.stringContaining("I looked again.")]);
  });

  test("a type that does not exist, and a folder of its own, are refused in words; without the tool there is none", async () => {
    await using stage = await Stage.set({
      lead: (turn) => {
        if (turn > 0) return "Done.";
        return asks(
          call("Agent", { description: "a", prompt: "Go.", subagent_type: "fork" }),
          call("Agent", { description: "b", prompt: "Go.", isolation: "worktree" }),
        );
      },
    });
    const banyan = await stage.open();
    const agent = await banyan.spawn({ driver: stage.claude("Agent"), instructions: "lead", task: "Go." });
    expect(await agent.result()).toMatchObject({ status: "completed", agents: 1 });
    const last = stage.requests.at(-1)?.messages.at(-1);
    expect(last && saidIn(last)).toEqual([
      expect.stringContaining("INPUT_INVALID: there is no agent type fork"),
      expect.stringContaining("isolation cannot be had"),
    ]);
    expect(claude({ model: MODEL, tools: ["Read"], folder: stage.folder }).rights).not.toHaveProperty("spawn");
  });
});
