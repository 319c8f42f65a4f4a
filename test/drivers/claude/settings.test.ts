/** What a Claude Code is given beside what Banyan gives it: only what its tenant's operator asked for. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";

import { type ClaudeSettings, checkSettings } from "../../../src/drivers/claude/settings.ts";
import { asks, call, isInstalled, type Part, Stage, saidIn, WITH_SDK } from "./claude-code.ts";

afterEach(() => vi.unstubAllEnvs());

test.each<[string, unknown]>([
  ["a server with the name of Banyan's own", { mcpServers: { banyan: { argv: ["x"] } } }],
  ["a server whose tools could be another's", { mcpServers: { a__b: { argv: ["x"] } } }],
  ["a program that is none", { mcpServers: { a: { argv: [] } } }],
  ["a shell string", { mcpServers: { a: { argv: "npx server" } } }],
  ["an address that is no web address", { mcpServers: { a: { url: "file:///etc/passwd" } } }],
  ["the settings of a person", { files: ["user"] }],
  ["a variable that leads past the gateway", { pass: ["ANTHROPIC_BASE_URL"] }],
  ["no name of a variable", { pass: ["A=B"] }],
  ["something else", { hooks: {} }],
])("%s is refused", (_, settings) => {
  expect(() => checkSettings(settings as ClaudeSettings, "acme")).toThrow(
    /settings of Claude Code for the tenant acme/,
  );
});

/** An MCP server in a file: over its input and output, one message a line. */
const SERVER = `
import { createInterface } from "node:readline";
const say = (message) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\\n");
createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return;
  const tools = [{ name: "greet", description: "Greets.", inputSchema: { type: "object", properties: {} } }];
  if (method === "initialize") say({ id, result: { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: "x", version: "1" } } });
  else if (method === "tools/list") say({ id, result: { tools } });
  else if (method === "tools/call") say({ id, result: { content: [{ type: "text", text: "Hello from " + process.env.WHO }] } });
  else say({ id, result: {} });
});
`;

describe.skipIf(!isInstalled)(WITH_SDK, { timeout: 60_000 }, () => {
  const greets: Part = (turn) => (turn === 0 ? asks(call("mcp__polite__greet", {})) : "Done.");

  test("Y3: files, servers and variables are a tenant's that asked for them, and nobody else's", async () => {
    await using stage = await Stage.set({
      lead: (turn) => {
        if (turn === 0)
          return asks(call("mcp__polite__greet", {}), call("Bash", { command: "echo $REGION $PROJECT >> ran" }));
        return "Done.";
      },
    });
    await mkdir(join(stage.folder, ".claude"));
    // A folder's own settings may say much, but not where the provider is.
    const env = { PROJECT: "p", ANTHROPIC_BASE_URL: "http://127.0.0.1:9" };
    await writeFile(join(stage.folder, ".claude/settings.json"), JSON.stringify({ env }));
    await writeFile(join(stage.folder, "CLAUDE.md"), "Remember the sea.");
    await writeFile(join(stage.folder, "server.mjs"), SERVER);
    const argv = [process.execPath, join(stage.folder, "server.mjs")] as const;
    const settingsOf = (tenant: string): ClaudeSettings =>
      tenant === "open"
        ? { files: ["project"], mcpServers: { polite: { argv, environment: { WHO: "afar" } } }, pass: ["REGION"] }
        : {};
    vi.stubEnv("REGION", "north");
    const banyan = await stage.open({ claude: { settingsOf } });
    const run = async (tenant: string) => {
      const agent = await banyan.spawn({ driver: stage.claude("Bash"), instructions: "lead", task: "Go.", tenant });
      expect(await agent.result()).toMatchObject({ status: "completed" });
      const [first, last] = stage.requests.splice(0).slice(-2);
      const state = await banyan.runtime.coordinator.state(agent.id);
      return {
        key: banyan.runtime.claude.profile?.(state)?.key,
        isRemembered: JSON.stringify(first?.messages).includes("Remember the sea."),
        results: last?.messages.at(-1) && saidIn(last.messages.at(-1) as never),
      };
    };
    const open = await run("open");
    expect(open).toMatchObject({ isRemembered: true, results: expect.arrayContaining(["Hello from afar"]) });
    const closed = await run("closed");
    expect(closed).toMatchObject({
      isRemembered: false,
      results: expect.arrayContaining([expect.stringContaining("No such tool available: mcp__polite__greet")]),
    });
    expect(open.key).not.toBe(closed.key);
    expect(await stage.lines("ran")).toEqual(["north p"]);
    await stage.leaves(banyan);
  });

  test("a tool of such a server is a call like any other: it is journaled, and a person may be asked first", async () => {
    await using stage = await Stage.set({ lead: greets });
    await stage.write("server.mjs", SERVER);
    const argv = [process.execPath, join(stage.folder, "server.mjs")] as const;
    const banyan = await stage.open({ claude: { settingsOf: () => ({ mcpServers: { polite: { argv } } }) } });
    const agent = await banyan.spawn({
      driver: stage.claude(),
      instructions: "lead",
      task: "Go.",
      askFirst: ["mcp__polite__greet"],
    });
    await expect.poll(() => agent.head.waitingFor, { timeout: 20_000 }).toBe("approval");
    const [asked] = (await banyan.runtime.coordinator.state(agent.id)).open;
    await agent.answer(asked?.call.callId ?? "", "rerun");
    expect(await agent.result()).toMatchObject({ status: "completed", turns: 2 });
    await stage.leaves(banyan);
  });

  test("settings that make no sense fail the agent in words", async () => {
    await using stage = await Stage.set({ lead: () => "Done." });
    const banyan = await stage.open({ claude: { settingsOf: () => ({ mcpServers: { banyan: { argv: ["x"] } } }) } });
    const agent = await banyan.spawn({ driver: stage.claude(), instructions: "lead", task: "Go." });
    expect(await agent.result()).toMatchObject({ status: "failed", error: { code: "CONFIG_INVALID" } });
  });
});
