/**
 * Two processes and one data directory. Invariants of docs/architecture.md, section 6: 2 (one writer, a stale one is refused) and
 * 1 (nothing acknowledged is lost when the data changes hands).
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LIMITS } from "../../src/base/limits.ts";
import { connect } from "../../src/client.ts";
import { Banyan } from "../../src/index.ts";
import { verifyFolder } from "../../src/runtime/verify.ts";
import { WatchedClock } from "../simulator/clocks.ts";
import { scriptedModel } from "../support/models.ts";

const BANYAN = fileURLToPath(new URL("../../bin/banyan.js", import.meta.url));
const TIMEOUT_MS = 60_000;

let folder = "";
let children: ChildProcessWithoutNullStreams[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "banyan-two-"));
});
afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  children = [];
  await rm(folder, { recursive: true, force: true });
});

/** A process on the data, with an agent whose call is in flight. */
async function startOwner() {
  const child = spawn(process.execPath, [join(import.meta.dirname, "process-owner.ts"), folder]);
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => {
    const { value, done } = await lines.next();
    return done ? undefined : JSON.parse(value);
  };
  const first = [await next(), await next()] as { at: string; lead?: string }[];
  expect(first.map(({ at }) => at).sort()).toEqual(["called", "open"]);
  const lead = first.find(({ at }) => at === "open")?.lead as string;
  const say = (line: string) => void child.stdin.write(`${line}\n`);
  return { child, lead, next, say };
}

async function banyan(...words: string[]) {
  const child = spawn(process.execPath, [BANYAN, ...words], { env: { ...process.env, ANTHROPIC_API_KEY: "" } });
  children.push(child);
  let err = "";
  child.stderr.on("data", (chunk) => {
    err += chunk;
  });
  child.stdout.resume();
  const [exit] = await once(child, "close");
  return { exit, err };
}

test("2: a second process is told who runs on the data and what to do, also when that one stands still", {
  timeout: TIMEOUT_MS,
}, async () => {
  const { child } = await startOwner();
  for (const signal of [undefined, "SIGSTOP"] as const) {
    if (signal) child.kill(signal);
    const { exit, err } = await banyan("run", "a task", "--dir", folder, "--data", folder);
    expect(exit).toBe(4);
    expect(err).toContain(`DATA_IN_USE: process ${child.pid} runs on the data in ${join(folder, "journal")}`);
    expect(err).toMatch(/Command it: .* Or stop it; if it stands still, kill it/);
    await expect(Banyan.open(folder)).rejects.toMatchObject({ code: "DATA_IN_USE" });
  }
  child.kill("SIGCONT");
});

test("a command to a process that stands still ends by itself, and says why", { timeout: TIMEOUT_MS }, async () => {
  const { child, lead } = await startOwner();
  child.kill("SIGSTOP");
  const clock = new WatchedClock();
  const refused = expect(connect(folder, { clock })).rejects.toMatchObject({
    code: "DATA_IN_USE",
    message: expect.stringContaining("has said nothing for 10 s"),
  });
  await clock.pendingAtLeast(1);
  clock.advance(LIMITS.controlHelloMsMax);
  await refused;
  child.kill("SIGCONT");
  await using client = await connect(folder);
  expect(await client.tree().toArray()).toMatchObject([{ id: lead, status: "running" }]);
});

test("1: what a killed process acknowledged is there for the next one, at once", { timeout: TIMEOUT_MS }, async () => {
  const { child, lead, next, say } = await startOwner();
  say("remember this");
  expect(await next()).toEqual({ sent: "ok" });
  child.kill("SIGKILL");
  await once(child, "close");
  const model = scriptedModel(["I remember."]);
  await using taken = await Banyan.open(folder, { models: [model] });
  expect(await taken.agent(lead).result()).toMatchObject({ status: "completed", output: "I remember." });
  expect(JSON.stringify(model.asked[0]?.prompt)).toContain("remember this");
});

test("2: a process that stood still, lost its lock file and wakes up writes nothing more", {
  timeout: TIMEOUT_MS,
}, async () => {
  const stale = await startOwner();
  stale.child.kill("SIGSTOP");
  await rm(join(folder, "journal", "owner.lock"));
  const model = scriptedModel(["done by the other"]);
  const taken = await Banyan.open(folder, { models: [model] });
  expect(await taken.agent(stale.lead).result()).toMatchObject({ output: "done by the other" });
  const written = await taken.runtime.services.journal.position();

  stale.child.kill("SIGCONT");
  // The answer to a call that was in flight when it stood still.
  stale.say("answer");
  expect(await stale.next()).toEqual({ fault: "JOURNAL_CONFLICT" });
  stale.say("anyone there?");
  expect(await stale.next()).toEqual({ sent: "JOURNAL_CONFLICT" });
  stale.child.stdin.end();
  expect(await stale.next()).toEqual({ at: "closed" });

  expect(await taken.runtime.services.journal.position()).toBe(written);
  await taken.close();
  expect(await verifyFolder(folder)).toMatchObject({ ok: true });
  await using again = await Banyan.open(folder, { models: [model] });
  expect(again.agent(stale.lead).status).toBe("completed");
});
