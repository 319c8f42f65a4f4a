/** Nothing but the journal is needed to go on: the loss of Claude Code, or of everything. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, test } from "vitest";
import type { ClaudeSdk } from "../../../src/drivers/claude/sdk.ts";
import { Banyan, messaging, spawning } from "../../../src/index.ts";
import {
  asks,
  call,
  isInstalled,
  loadSdk,
  NOT_KEPT,
  type Part,
  Stage,
  saidIn,
  seen,
  unmarked,
  WITH_SDK,
} from "./claude-code.ts";

const TWO_COMMANDS: Part = (turn) => {
  if (turn === 0) return asks(call("Bash", { command: "echo one >> ran" }));
  if (turn === 1) return asks(call("Bash", { command: "echo two >> ran; until test -e go; do sleep 0.05; done" }));
  return "Done.";
};

describe.skipIf(!isInstalled)(WITH_SDK, { timeout: 60_000 }, () => {
  test("Claude Code is killed while it runs a tool: the model is told, and goes on in a new one", async () => {
    await using stage = await Stage.set({ lead: TWO_COMMANDS });
    const banyan = await stage.open();
    const agent = await banyan.spawn({ driver: stage.claude("Bash"), instructions: "lead", task: "Go." });
    await expect.poll(() => stage.lines("ran"), { timeout: 20_000 }).toEqual(["one", "two"]);
    for (const pid of await stage.processes()) process.kill(pid, "SIGKILL");
    expect(await agent.result()).toMatchObject({ status: "completed", output: "Done." });
    expect(await stage.lines("ran")).toEqual(["one", "two"]);
    expect(stage.requests).toHaveLength(3);
    const said = stage.requests[2]?.messages.flatMap(saidIn) ?? [];
    expect(said.slice(0, 2)).toEqual(["Go.", expect.any(String)]);
    expect(said.at(2)).toMatch(/^! TOOL_FAILED: Claude Code ended while this ran/);
  });

  test("a long result of its own is whole in a new one too", async () => {
    await using stage = await Stage.set({
      lead: (turn) => {
        if (turn === 0) return asks(call("Bash", { command: "seq -f 'line %g of many' 1 1000" }));
        return turn === 1 ? asks(call("wait_for_message", {}, { banyan: true })) : "Done.";
      },
    });
    const banyan = await stage.open(NOT_KEPT);
    const agent = await banyan.spawn({
      driver: stage.claude("Bash"),
      instructions: "lead",
      task: "Go.",
      tools: [messaging()],
    });
    await seen(agent, (event) => event.type === "tool.started" && event.waitsFor === "message");
    await stage.quiet();
    await agent.send("Go on.");
    expect(await agent.result()).toMatchObject({ status: "completed", output: "Done." });
    const [live, resumed] = [1, 2].map((at) => stage.requests[at]?.messages.flatMap(saidIn)[1]);
    expect(live).toMatch(/^line 1 of many[\s\S]*line 1000 of many$/);
    expect(resumed).toBe(live);
  });

  test("a file that it has read may be changed in a new one, as its past says that it knows the file", async () => {
    const path = () => join(stage.folder, "notes");
    await using stage = await Stage.set({
      lead: (turn) => {
        if (turn === 0) return asks(call("Read", { file_path: path() }));
        if (turn === 1) return asks(call("wait_for_message", {}, { banyan: true }));
        return turn === 2 ? asks(call("Edit", { file_path: path(), old_string: "old", new_string: "new" })) : "Done.";
      },
    });
    await stage.write("notes", "My old hat.\n");
    const banyan = await stage.open(NOT_KEPT);
    const driver = stage.claude("Read", "Edit");
    const agent = await banyan.spawn({ driver, instructions: "lead", task: "Go.", tools: [messaging()] });
    await seen(agent, (event) => event.type === "tool.started" && event.waitsFor === "message");
    await stage.quiet();
    await agent.send("Go on.");
    expect(await agent.result()).toMatchObject({ status: "completed", output: "Done." });
    expect(await stage.lines("notes")).toEqual(["My new hat."]);
  });

  test("Claude Code is killed during the model call: the answer is kept and goes on in a new one", async () => {
    await using stage = await Stage.set({
      lead: (turn) =>
        turn === 0 ? { ...asks(call("Bash", { command: "echo ran >> ran" })), durationMs: 2_000 } : "Done.",
    });
    const banyan = await stage.open();
    const agent = await banyan.spawn({ driver: stage.claude("Bash"), instructions: "lead", task: "Go." });
    await expect.poll(() => stage.requests.length, { timeout: 20_000 }).toBe(1);
    for (const pid of await stage.processes()) process.kill(pid, "SIGKILL");
    expect(await agent.result()).toMatchObject({ status: "completed", output: "Done." });
    expect(stage.requests).toHaveLength(2);
    expect(await stage.lines("ran")).toEqual(["ran"]);
  });

  test("X2: the host is killed: Claude Code and its commands die with it, and another host goes on with no file of its", async () => {
    await using stage = await Stage.set({ lead: TWO_COMMANDS });
    const host = spawn(process.execPath, [join(import.meta.dirname, "host.ts"), JSON.stringify(stage.place)], {
      stdio: ["ignore", "inherit", "inherit"],
    });
    await expect.poll(() => stage.lines("ran"), { timeout: 20_000 }).toEqual(["one", "two"]);
    // Claude Code, and the command with what it waits in.
    expect((await stage.processes()).length).toBeGreaterThan(1);
    host.kill("SIGKILL");
    await once(host, "exit");
    const started = performance.now();
    await expect.poll(() => stage.processes(), { interval: 20 }).toEqual([]);
    expect(performance.now() - started).toBeLessThan(1_000);
    const banyan = await stage.open();
    const agent = banyan.agent("lead");
    expect(await agent.result()).toMatchObject({ status: "completed", output: "Done." });
    expect(await stage.lines("ran")).toEqual(["one", "two"]);
    expect(stage.requests).toHaveLength(3);
    expect(stage.requests[2]?.messages.flatMap(saidIn).at(2)).toMatch(/outcome is unknown/);
  });

  test("an agent resumes on a machine whose CLAUDE_CONFIG_DIR is empty, and its prompt goes on as it was", async () => {
    await using stage = await Stage.set({
      lead: (turn) => {
        if (turn === 0) return asks(call("Bash", { command: "seq 3" }), call("list_agents", {}, { banyan: true }));
        return turn === 1 ? "First." : "Second.";
      },
    });
    const first = await stage.open();
    const tools = [spawning()];
    const { id } = await first.spawn({
      driver: stage.claude("Bash"),
      instructions: "lead",
      task: "Go.",
      mode: "chat",
      tools,
    });
    const asked = await seen(first.agent(id), ({ type }) => type === "turn.ended");
    const { seq } = await seen(first.agent(id), ({ type }) => type === "turn.ended", { after: asked.seq });
    await first.close();

    // Another machine has the journal and the blobs, and nothing else of this one.
    const { data, url } = stage.place;
    const elsewhere = `${data}-elsewhere`;
    for (const part of ["journal", "blobs"]) await cp(join(data, part), join(elsewhere, part), { recursive: true });
    await rm(data, { recursive: true });
    const found: string[][] = [];
    const sdk = async () => watched(await loadSdk(), (entries) => found.push(entries));
    await using banyan = await Banyan.open(elsewhere, { claude: { baseUrl: url, apiKey: "test", sdk } });
    const agent = banyan.agent(id);
    await agent.send("Go on.");
    await seen(agent, ({ type }) => type === "turn.ended", { after: seq });
    expect(found.length).toBeGreaterThan(0);
    expect(found.flat()).toEqual([]);
    const [, before, after] = stage.requests.map(({ messages }) => messages.map(unmarked));
    expect(after?.slice(0, before?.length)).toEqual(before);
    expect(stage.requests[2]?.messages.flatMap(saidIn).slice(-2)).toEqual(["First.", "Go on."]);
  });

  test("a second resume of a session is refused by the journal: of two processes with its agent, one writes", async () => {
    await using stage = await Stage.set({ lead: TWO_COMMANDS });
    const host = spawn(process.execPath, [join(import.meta.dirname, "host.ts"), JSON.stringify(stage.place)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const told = createInterface({ input: host.stdout })[Symbol.asyncIterator]();
    await expect.poll(() => stage.lines("ran"), { timeout: 20_000 }).toEqual(["one", "two"]);
    await expect(stage.open()).rejects.toMatchObject({ code: "DATA_IN_USE" });
    // It stands still with its Claude Code in a tool, and what says that it is there is lost.
    host.kill("SIGSTOP");
    await rm(join(stage.place.data, "journal", "owner.lock"));
    const banyan = await stage.open();
    expect(await banyan.agent("lead").result()).toMatchObject({ status: "completed", output: "Done." });
    const position = await banyan.runtime.services.journal.position();
    const calls = stage.requests.length;
    host.kill("SIGCONT");
    await stage.write("go");
    const { value: line } = await told.next();
    expect(JSON.parse(line ?? "")).toEqual({ fault: "JOURNAL_CONFLICT" });
    host.kill("SIGKILL");
    await once(host, "exit");
    expect(await banyan.runtime.services.journal.position()).toBe(position);
    expect(stage.requests).toHaveLength(calls);
    expect(await stage.lines("ran")).toEqual(["one", "two"]);
  });
});

/** The SDK, with what a session finds in its configuration folder when it begins. */
function watched(sdk: ClaudeSdk, found: (entries: string[]) => void): ClaudeSdk {
  return {
    ...sdk,
    query: (asked) => {
      const folder = asked.options.env.CLAUDE_CONFIG_DIR ?? "";
      found(existsSync(folder) ? readdirSync(folder) : []);
      return sdk.query(asked);
    },
  };
}
