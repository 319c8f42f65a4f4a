/** `banyan run --driver claude`. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { banyan } from "../../support/command-line.ts";
import { asks, call, isInstalled, partOf, Stage, WITH_SDK } from "./claude-code.ts";

const BANYAN = fileURLToPath(new URL("../../../bin/banyan.js", import.meta.url));
const FINDS_SDK = fileURLToPath(new URL("with-sdk.mjs", import.meta.url));

test.each([
  [{}, "CONFIG_INVALID", "set ANTHROPIC_API_KEY"],
  [{ ANTHROPIC_API_KEY: "k" }, "DEPENDENCY_MISSING", "npm install @anthropic-ai/claude-agent-sdk"],
])("with %j it says what is missing", async (environment, code, remedy) => {
  await using stage = await Stage.set({});
  const { exit, err } = await banyan(["run", "Go.", "--driver", "claude", "--data", stage.place.data], { environment });
  expect(exit).not.toBe(0);
  expect(err).toContain(`error ${code}: `);
  expect(err).toContain(remedy);
});

describe.skipIf(!isInstalled)(WITH_SDK, { timeout: 60_000 }, () => {
  test("gives a task to Claude Code in a folder", async () => {
    const stage = await Stage.set({});
    await using _stage = stage;
    stage.plays((turn, request) => {
      expect(partOf(request)).toMatch(/^You are one agent of a tree/);
      return turn === 0 ? asks(call("Write", { file_path: `${stage.folder}/made`, content: "x" })) : "Done.";
    });
    const { data, url, folder } = stage.place;
    const words = ["run", "Go.", "--driver", "claude", "--dir", folder, "--data", data, "--json"];
    const child = spawn(process.execPath, ["--import", FINDS_SDK, BANYAN, ...words], {
      env: { ...process.env, ANTHROPIC_API_KEY: "test", ANTHROPIC_BASE_URL: url },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [out] = await Promise.all([text(child.stdout), once(child, "close")]);
    expect(JSON.parse(out.trim().split("\n").at(-1) ?? "")).toMatchObject({ status: "completed", agents: 1, turns: 2 });
    expect(await stage.lines("made")).toEqual(["x"]);
  });
});
