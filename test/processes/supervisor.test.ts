/** The supervisor over programs in memory, in time that the test moves. */
import { beforeEach, describe, expect, test } from "vitest";
import type { ProcessPolicy } from "../../src/agent/process-policy.ts";
import { type Clock, ManualClock, systemClock } from "../../src/base/clock.ts";
import { BanyanError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { createRedactor } from "../../src/base/redact.ts";
import type { BlobInfo } from "../../src/blobs/blobs.ts";
import { MemoryBlobs } from "../../src/blobs/memory/memory-blobs.ts";
import type { RunEnd } from "../../src/processes/run.ts";
import type { ProcessLog, ProcessSpec } from "../../src/processes/supervised.ts";
import { Supervisor } from "../../src/processes/supervisor.ts";
import { WatchedLaunch } from "../../src/processes/watched-launch.ts";
import { TestLaunch } from "../support/launches.ts";

const AGENT = "agent";
const STOP = { how: "stopped", graceMs: 0 } as const;

let clock: ManualClock;
let launch: TestLaunch;
let supervisor: Supervisor;
let blobs: MemoryBlobs;
let store: (bytes: AsyncIterable<Uint8Array>) => Promise<BlobInfo>;
/** What was journaled. */
let journal: string[];
let ends: RunEnd[];
let refusal: BanyanError | undefined;
/** The agent has ended: nothing starts again. */
let isOver: boolean;
/** By how much time went on without this process. */
let stoodStillMs: number;

beforeEach(() => {
  clock = new ManualClock();
  launch = new TestLaunch();
  blobs = new MemoryBlobs(new Map());
  store = (bytes) => blobs.put(bytes);
  journal = [];
  ends = [];
  refusal = undefined;
  isOver = false;
  stoodStillMs = 0;
  const note = async (text: string) => {
    if (refusal) throw refusal;
    journal.push(text);
  };
  const log: ProcessLog = {
    started: ({ name }, { pid }) => note(`started ${name} ${pid - 1_000}`),
    restarted: ({ name }, { pid }) => note(`restarted ${name} ${pid - 1_000}`),
    async ended({ name }, end, { restartTime, gaveUp }) {
      const again = restartTime !== undefined && !isOver;
      await note(`${end.how} ${name}${again ? " again" : ""}${gaveUp ? " given up" : ""}`);
      ends.push(end);
      return again;
    },
  };
  const skewed: Clock = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic() + stoodStillMs,
    timer: (delayMs, fire) => clock.timer(delayMs, fire),
  };
  const watched = new WatchedLaunch(launch, skewed);
  supervisor = new Supervisor({
    launch: watched,
    clock: skewed,
    log,
    redact: createRedactor(),
    store: (bytes) => store(bytes),
  });
});

function specOf(name: string, policy: Partial<ProcessPolicy> = {}): ProcessSpec {
  return {
    ...{ id: `id-${name}`, agent: AGENT, name, argv: ["serve"], cwd: ".", callId: "c" },
    rights: { commands: true, spawn: false },
    policy: {
      ...{ restart: "never", restartsMax: 2, withinMs: 60_000, probes: [] },
      ...{ memoryBytesMax: 1_000, outputBytesMax: 100, ...policy },
    },
  };
}

/** Everything that follows by itself has happened. */
const settle = () => new Promise<void>((resolve) => systemClock().timer(0, resolve)).then(() => undefined);

async function advance(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= LIMITS.superviseMs) {
    clock.advance(Math.min(left, LIMITS.superviseMs));
    await settle();
  }
}

async function start(name = "server", policy: Partial<ProcessPolicy> = {}) {
  const process = await supervisor.start(specOf(name, policy));
  return { process, program: launch.last };
}

describe("starting and ending", () => {
  test("V1: the program begins once its start is durable", async () => {
    const { program } = await start();
    expect(journal).toEqual(["started server 0"]);
    expect(program.went).toBe(true);
  });

  test("V1: a start that is refused leaves nothing", async () => {
    refusal = new BanyanError("AGENT_ENDED", "gone");
    await expect(start()).rejects.toBe(refusal);
    expect(launch.last).toMatchObject({ went: false, isCleared: true });
    expect(supervisor.find(AGENT, "id-server")).toBeUndefined();
  });

  test("V2: an end is journaled with its output, once what it left is cleared away", async () => {
    const { process, program } = await start();
    program.say("hello ");
    program.say("world\n");
    program.exit(3);
    await process.gone;
    expect(program.isCleared).toBe(true);
    expect(ends).toMatchObject([{ how: "exited", code: 3, output: { bytes: 12 } }]);
    expect(process.run?.output.text).toBe("hello world\n");
    expect(await blobs.has(ends[0]?.output?.digest as `sha256:${string}`)).toBe(12);
  });

  test("O1: a store that fails loses the output, and neither the process nor its end", async () => {
    store = async (bytes) => {
      for await (const _ of bytes) throw new BanyanError("DISK_FAILED", "full");
      throw new Error("nothing was read");
    };
    const { process, program } = await start("server", { outputBytesMax: 10_000_000 });
    for (let i = 0; i < 4; i++) {
      program.say("x".repeat(1_000_000));
      await settle();
    }
    expect(program.isHeld).toBe(false);
    program.exit(0);
    await process.gone;
    expect(ends).toEqual([{ how: "exited", code: 0 }]);
  });

  test("V2: a journal that cannot be written is tried again", async () => {
    const { process, program } = await start();
    refusal = new BanyanError("DISK_FAILED", "full");
    program.exit(0);
    await advance(LIMITS.diskRetryMs * 2);
    expect(journal).toHaveLength(1);
    refusal = undefined;
    await advance(LIMITS.diskRetryMs);
    await process.gone;
    expect(journal.at(-1)).toBe("exited server");
  });

  test("a signal is told as one", async () => {
    const { process, program } = await start();
    program.exit(undefined, "SIGSEGV");
    await process.gone;
    expect(ends).toEqual([{ how: "signalled", signal: "SIGSEGV" }]);
  });

  test("L4: rounds go on only while something runs", async () => {
    const { process, program } = await start();
    await advance(500);
    expect(clock.pending).toBe(1);
    program.exit(0);
    await process.gone;
    expect(clock.pending).toBe(0);
  });
});

describe("V3: stopping", () => {
  test("asks, and after the grace does", async () => {
    const { process, program } = await start("server", { restart: "always" });
    program.obeys = false;
    const stopped = process.stop({ how: "stopped", why: "enough", graceMs: 1_000 });
    await advance(900);
    expect(program.signals).toEqual(["SIGTERM"]);
    await advance(100);
    await stopped;
    expect(program.signals).toEqual(["SIGTERM", "SIGKILL"]);
    expect(journal.at(-1)).toBe("stopped server");
  });

  test("while it is being launched: it never begins", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    launch.hold = () => promise;
    const starting = supervisor.start(specOf("server"));
    const stopped = supervisor.stop(AGENT, STOP);
    resolve();
    await Promise.all([starting, stopped]);
    expect(launch.last).toMatchObject({ went: false, isCleared: true });
    expect(journal).toEqual(["started server 0", "stopped server"]);
  });

  test("while it waits to be started again: it is not", async () => {
    const { process, program } = await start("server", { restart: "always" });
    program.exit(1);
    await settle();
    expect(process.phase.is).toBe("backingOff");
    await Promise.all([process.stop(STOP), process.stop(STOP)]);
    await advance(60_000);
    expect(journal).toEqual(["started server 0", "exited server again", "stopped server"]);
    expect(launch.launched).toHaveLength(1);
  });

  test("twice is once, and one that has ended stays so", async () => {
    const { process } = await start();
    for (const stops of [2, 1]) await Promise.all(Array.from({ length: stops }, () => process.stop(STOP)));
    expect(journal).toEqual(["started server 0", "stopped server"]);
  });

  test("an agent's end takes all of its processes, and no other's", async () => {
    const { program: other } = await start();
    await supervisor.start({ ...specOf("a"), agent: "other" });
    await supervisor.start({ ...specOf("b"), agent: "other" });
    await supervisor.end("other", "its agent ended");
    expect(launch.running).toEqual([other]);
  });

  test("what an agent starts while its earlier ones are being ended stays", async () => {
    const { program } = await start("old");
    refusal = new BanyanError("DISK_FAILED", "full");
    const ended = supervisor.end(AGENT, "its agent ended");
    await settle();
    refusal = undefined;
    const { program: newer } = await start("new");
    await advance(LIMITS.diskRetryMs);
    await ended;
    expect(program.isCleared).toBe(true);
    expect(launch.running).toEqual([newer]);
    await supervisor.close();
    expect(launch.running).toEqual([]);
  });

  test("W2: closing ends all; what is to go on is journaled so, and nothing starts any more", async () => {
    await start("once");
    await start("server", { restart: "always" });
    const { program } = await start("failing", { restart: "onFailure" });
    program.exit(1);
    await settle();
    for (let i = 0; i < 2; i++) await supervisor.close();
    expect(journal.slice(3).sort()).toEqual(
      ["exited failing again", "lost failing again", "lost once", "lost server again"].sort(),
    );
    expect(launch).toMatchObject({ running: [], closed: true });
    await expect(start("late")).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
    await advance(60_000);
    expect(launch.launched).toHaveLength(3);
  });
});

describe("restarts", () => {
  test("a process that fails is started again after a while, and given up when it fails too often", async () => {
    const { process } = await start("server", { restart: "onFailure" });
    for (const waitMs of [100, 200]) {
      launch.last.exit(1);
      await settle();
      await advance(waitMs - 50);
      expect(process.phase.is).toBe("backingOff");
      await advance(50);
      expect(process.phase.is).toBe("running");
    }
    launch.last.exit(1);
    await process.gone;
    expect(journal).toEqual([
      "started server 0",
      "exited server again",
      "restarted server 1",
      "exited server again",
      "restarted server 2",
      "exited server given up",
    ]);
  });

  test("a restart that cannot be launched counts as a failure", async () => {
    const { process } = await start("server", { restart: "always" });
    launch.failures = 10;
    launch.last.exit(0);
    await advance(1_000);
    await process.gone;
    expect(journal.slice(1)).toEqual(["exited server again", "notStarted server again", "notStarted server given up"]);
  });

  test("none for an agent that has ended meanwhile", async () => {
    await start("server", { restart: "always" });
    isOver = true;
    launch.last.exit(1);
    await advance(60_000);
    expect(launch.launched).toHaveLength(1);
  });

  test("one whose restart is days away, because the wall clock was set back", async () => {
    supervisor.resume(specOf("server"), clock.now() + 72 * 3_600_000);
    await advance(LIMITS.processBackoffMsMax);
    expect(journal).toEqual(["restarted server 0"]);
  });

  test("one that an earlier host was to start again", async () => {
    supervisor.resume(specOf("server"), clock.now() + 500);
    await advance(400);
    expect(journal).toEqual([]);
    await advance(100);
    expect(journal).toEqual(["restarted server 0"]);
  });
});

describe("L1: limits", () => {
  test("time", async () => {
    await start("server", { timeMsMax: 1_000 });
    await advance(1_000);
    expect(ends).toEqual([]);
    await advance(200);
    expect(ends).toMatchObject([{ how: "timedOut", signal: "SIGKILL" }]);
  });

  test("memory", async () => {
    const { program } = await start("server");
    launch.residentBytes.set(program.system.pid, 1_001);
    await advance(LIMITS.processMemoryMs * 2);
    expect(ends).toMatchObject([{ how: "overMemory", why: "1001 bytes are resident" }]);
  });

  test("output: what is within the limit is kept", async () => {
    const { program } = await start("server", { outputBytesMax: 10 });
    program.say("0123456789ABC");
    await settle();
    expect(ends).toMatchObject([{ how: "overOutput", output: { bytes: 10 } }]);
  });
});

describe("probes", () => {
  const heartbeat = { kind: "heartbeat", line: "beat", limitMs: 400, graceMs: 1_000 } as const;

  test("a heart that stops beating is L2: noticed when its limit is over", async () => {
    const { program, process } = await start("server", { probes: [heartbeat], outputBytesMax: 1_000 });
    for (let i = 0; i < 20; i++) {
      program.say("beat\nhello\n");
      await advance(100);
    }
    expect(process.run?.isReady).toBe(true);
    expect(process.run?.output.text).toBe("hello\n".repeat(20));
    expect(ends).toEqual([]);
    await advance(400);
    expect(ends).toMatchObject([{ how: "hung", why: "no heartbeat for 401 ms" }]);
  });

  test("P2: a heart that has not beaten yet is given its time of grace", async () => {
    await start("server", { probes: [heartbeat] });
    await advance(1_000);
    expect(ends).toEqual([]);
    await advance(100);
    expect(ends).toMatchObject([{ how: "hung" }]);
  });

  test("P1: a round that comes late judges nobody", async () => {
    const { program } = await start("server", { probes: [heartbeat] });
    program.say("beat\n");
    await advance(100);
    // This process stood still for a second: what the heart said meanwhile is read after the round.
    stoodStillMs = 1_000;
    clock.advance(LIMITS.superviseMs);
    await settle();
    expect(ends).toEqual([]);
    program.say("beat\n");
    await advance(300);
    expect(ends).toEqual([]);
    await advance(200);
    expect(ends).toMatchObject([{ how: "hung" }]);
  });

  test("S1, S2: a heart that waits for a core is not judged until it has had one", async () => {
    const { program } = await start("server", { probes: [heartbeat] });
    const standing = { ranNs: 5e6, waitedNs: 1e6, isReady: true };
    program.say("beat\n");
    launch.sightings.set(program.system.pid, new Map([[7, standing]]));
    await advance(1_000);
    expect(ends).toEqual([]);
    // It had a core, waited 800 ms for it, and says nothing still.
    launch.sightings.set(program.system.pid, new Map([[7, { ranNs: 6e6, waitedNs: 801e6, isReady: false }]]));
    await advance(150);
    expect(ends).toEqual([]);
    await advance(300);
    expect(ends).toMatchObject([{ how: "hung", why: expect.stringContaining("of which it waited for a core") }]);
  });

  test("a beat may come in pieces, and what is no beat passes through", async () => {
    const { program, process } = await start("server", { probes: [heartbeat], outputBytesMax: 10_000 });
    for (const piece of ["be", "at\nabc", "\nbeat 2\nrest", "x".repeat(1_001), " end"]) program.say(piece);
    program.exit(0);
    await process.gone;
    expect(process.run?.output.text).toBe(`abc\nrest${"x".repeat(1_001)} end`);
  });

  test("silence", async () => {
    const { program } = await start("server", { probes: [{ kind: "silence", limitMs: 1_000 }] });
    await advance(900);
    program.say(".");
    await advance(1_000);
    expect(ends).toEqual([]);
    await advance(100);
    expect(ends).toMatchObject([{ how: "hung", why: "no output for 1001 ms" }]);
  });

  test("a command that fails so many times in a row, after it was well", async () => {
    const asked = { everyMs: 200, timeoutMs: 100, failuresMax: 3, graceMs: 0 };
    const { process } = await start("server", { probes: [{ kind: "command", argv: ["check"], ...asked }] });
    expect(process.run?.isReady).toBe(false);
    await advance(1_000);
    expect(process.run?.isReady).toBe(true);
    launch.isWell = false;
    await advance(400);
    expect(ends).toEqual([]);
    await advance(400);
    expect(ends).toMatchObject([{ how: "hung", why: "its command probe failed 3 times in a row" }]);
  });
});
