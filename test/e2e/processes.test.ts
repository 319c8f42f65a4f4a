/** A host of background processes that is killed again and again: nothing is left, and what is to go on goes on. */
import { type ChildProcess, spawn } from "node:child_process";
import { hash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Banyan, commands, files, processes, spawning } from "../../src/index.ts";
import { scriptedModel } from "../support/models.ts";
import { openGround, runs } from "../support/processes.ts";

const KILLS = Number(process.env.KILL_CYCLES ?? 5);
const AGENTS = 4;
/** Of each: the server, its child, and its grandchild in a session of its own. */
const RUNNING = AGENTS * 3;
/** How many run when the host is killed: all, or some while others are being started. */
const KILLED_AT = [RUNNING, 1, 5, 3, 8];

test("SIGKILL of the host: no process is left within a second, and the next host starts them again", {
  timeout: 90_000,
}, async () => {
  await using ground = await openGround();
  const mark = `data-${hash("sha256", await realpath(ground.folder)).slice(0, 32)}`;
  const worstMs: number[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    const host = start(ground.folder);
    const enough = KILLED_AT[kill % KILLED_AT.length] ?? RUNNING;
    await ground.until(() => ground.marked(mark).length >= enough);
    const gone = new Promise((resolve) => host.once("exit", resolve));
    host.kill("SIGKILL");
    await gone;
    const killedMs = performance.now();
    await ground.until(() => ground.marked(mark).length === 0);
    worstMs.push(performance.now() - killedMs);
  }
  expect(Math.max(...worstMs)).toBeLessThan(1_000);

  const host = start(ground.folder);
  await ground.until(() => ground.marked(mark).length === RUNNING);
  const gone = new Promise((resolve) => host.once("exit", resolve));
  host.kill("SIGKILL");
  await gone;
  await using banyan = await Banyan.open(ground.folder);
  expect(banyan.recovery.damaged).toEqual([]);
  expect(banyan.roots()).toHaveLength(AGENTS);
  // Without their model the agents rest, and their processes run all the same.
  await ground.until(() => ground.marked(mark).length === RUNNING);
  for (const root of banyan.roots()) await root.cancel();
  expect(ground.marked(mark)).toEqual([]);
});

test("SIGKILL of the host and of its warden: what commands left running is gone when the next host has opened", async () => {
  await using ground = await openGround();
  const mark = `data-${hash("sha256", await realpath(ground.folder)).slice(0, 32)}`;
  const host = start(ground.folder, "commands");
  await ground.until(() => ground.marked(mark).length >= RUNNING);
  const gone = new Promise((resolve) => host.once("exit", resolve));
  // Stopped, it begins no other warden.
  host.kill("SIGSTOP");
  const wardens = childrenOf(host.pid as number).filter((pid) => commandLine(pid).includes("banyan-warden"));
  expect(wardens.length).toBeGreaterThan(0);
  for (const pid of wardens) process.kill(pid, "SIGKILL");
  await ground.until(() => !wardens.some(runs));
  host.kill("SIGKILL");
  await gone;
  expect(ground.marked(mark).length).toBeGreaterThanOrEqual(RUNNING);
  await using banyan = await Banyan.open(ground.folder);
  expect(ground.marked(mark)).toEqual([]);
  expect(banyan.roots()).toHaveLength(AGENTS);
});

test("SIGKILL of the host: what its processes had put out is an artifact of the next one's, and their agents are told", async () => {
  await using ground = await openGround();
  const drafts = join(ground.folder, "drafts");
  const files = () => (existsSync(drafts) ? readdirSync(drafts).map((name) => join(drafts, name)) : []);
  const host = start(ground.folder, "talk");
  const isSaid = (file: string) => readFileSync(file, "utf8").endsWith("no end");
  await ground.until(() => files().filter(isSaid).length === AGENTS);
  for (const file of files()) expect(statSync(file).mode & 0o777).toBe(0o600);
  const gone = new Promise((resolve) => host.once("exit", resolve));
  host.kill("SIGKILL");
  await gone;
  // As of a run whose end was journaled just before the host died.
  const [some = ""] = files();
  writeFileSync(`${some}1`, "of another run");

  const whole = "listening\nkey [redacted:anthropic]\nno end";
  for (const opening of ["first", "second"]) {
    await using banyan = await Banyan.open(ground.folder);
    expect(banyan.roots(), opening).toHaveLength(AGENTS);
    for (const root of banyan.roots()) {
      expect(root.head.artifacts).toMatchObject([{ name: "server.output", bytes: whole.length }]);
      const chunks: Uint8Array[] = [];
      const digest = root.head.artifacts[0]?.digest as `sha256:${string}`;
      for await (const chunk of banyan.runtime.services.blobs.get(digest)) chunks.push(chunk);
      expect(Buffer.concat(chunks).toString()).toBe(whole);
      const { inbox } = await banyan.runtime.coordinator.state(root.id);
      const told = `The process server ended: ended with the runtime. It put out ${whole.length} bytes; process_output shows them.`;
      expect(inbox.map(({ content }) => content)).toEqual([told]);
    }
    expect(files()).toEqual([]);
  }
});

test("a subtree that is cancelled: its processes and commands are gone within a second, what left their groups and cleaned its environment included", async () => {
  await using ground = await openGround();
  const mark = `data-${hash("sha256", await realpath(ground.folder)).slice(0, 32)}`;
  // The last of them is found by no group, no environment and no parent.
  const cleaned = `setsid -f env -i sh -c 'setsid -f sh -c "echo \\$\\$ >> cleaned; exec sleep 1000"'`;
  const argv = ["sh", "-c", `${cleaned}; setsid -f sleep 1000; sleep 1000 & exec sleep 1000`];
  const model = scriptedModel(({ prompt }) => {
    if (prompt.some(({ role }) => role === "assistant")) return "up";
    const server = { id: "a", name: "start_process", input: { name: "server", argv } };
    return { calls: [server, { id: "b", name: "run_command", input: { argv } }] };
  });
  await using banyan = await Banyan.open(ground.folder, { models: [model] });
  const tools = [files({ root: ground.folder }), processes(), commands(), spawning()];
  const lead = await banyan.spawn({ name: "lead", model, task: "go", tools });
  const below = await lead.spawn({ name: "below", task: "go" });
  await below.spawn({ name: "bottom", task: "go" });
  // Of each of three agents: a server and a command, each with a child, and a grandchild in a session of its own.
  await ground.until(() => ground.marked(mark).length >= 3 * 2 * 3);
  const escaped = () => readFileSync(join(ground.folder, "cleaned"), "utf8").trim().split("\n").map(Number);
  await ground.until(() => escaped().length === 3 * 2);
  expect(escaped().filter(runs)).toHaveLength(3 * 2);
  const cancelledMs = performance.now();
  await lead.cancel();
  expect(ground.marked(mark)).toEqual([]);
  expect(escaped().filter(runs)).toEqual([]);
  expect(performance.now() - cancelledMs).toBeLessThan(1_000);
});

function childrenOf(parent: number): number[] {
  const pids = readdirSync("/proc").filter((name) => /^[1-9]\d*$/.test(name));
  return pids.map(Number).filter((pid) => runs(pid) && parentOf(pid) === parent);
}

function parentOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
}

function commandLine(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, "utf8");
}

function start(folder: string, ...what: string[]): ChildProcess {
  const source = join(import.meta.dirname, "process-host.ts");
  return spawn(process.execPath, [source, folder, ...what], { stdio: ["pipe", "ignore", "inherit"] });
}
