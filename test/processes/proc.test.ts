/** What the system says of processes, of real ones. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, expect, test } from "vitest";
import { sightingsOf } from "../../src/processes/proc.ts";

const started: AbortController[] = [];

afterEach(() => {
  for (const each of started.splice(0)) each.abort();
});

/** Runs a script, and resolves with its number once it has said a line. */
async function up(script: string): Promise<number> {
  const stop = new AbortController();
  started.push(stop);
  const child = spawn("sh", ["-c", script], {
    signal: stop.signal,
    killSignal: "SIGKILL",
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.on("error", () => undefined);
  await once(child.stdout, "data");
  return child.pid as number;
}

test("what runs without rest is ready, and its time on a core grows", async () => {
  const pid = await up("echo up; while :; do :; done");
  const before = sightingsOf(pid).get(pid);
  expect(before?.isReady).toBe(true);
  while ((sightingsOf(pid).get(pid)?.ranNs ?? 0) <= (before?.ranNs ?? 0)) await new Promise(setImmediate);
});

test("what waits for something is not ready, and what it started is seen with it", async () => {
  const pid = await up("sh -c 'echo up; read line'; true");
  const seen = () => [...sightingsOf(pid).values()];
  while (seen().length !== 2 || seen().some(({ isReady }) => isReady)) await new Promise(setImmediate);
  expect(sightingsOf(pid).has(pid)).toBe(true);
});

test("of what is gone nothing is seen", () => {
  expect(sightingsOf(2 ** 22 + 1).size).toBe(0);
});
