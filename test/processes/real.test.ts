/** The supervisor over real programs: what ends them, and that nothing of them is left. */
import { spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ProcessPolicy } from "../../src/agent/process-policy.ts";
import { createRedactor } from "../../src/base/redact.ts";
import { MemoryBlobs } from "../../src/blobs/memory/memory-blobs.ts";
import type { RunEnd } from "../../src/processes/run.ts";
import type { ProcessSpec } from "../../src/processes/supervised.ts";
import { Supervisor } from "../../src/processes/supervisor.ts";
import { type Ground, openGround, runs } from "../support/processes.ts";

let ground: Ground;
let supervisor: Supervisor;
let ends: RunEnd[];
let ids = 0;

beforeEach(async () => {
  ground = await openGround();
  ends = [];
  const blobs = new MemoryBlobs(new Map());
  supervisor = new Supervisor({
    launch: ground.launch,
    clock: ground.clock,
    log: {
      started: async () => undefined,
      restarted: async () => undefined,
      ended: async (_, end, { restartTime }) => {
        ends.push(end);
        return restartTime !== undefined;
      },
    },
    redact: createRedactor(),
    store: (bytes) => blobs.put(bytes),
  });
});

afterEach(async () => {
  await supervisor.close();
  await ground[Symbol.asyncDispose]();
});

async function start(argv: string[], policy: Partial<ProcessPolicy> = {}) {
  ids += 1;
  const id = `real-${process.pid}-${ids}-`;
  const spec: ProcessSpec = {
    ...{ id, agent: "agent", name: "it", argv, cwd: ".", callId: undefined },
    rights: { root: ground.folder, commands: true, spawn: false },
    policy: {
      ...{ restart: "never", restartsMax: 2, withinMs: 60_000, probes: [] },
      ...{ memoryBytesMax: 1e10, outputBytesMax: 1_000_000, ...policy },
    },
  };
  const supervised = await supervisor.start(spec);
  const text = () => supervised.run?.output.text ?? "";
  return { supervised, id, text, said: (word: string) => ground.until(() => text().includes(word)) };
}
const sh = (script: string, policy?: Partial<ProcessPolicy>) => start(["sh", "-c", script], policy);
const node = (source: string, policy?: Partial<ProcessPolicy>) => start([process.execPath, "-e", source], policy);
/** For programs that take a while to start on a machine that is busy. */
const graceMs = 20_000;

test("a process that is killed from outside", async () => {
  const { supervised, id, text, said } = await sh("setsid -f sleep 1000; echo pid=$$; exec sleep 1000");
  await said("pid=");
  process.kill(Number(text().match(/pid=(\d+)/)?.[1]), "SIGKILL");
  await supervised.gone;
  expect(ends).toMatchObject([{ how: "signalled", signal: "SIGKILL" }]);
  expect(ground.marked(id)).toEqual([]);
});

test("a heart that stops", async () => {
  const heartbeat = { kind: "heartbeat", line: "beat", limitMs: 400, graceMs } as const;
  const beating = "setInterval(() => console.log('beat'), 50); console.log('pid=' + process.pid)";
  const { supervised, said, text } = await node(beating, { probes: [heartbeat] });
  await said("pid=");
  await ground.until(() => supervised.run?.isReady === true);
  process.kill(Number(text().match(/pid=(\d+)/)?.[1]), "SIGSTOP");
  await supervised.gone;
  expect(ends).toMatchObject([{ how: "hung", why: expect.stringMatching(/^no heartbeat for \d+ ms$/) }]);
});

describe("while this thread stands still", () => {
  const heartbeat = { kind: "heartbeat", line: "beat", limitMs: 400, graceMs } as const;
  const beating = "setInterval(() => console.log('beat'), 50); console.log('pid=' + process.pid)";

  test("a heart that beats is not taken for one that stopped", async () => {
    const { supervised, said } = await node(beating, { probes: [heartbeat] });
    await said("pid=");
    await ground.until(() => supervised.run?.isReady === true);
    standStill(1);
    await ground.until(() => true);
    expect(ends).toEqual([]);
    expect(supervised.phase.is).toBe("running");
  });

  test("one that stopped is ended all the same", async () => {
    const { supervised, said, text } = await node(beating, { probes: [heartbeat] });
    await said("pid=");
    await ground.until(() => supervised.run?.isReady === true);
    const pid = Number(text().match(/pid=(\d+)/)?.[1]);
    process.kill(pid, "SIGSTOP");
    standStill(2);
    expect(runs(pid)).toBe(false);
    await supervised.gone;
    expect(ends).toMatchObject([{ how: "hung" }]);
  });
});

test("a flood of output", async () => {
  const { supervised } = await start(["yes"], { outputBytesMax: 3_000_000 });
  await supervised.gone;
  expect(ends).toMatchObject([{ how: "overOutput", output: { bytes: 3_000_000 } }]);
  expect(supervised.run?.output.text).toHaveLength(256 * 1024);
});

test("more memory than it may have, in a child of its own", async () => {
  const hog = "globalThis.held = Buffer.alloc(3e8, 1); setInterval(() => {}, 1e6)";
  const { supervised, id } = await sh(`"${process.execPath}" -e '${hog}' & wait`, { memoryBytesMax: 2e8 });
  await supervised.gone;
  expect(ends).toMatchObject([{ how: "overMemory" }]);
  expect(ground.marked(id)).toEqual([]);
});

test("its time limit", async () => {
  const { supervised } = await sh("trap '' TERM; sleep 1000", { timeMsMax: 200 });
  await supervised.gone;
  expect(ends).toMatchObject([{ how: "timedOut", signal: "SIGKILL" }]);
});

/** Serves until it reads a line, and then goes on without. */
const servingAt = (
  port: number,
) => `const server = require("node:http").createServer((_, answer) => answer.end("ok")).listen(${port}, "127.0.0.1");
    process.stdin.once("data", () => { server.close(); server.closeAllConnections(); console.log("deaf"); });`;

test.each(["tcp", "http"] as const)(
  "a %s probe is good while it serves, and fails when it no longer does",
  async (kind) => {
    const port = await freePort();
    const asked = { everyMs: 100, timeoutMs: 20_000, failuresMax: 2, graceMs };
    const probe = kind === "tcp" ? { kind, port, ...asked } : { kind, port, path: "/", ...asked };
    const probes: ProcessPolicy["probes"] = [probe, { kind: "command", argv: ["true"], ...asked }];
    const { supervised, said } = await node(servingAt(port), { probes });
    await ground.until(() => supervised.run?.isReady === true);
    expect(ends).toEqual([]);
    const { phase } = supervised;
    if (phase.is === "running") await phase.launched.write("stop\n", false);
    await said("deaf");
    await supervised.gone;
    expect(ends).toMatchObject([{ how: "hung", why: `its ${kind} probe failed 2 times in a row` }]);
  },
);

test("an HTTP probe fails on an answer that is no success", async () => {
  const port = await freePort();
  const failing = `require("node:http").createServer((_, answer) => { answer.statusCode = 500; answer.end(); }).listen(${port}, "127.0.0.1");`;
  const asked = { everyMs: 100, timeoutMs: 20_000, failuresMax: 2, graceMs: 500 };
  const { supervised } = await node(failing, { probes: [{ kind: "http", port, path: "/", ...asked }] });
  await supervised.gone;
  expect(ends).toMatchObject([
    { how: "hung", why: expect.stringMatching(/^its http probe failed \d+ times in a row$/) },
  ]);
});

test("a command probe that fails", async () => {
  const asked = { everyMs: 100, timeoutMs: 20_000, failuresMax: 2, graceMs: 0 };
  const { supervised } = await sh("sleep 1000", { probes: [{ kind: "command", argv: ["false"], ...asked }] });
  await supervised.gone;
  expect(ends).toMatchObject([{ how: "hung", why: "its command probe failed 2 times in a row" }]);
});

test("one that fails is started again, as another process of the system", async () => {
  const { supervised, id } = await sh("setsid -f sleep 1000; exit 1", { restart: "onFailure", restartsMax: 2 });
  await supervised.gone;
  expect(ends.map(({ how, code }) => [how, code])).toEqual([
    ["exited", 1],
    ["exited", 1],
    ["exited", 1],
  ]);
  expect(ground.marked(id)).toEqual([]);
});

test("100 processes of an ended agent are gone together, with what left their groups", async () => {
  const all = await Promise.all(
    Array.from({ length: 100 }, () => sh("setsid -f sleep 1000; echo up; exec sleep 1000")),
  );
  await Promise.all(all.map(({ said }) => said("up")));
  const pids = all.flatMap(({ supervised: { phase } }) => (phase.is === "running" ? phase.launched.system.pid : []));
  expect(pids).toHaveLength(100);
  const endedMs = performance.now();
  await supervisor.end("agent", "its agent ended");
  // A second on a machine that is not busy: the tests of others run beside this one.
  expect(performance.now() - endedMs).toBeLessThan(5_000);
  for (const { id } of all.slice(0, 10)) expect(ground.marked(id)).toEqual([]);
  for (const pid of pids) expect(runs(pid)).toBe(false);
});

/** Nothing else happens on this thread meanwhile. */
function standStill(seconds: number): void {
  spawnSync("sleep", [`${seconds}`]);
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
