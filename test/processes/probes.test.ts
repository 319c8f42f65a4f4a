/** How a program that hangs is found, over programs in memory, in time that the test moves. */
import { beforeEach, expect, test } from "vitest";
import { LIMITS } from "../../src/base/limits.ts";
import { Supervision, settle } from "../support/supervision.ts";

let t: Supervision;

beforeEach(() => {
  t = new Supervision();
});

const heartbeat = { kind: "heartbeat", line: "beat", limitMs: 400, graceMs: 1_000 } as const;

test("a heart that stops beating is L2: noticed when its limit is over", async () => {
  const { program, process } = await t.start("server", { probes: [heartbeat], outputBytesMax: 1_000 });
  for (let i = 0; i < 20; i++) {
    program.say("beat\nhello\n");
    await t.advance(100);
  }
  expect(process.run?.isReady).toBe(true);
  expect(process.run?.output.text).toBe("hello\n".repeat(20));
  expect(t.ends).toEqual([]);
  await t.advance(400);
  expect(t.ends).toMatchObject([{ how: "hung", why: "no heartbeat for 401 ms" }]);
});

test("P2: a heart that has not beaten yet is given its time of grace", async () => {
  await t.start("server", { probes: [heartbeat] });
  await t.advance(1_000);
  expect(t.ends).toEqual([]);
  await t.advance(100);
  expect(t.ends).toMatchObject([{ how: "hung" }]);
});

test("P1: a round that comes late judges nobody", async () => {
  const { program } = await t.start("server", { probes: [heartbeat] });
  program.say("beat\n");
  await t.advance(100);
  // This process stood still for a second: what the heart said meanwhile is read after the round.
  t.stoodStillMs = 1_000;
  t.clock.advance(LIMITS.superviseMs);
  await settle();
  expect(t.ends).toEqual([]);
  program.say("beat\n");
  await t.advance(300);
  expect(t.ends).toEqual([]);
  await t.advance(200);
  expect(t.ends).toMatchObject([{ how: "hung" }]);
});

test("S1, S2: a heart that waits for a core is not judged until it has had one", async () => {
  const { program } = await t.start("server", { probes: [heartbeat] });
  const standing = { ranNs: 5e6, waitedNs: 1e6, isReady: true };
  program.say("beat\n");
  t.launch.sightings.set(program.system.pid, new Map([[7, standing]]));
  await t.advance(1_000);
  expect(t.ends).toEqual([]);
  // It had a core, waited 800 ms for it, and says nothing still.
  t.launch.sightings.set(program.system.pid, new Map([[7, { ranNs: 6e6, waitedNs: 801e6, isReady: false }]]));
  await t.advance(150);
  expect(t.ends).toEqual([]);
  await t.advance(300);
  expect(t.ends).toMatchObject([{ how: "hung", why: expect.stringContaining("of which it waited for a core") }]);
});

test("a beat may come in pieces, and what is no beat passes through", async () => {
  const { program, process } = await t.start("server", { probes: [heartbeat], outputBytesMax: 10_000 });
  for (const piece of ["be", "at\nabc", "\nbeat 2\nrest", "x".repeat(1_001), " end"]) program.say(piece);
  program.exit(0);
  await process.gone;
  expect(process.run?.output.text).toBe(`abc\nrest${"x".repeat(1_001)} end`);
});

test("silence", async () => {
  const { program } = await t.start("server", { probes: [{ kind: "silence", limitMs: 1_000 }] });
  await t.advance(900);
  program.say(".");
  await t.advance(1_000);
  expect(t.ends).toEqual([]);
  await t.advance(100);
  expect(t.ends).toMatchObject([{ how: "hung", why: "no output for 1001 ms" }]);
});

test("a command that fails so many times in a row, after it was well", async () => {
  const asked = { everyMs: 200, timeoutMs: 100, failuresMax: 3, graceMs: 0 };
  const { process } = await t.start("server", { probes: [{ kind: "command", argv: ["check"], ...asked }] });
  expect(process.run?.isReady).toBe(false);
  await t.advance(1_000);
  expect(process.run?.isReady).toBe(true);
  t.launch.isWell = false;
  await t.advance(400);
  expect(t.ends).toEqual([]);
  await t.advance(400);
  expect(t.ends).toMatchObject([{ how: "hung", why: "its command probe failed 3 times in a row" }]);
});
