/** R1 and R2, S1: programs behind a thread of their own. */
import { hash } from "node:crypto";
import { getPriority } from "node:os";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Launched } from "../../../src/processes/launch.ts";
import { RemoteLaunch } from "../../../src/processes/thread/remote-launch.ts";
import { type Ground, openGround, PLAIN_POLICY, runs } from "../../support/processes.ts";

const THREAD = new URL("../../../src/runtime/launch-thread.ts", import.meta.url);

let ground: Ground;
let launch: RemoteLaunch;
let workers: Worker[];
let mark: string;
let marks = 0;

beforeEach(async () => {
  ground = await openGround();
  workers = [];
  marks += 1;
  mark = `remote-${process.pid}-${marks}-`;
  const workerData = { marks: { data: `data-${hash("sha256", ground.folder)}`, host: mark } };
  launch = new RemoteLaunch(() => {
    const worker = new Worker(THREAD, { workerData, execArgv: [] });
    workers.push(worker);
    return worker;
  });
});
afterEach(async () => {
  await launch.close();
  await ground[Symbol.asyncDispose]();
});

function start(script: string): Promise<Launched> {
  const rights = { root: ground.folder, commands: true, spawn: false };
  const program = { argv: ["sh", "-c", script], cwd: ".", rights, mark: `${mark}program` };
  return launch.launch(program, PLAIN_POLICY);
}

test("R1: no thread without a program", async () => {
  await launch.close();
  expect(workers).toEqual([]);
});

test("R2: a thread that dies takes its programs along, and the next launch begins another", async () => {
  const first = await start("setsid -f sleep 1000; exec sleep 1000");
  await first.go();
  await ground.until(() => ground.marked(mark).length === 2);
  await workers[0]?.terminate();
  expect(await first.exited).toEqual({ code: undefined, signal: "SIGKILL" });
  expect(await first.clear()).toBe(0);
  expect(ground.marked(mark)).toEqual([]);
  await expect(first.write("late", false)).rejects.toMatchObject({ code: "TOOL_FAILED" });
  const second = await start("exit 3");
  await second.go();
  expect(await second.exited).toEqual({ code: 3, signal: undefined });
  await second.clear();
  expect(workers).toHaveLength(2);
});

test("S1: a program that says more than is taken waits, and says the rest later", async () => {
  const launched = await start("head -c 8000000 /dev/zero; echo done");
  let bytes = 0;
  launched.onOutput((chunk) => {
    bytes += chunk.length;
  });
  launched.hold(true);
  await launched.go();
  await ground.until(() => bytes > 1_000_000);
  const { pid } = launched.system;
  await ground.until(() => bytes > 1_048_576);
  expect(runs(pid)).toBe(true);
  expect(bytes).toBeLessThan(3_000_000);
  launched.hold(false);
  await launched.exited;
  await launched.clear();
  expect(bytes).toBe(8_000_005);
});

test("programs do not run before everything else, as their thread does", async () => {
  const launched = await start("exec sleep 1000");
  await launched.go();
  expect(getPriority(launched.system.pid)).toBe(getPriority(process.pid));
  launched.signal("SIGKILL");
  await launched.clear();
});
