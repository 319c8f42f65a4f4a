/** The command as a process of its own: exit codes, signals, and pipes that are closed early. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { startControl } from "../../src/server/control-socket.ts";
import { openFleet } from "../support/fleet.ts";

const BANYAN = fileURLToPath(new URL("../../bin/banyan.js", import.meta.url));

function start(...words: string[]): {
  child: ChildProcess;
  texts: { out: string; err: string };
  ended: Promise<unknown>;
} {
  const child = spawn(process.execPath, [BANYAN, ...words], { stdio: ["ignore", "pipe", "pipe"] });
  const texts = { out: "", err: "" };
  child.stdout?.on("data", (chunk) => {
    texts.out += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    texts.err += chunk;
  });
  return { child, texts, ended: once(child, "close").then(([code, signal]) => code ?? signal) };
}

test("an error's exit code is that of the registry", async () => {
  const { texts, ended } = start("tree", "--data", "/nonexistent/fleet");
  expect(await ended).toBe(3);
  expect(texts).toEqual({ out: "", err: expect.stringMatching(/^error DATA_NOT_FOUND: /) });
});

test("another process steers the agents of this one", async () => {
  await using fleet = await openFleet();
  const lead = await fleet.lead();
  await using _control = await startControl(fleet.banyan.runtime);
  const { texts, ended } = start("pause", "lead", "--data", fleet.folder, "--json");
  expect(await ended).toBe(0);
  expect(JSON.parse(texts.out)).toEqual({ agent: lead.id, name: "lead", status: "held" });
  expect(lead.status).toBe("held");
});

test("a reader that has seen enough closes the pipe: that is no error", async () => {
  await using fleet = await openFleet();
  const lead = await fleet.lead();
  await lead.pause();
  await Promise.all(Array.from({ length: 300 }, () => lead.send("x".repeat(8_000))));
  await fleet.banyan.close();
  const { child, texts, ended } = start("logs", "--data", fleet.folder, "--json");
  child.stdout?.once("data", () => child.stdout?.destroy());
  expect([await ended, texts.err]).toEqual([0, ""]);
});

test.each(["SIGINT", "SIGTERM"] as const)("%s ends what goes on, in order", async (signal) => {
  const { child, texts, ended } = start("simulate", "--mind", "echo");
  child.stdout?.once("data", () => child.kill(signal));
  expect(await ended).toBe(0);
  expect(texts.out).toMatch(/^listening on http:\/\/127\.0\.0\.1:\d+\n$/);
  expect(texts.err).toContain("0 calls, 0 answered");
});
