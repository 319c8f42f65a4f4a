/** A backup that is kept beside a process, with commands that do as the test says. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ManualClock } from "../../../src/base/clock.ts";
import { LIMITS } from "../../../src/base/limits.ts";
import { type CommandEnd, keepBackup } from "../../../src/cli/run/backup-keeper.ts";
import { noteDrill } from "../../../src/runtime/backup-notes.ts";
import { banyan } from "../../support/command-line.ts";
import { openFleet } from "../../support/fleet.ts";

const HOUR_MS = 3_600_000;

function world(drillEveryMs: number) {
  const folder = mkdtempSync(join(tmpdir(), "banyan-keeper-"));
  const clock = new ManualClock();
  const begun: string[] = [];
  const faults: string[] = [];
  let ships = false;
  /** Until all that is left waits for time to go on, or for shipping to end. */
  const settled = async () => {
    while (clock.pending === 0 && !(ships && drillEveryMs === 0)) await new Promise(setImmediate);
  };
  let ending: ((end: CommandEnd) => void) | undefined;
  const run = async (words: readonly string[], signal: AbortSignal): Promise<CommandEnd> => {
    begun.push(words.slice(1, 2).join(" "));
    if (words[1] === "drill") {
      const nothing = { tookMs: 1, ok: true, error: null, segments: 0, records: 0, blobs: 0, bytes: 0 };
      await noteDrill(folder, "/store", { store: "/store", time: clock.now(), ...nothing });
      return { exit: 0, told: "" };
    }
    const { promise, resolve } = Promise.withResolvers<CommandEnd>();
    ending = resolve;
    ships = true;
    signal.addEventListener("abort", () => resolve({ exit: 0, told: "" }), { once: true });
    return promise;
  };
  const onFault = (error: Error) => faults.push(error.message);
  const keeper = keepBackup({ folder, store: "/store", drillEveryMs, clock, onFault, run });
  return {
    ...{ begun, faults, keeper },
    fail: async () => {
      ships = false;
      ending?.({ exit: 5, told: "no space" });
      await settled();
    },
    pass: async (ms: number) => {
      clock.advance(ms);
      await settled();
    },
    async [Symbol.asyncDispose]() {
      await keeper[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

test("K1: what stopped is told of and begun again, ever later while it goes on failing", async () => {
  await using at = world(0);
  for (let waitMs: number = LIMITS.backupRetryMsMin, count = 1; count < 6; waitMs *= 2, count++) {
    expect(at.begun).toHaveLength(count);
    await at.fail();
    expect(at.faults).toHaveLength(count);
    await at.pass(waitMs - 1);
    expect(at.begun).toHaveLength(count);
    await at.pass(1);
  }
  expect(at.faults[0]).toBe("the backup into /store stopped (5): no space");
  // It worked for a while: the next wait is short again.
  await at.pass(LIMITS.backupRetryMsMax + 1);
  await at.fail();
  await at.pass(LIMITS.backupRetryMsMin);
  expect(at.begun).toHaveLength(7);
});

test("K2: a drill is run when none was for longer than asked, and never when none is wanted", async () => {
  await using at = world(24 * HOUR_MS);
  const drills = () => at.begun.filter((word) => word === "drill").length;
  await at.pass(LIMITS.drillLookMs);
  expect(drills()).toBe(1);
  for (let hour = 0; hour < 23; hour++) await at.pass(HOUR_MS);
  expect(drills()).toBe(1);
  await at.pass(HOUR_MS);
  await at.pass(LIMITS.drillLookMs);
  expect(drills()).toBe(2);
  await using never = world(0);
  await never.pass(1_000 * HOUR_MS);
  expect(never.begun).toEqual(["create"]);
});

test("K3: `banyan up` ships as long as it runs, and ends what it started", async () => {
  await using fleet = await openFleet();
  await fleet.lead();
  await fleet.banyan.close();
  const data = fleet.folder;
  const store = mkdtempSync(join(tmpdir(), "banyan-keeper-"));
  try {
    const interrupt = new AbortController();
    const isUp = Promise.withResolvers<string>();
    const words = ["up", "--port", "0", "--json", "--data", data, "--backup", store];
    const ended = banyan(words, { interrupted: interrupt.signal, onOut: isUp.resolve });
    await isUp.promise;
    const status = () => banyan(["backup", "status", "--json", "--data", data, "--store", store]);
    const reached = async () => JSON.parse((await status()).out || "{}").segments > 0;
    while (!(await reached())) expect(interrupt.signal.aborted).toBe(false);
    interrupt.abort();
    expect((await ended).exit).toBe(0);
    expect((await banyan(["faults", "--data", data])).out).not.toContain("BACKUP_STOPPED");
  } finally {
    rmSync(store, { recursive: true, force: true });
  }
});
