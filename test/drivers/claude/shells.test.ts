/** Commands that Claude Code is to leave running: processes of Banyan's. */
import { describe, expect, test } from "vitest";
import { processes } from "../../../src/index.ts";
import { asks, call, isInstalled, Stage, saidIn, seen, WITH_SDK } from "./claude-code.ts";

describe.skipIf(!isInstalled)(WITH_SDK, { timeout: 60_000 }, () => {
  test("a command in the background is a process of the agent's; it is told of its end, and none outlives the agent", async () => {
    await using stage = await Stage.set({
      lead: (turn) => {
        if (turn === 0)
          return asks(
            call("Bash", { command: "echo hi; sleep 600", description: "Serve it's pages", run_in_background: true }),
            call("Bash", { command: "echo 'that is' all; exit 3", run_in_background: true }),
          );
        if (turn === 1) return asks(call("wait_for_message", {}, { banyan: true }));
        if (turn === 2) return asks(call("process_output", { name: "Serve-it-s-pages" }, { banyan: true }));
        return "Done.";
      },
    });
    const banyan = await stage.open();
    const agent = await banyan.spawn({
      driver: stage.claude("Bash"),
      instructions: "lead",
      task: "Go.",
      tools: [processes()],
      mode: "chat",
    });
    const { event } = await seen(agent, (each) => each.type === "process.started" && each.name.startsWith("Serve"));
    expect(event).toMatchObject({
      name: "Serve-it-s-pages",
      cwd: ".",
      argv: ["/bin/bash", "-c", "echo hi; sleep 600"],
    });
    await seen(agent, (each) => each.type === "turn.ended" && each.finish === "stop");
    const results = stage.requests[1]?.messages.at(-1);
    expect(results && saidIn(results)).toEqual([
      expect.stringMatching(/^Running in the background as the process Serve-it-s-pages, pid \d+\./),
      expect.stringMatching(/^Running in the background as the process echo-that-is-all-exit-3, pid \d+\./),
    ]);
    const said = stage.requests.flatMap(({ messages }) => messages).flatMap(saidIn);
    expect(said.some((text) => text.includes("1: hi"))).toBe(true);
    const told = await seen(agent, (each) => each.type === "message.received" && each.from.kind === "runtime");
    expect(told.event).toMatchObject({
      from: { name: "process echo-that-is-all-exit-3" },
      content: expect.stringMatching(/exit(ed)?.* 3/),
    });
    const all = await banyan.runtime.coordinator.processes(agent.id);
    expect(all.map(({ name, phase }) => `${name} ${phase}`).sort()).toEqual([
      "Serve-it-s-pages running",
      "echo-that-is-all-exit-3 ended",
    ]);
    await agent.cancel();
    await stage.quiet();
    await stage.leaves(banyan);
  });

  test("a command that takes too long is ended, and left running nowhere; the agent goes on", async () => {
    await using stage = await Stage.set({
      lead: (turn) => {
        if (turn === 0)
          return asks(call("Bash", { command: "python3 -c 'import time; time.sleep(600)'", timeout: 500 }));
        return turn === 1 ? asks(call("Bash", { command: "echo on" })) : "Done.";
      },
    });
    const banyan = await stage.open();
    const agent = await banyan.spawn({
      driver: stage.claude("Bash"),
      instructions: "lead",
      task: "Go.",
      tools: [processes()],
    });
    expect(await agent.result()).toMatchObject({ status: "completed", output: "Done.", turns: 3 });
    const said = stage.requests.at(-1)?.messages.flatMap(saidIn);
    expect(said).toEqual(expect.arrayContaining([expect.stringContaining("Command timed out after 0.5 s"), "on"]));
    await stage.leaves(banyan);
  });

  test("without the tools for processes the model is offered no background", async () => {
    await using stage = await Stage.set({ lead: () => "Done." });
    const banyan = await stage.open();
    const offered = async (tools: ReturnType<typeof processes>[]) => {
      await (await banyan.spawn({ driver: stage.claude("Bash"), instructions: "lead", task: "Go.", tools })).result();
      return JSON.stringify(stage.requests.at(-1)?.tools?.find(({ name }) => name === "Bash"));
    };
    expect(await offered([])).not.toContain("run_in_background");
    expect(await offered([processes()])).toContain("run_in_background");
  });
});
