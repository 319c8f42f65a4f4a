/** A host of background processes that is killed again and again: nothing is left, and what is to go on goes on. */
import { type ChildProcess, spawn } from "node:child_process";
import { hash } from "node:crypto";
import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Banyan } from "../../src/index.ts";
import { openGround } from "../support/processes.ts";

const KILLS = Number(process.env.KILL_CYCLES ?? 5);
const AGENTS = 4;
/** Of each: the server, its child, and its grandchild in a session of its own. */
const RUNNING = AGENTS * 3;
/** How many run when the host is killed: all, or some while others are being started. */
const KILLED_AT = [RUNNING, 1, 5, 3, 8];

test("SIGKILL of the host: no process is left within a second, and the next host starts them again", async () => {
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

function start(folder: string): ChildProcess {
  const source = join(import.meta.dirname, "process-host.ts");
  return spawn(process.execPath, [source, folder], { stdio: ["pipe", "ignore", "inherit"] });
}
