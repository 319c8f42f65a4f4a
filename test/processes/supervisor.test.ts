/** The supervisor over programs in memory, in time that the test moves. */
import { beforeEach, describe, expect, test } from "vitest";
import { BanyanError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { Supervision, settle } from "../support/supervision.ts";

const AGENT = "agent";
const STOP = { how: "stopped", graceMs: 0 } as const;

let t: Supervision;

beforeEach(() => {
  t = new Supervision();
});

describe("starting and ending", () => {
  test("V1: the program begins once its start is durable", async () => {
    const { program } = await t.start();
    expect(t.journal).toEqual(["started server 0"]);
    expect(program.went).toBe(true);
  });

  test("V1: a start that is refused leaves nothing", async () => {
    t.refusal = new BanyanError("AGENT_ENDED", "gone");
    await expect(t.start()).rejects.toBe(t.refusal);
    expect(t.launch.last).toMatchObject({ went: false, isCleared: true });
    expect(t.supervisor.find(AGENT, "id-server")).toBeUndefined();
  });

  test("V2: an end is journaled with its output, once what it left is cleared away", async () => {
    const { process, program } = await t.start();
    program.say("hello ");
    program.say("world\n");
    program.exit(3);
    await process.gone;
    expect(program.isCleared).toBe(true);
    expect(t.ends).toMatchObject([{ how: "exited", code: 3, output: { bytes: 12 } }]);
    expect(process.run?.output.text).toBe("hello world\n");
    expect(await t.blobs.has(t.ends[0]?.output?.digest as `sha256:${string}`)).toBe(12);
  });

  test("O1: a store that fails loses the output, and neither the process nor its end", async () => {
    t.store = async (bytes) => {
      for await (const _ of bytes) throw new BanyanError("DISK_FAILED", "full");
      throw new Error("nothing was read");
    };
    const { process, program } = await t.start("server", { outputBytesMax: 10_000_000 });
    for (let i = 0; i < 4; i++) {
      program.say("x".repeat(1_000_000));
      await settle();
    }
    expect(program.isHeld).toBe(false);
    program.exit(0);
    await process.gone;
    expect(t.ends).toEqual([{ how: "exited", code: 0 }]);
  });

  test("V2: a journal that cannot be written is tried again", async () => {
    const { process, program } = await t.start();
    t.refusal = new BanyanError("DISK_FAILED", "full");
    program.exit(0);
    await t.advance(LIMITS.diskRetryMs * 2);
    expect(t.journal).toHaveLength(1);
    t.refusal = undefined;
    await t.advance(LIMITS.diskRetryMs);
    await process.gone;
    expect(t.journal.at(-1)).toBe("exited server");
  });

  test("a signal is told as one", async () => {
    const { process, program } = await t.start();
    program.exit(undefined, "SIGSEGV");
    await process.gone;
    expect(t.ends).toEqual([{ how: "signalled", signal: "SIGSEGV" }]);
  });

  test("L4: rounds go on only while something runs", async () => {
    const { process, program } = await t.start();
    await t.advance(500);
    expect(t.clock.pending).toBe(1);
    program.exit(0);
    await process.gone;
    expect(t.clock.pending).toBe(0);
  });
});

describe("V3: stopping", () => {
  test("asks, and after the grace does", async () => {
    const { process, program } = await t.start("server", { restart: "always" });
    program.obeys = false;
    const stopped = process.stop({ how: "stopped", why: "enough", graceMs: 1_000 });
    await t.advance(900);
    expect(program.signals).toEqual(["SIGTERM"]);
    await t.advance(100);
    await stopped;
    expect(program.signals).toEqual(["SIGTERM", "SIGKILL"]);
    expect(t.journal.at(-1)).toBe("stopped server");
  });

  test("while it is being launched: it never begins", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    t.launch.hold = () => promise;
    const starting = t.supervisor.start(t.specOf("server"));
    const stopped = t.supervisor.stop(AGENT, STOP);
    resolve();
    await Promise.all([starting, stopped]);
    expect(t.launch.last).toMatchObject({ went: false, isCleared: true });
    expect(t.journal).toEqual(["started server 0", "stopped server"]);
  });

  test("while it waits to be started again: it is not", async () => {
    const { process, program } = await t.start("server", { restart: "always" });
    program.exit(1);
    await settle();
    expect(process.phase.is).toBe("backingOff");
    await Promise.all([process.stop(STOP), process.stop(STOP)]);
    await t.advance(60_000);
    expect(t.journal).toEqual(["started server 0", "exited server again", "stopped server"]);
    expect(t.launch.launched).toHaveLength(1);
  });

  test("twice is once, and one that has ended stays so", async () => {
    const { process } = await t.start();
    for (const stops of [2, 1]) await Promise.all(Array.from({ length: stops }, () => process.stop(STOP)));
    expect(t.journal).toEqual(["started server 0", "stopped server"]);
  });

  test("an agent's end takes all of its processes, and no other's", async () => {
    const { program: other } = await t.start();
    await t.supervisor.start({ ...t.specOf("a"), agent: "other" });
    await t.supervisor.start({ ...t.specOf("b"), agent: "other" });
    await t.supervisor.end("other", "its agent ended");
    expect(t.launch.running).toEqual([other]);
  });

  test("what an agent starts while its earlier ones are being ended stays", async () => {
    const { program } = await t.start("old");
    t.refusal = new BanyanError("DISK_FAILED", "full");
    const ended = t.supervisor.end(AGENT, "its agent ended");
    await settle();
    t.refusal = undefined;
    const { program: newer } = await t.start("new");
    await t.advance(LIMITS.diskRetryMs);
    await ended;
    expect(program.isCleared).toBe(true);
    expect(t.launch.running).toEqual([newer]);
    await t.supervisor.close();
    expect(t.launch.running).toEqual([]);
  });

  test("W2: closing ends all; what is to go on is journaled so, and nothing starts any more", async () => {
    await t.start("once");
    await t.start("server", { restart: "always" });
    const { program } = await t.start("failing", { restart: "onFailure" });
    program.exit(1);
    await settle();
    for (let i = 0; i < 2; i++) await t.supervisor.close();
    expect(t.journal.slice(3).sort()).toEqual(
      ["exited failing again", "lost failing again", "lost once", "lost server again"].sort(),
    );
    expect(t.launch).toMatchObject({ running: [], closed: true });
    await expect(t.start("late")).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
    await t.advance(60_000);
    expect(t.launch.launched).toHaveLength(3);
  });
});

describe("restarts", () => {
  test("a process that fails is started again after a while, and given up when it fails too often", async () => {
    const { process } = await t.start("server", { restart: "onFailure" });
    for (const waitMs of [100, 200]) {
      t.launch.last.exit(1);
      await settle();
      await t.advance(waitMs - 50);
      expect(process.phase.is).toBe("backingOff");
      await t.advance(50);
      expect(process.phase.is).toBe("running");
    }
    t.launch.last.exit(1);
    await process.gone;
    expect(t.journal).toEqual([
      "started server 0",
      "exited server again",
      "restarted server 1",
      "exited server again",
      "restarted server 2",
      "exited server given up",
    ]);
  });

  test("a restart that cannot be launched counts as a failure", async () => {
    const { process } = await t.start("server", { restart: "always" });
    t.launch.failures = 10;
    t.launch.last.exit(0);
    await t.advance(1_000);
    await process.gone;
    expect(t.journal.slice(1)).toEqual([
      "exited server again",
      "notStarted server again",
      "notStarted server given up",
    ]);
  });

  test("none for an agent that has ended meanwhile", async () => {
    await t.start("server", { restart: "always" });
    t.isOver = true;
    t.launch.last.exit(1);
    await t.advance(60_000);
    expect(t.launch.launched).toHaveLength(1);
  });

  test("one whose restart is days away, because the wall clock was set back", async () => {
    t.supervisor.resume(t.specOf("server"), t.clock.now() + 72 * 3_600_000);
    await t.advance(LIMITS.processBackoffMsMax);
    expect(t.journal).toEqual(["restarted server 0"]);
  });

  test("one that an earlier host was to start again", async () => {
    t.supervisor.resume(t.specOf("server"), t.clock.now() + 500);
    await t.advance(400);
    expect(t.journal).toEqual([]);
    await t.advance(100);
    expect(t.journal).toEqual(["restarted server 0"]);
  });
});

describe("L1: limits", () => {
  test("time", async () => {
    await t.start("server", { timeMsMax: 1_000 });
    await t.advance(1_000);
    expect(t.ends).toEqual([]);
    await t.advance(200);
    expect(t.ends).toMatchObject([{ how: "timedOut", signal: "SIGKILL" }]);
  });

  test("memory", async () => {
    const { program } = await t.start("server");
    t.launch.residentBytes.set(program.system.pid, 1_001);
    await t.advance(LIMITS.processMemoryMs * 2);
    expect(t.ends).toMatchObject([{ how: "overMemory", why: "1001 bytes are resident" }]);
  });

  test("output: what is within the limit is kept", async () => {
    const { program } = await t.start("server", { outputBytesMax: 10 });
    program.say("0123456789ABC");
    await settle();
    expect(t.ends).toMatchObject([{ how: "overOutput", output: { bytes: 10 } }]);
  });
});
