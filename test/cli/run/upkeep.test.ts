/** What is done to the data again and again: when, in which order, and what a failure or a stop leaves. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ManualClock } from "../../../src/base/clock.ts";
import { BanyanError } from "../../../src/base/errors.ts";
import { presentIsOver } from "../../../src/base/event-loop.ts";
import { LIMITS } from "../../../src/base/limits.ts";
import { keepUp, type UpkeepTask } from "../../../src/cli/run/upkeep.ts";

const HOUR_MS = 3_600_000;

function lab() {
  const folder = mkdtempSync(join(tmpdir(), "banyan-upkeep-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const clock = new ManualClock();
  const done: string[] = [];
  const faults: string[] = [];
  const task = (name: UpkeepTask["name"], hours: number, run?: UpkeepTask["run"]): UpkeepTask => ({
    name,
    everyMs: hours * HOUR_MS,
    run: run ?? (async () => void done.push(name)),
  });
  const begin = (...tasks: UpkeepTask[]) =>
    keepUp({ folder, clock, tasks, onFault: ({ message }) => void faults.push(message) });
  const pass = async (ms: number) => {
    await presentIsOver();
    clock.advance(ms);
    for (let turn = 0; turn < 5; turn++) await presentIsOver();
  };
  return { folder, clock, done, faults, task, begin, pass };
}

test("U1: a task is done some time after the first start, then when its time has passed, also by the next process", async () => {
  const { done, task, begin, pass } = lab();
  const tasks = [task("archive", 1), task("scrub", 3)] as const;
  const first = begin(...tasks);
  await pass(LIMITS.upkeepFirstMs - 1);
  expect(done).toEqual([]);
  await pass(1);
  await pass(0);
  expect(done.toSorted()).toEqual(["archive", "scrub"]);
  await pass(HOUR_MS);
  expect(done.slice(2)).toEqual(["archive"]);
  await first[Symbol.asyncDispose]();
  const second = begin(...tasks);
  await pass(HOUR_MS - 1);
  expect(done).toHaveLength(3);
  await pass(1);
  await pass(HOUR_MS);
  await pass(0);
  expect(done.slice(3).toSorted()).toEqual(["archive", "archive", "scrub"]);
  await second[Symbol.asyncDispose]();
});

test("U1: a file that is no file of ours says of no task that it was done", async () => {
  const { folder, done, task, begin, pass } = lab();
  writeFileSync(join(folder, "upkeep.json"), '{"archive":"yesterday"}');
  await using _ = begin(task("archive", 1));
  await pass(LIMITS.upkeepFirstMs);
  expect(done).toEqual(["archive"]);
  expect(JSON.parse(readFileSync(join(folder, "upkeep.json"), "utf8"))).toEqual({ archive: expect.any(Number) });
});

test("U2: what fails is told, and is done again when it is due again", async () => {
  const { faults, task, begin, pass } = lab();
  let tries = 0;
  const failing = task("collect", 2, async () => {
    tries += 1;
    throw new BanyanError("DISK_FAILED", `no room ${tries}`);
  });
  await using _ = begin(failing);
  await pass(LIMITS.upkeepFirstMs);
  await pass(2 * HOUR_MS - 1);
  expect(faults).toEqual(["no room 1"]);
  await pass(1);
  expect(faults).toEqual(["no room 1", "no room 2"]);
});

test("U3: stopping ends what is under way, which is no fault, and it counts as not done", async () => {
  const { folder, faults, task, begin, pass } = lab();
  const hanging = task("scrub", 1, (signal) => {
    return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  });
  const upkeep = begin(hanging);
  await pass(LIMITS.upkeepFirstMs);
  await upkeep[Symbol.asyncDispose]();
  expect(faults).toEqual([]);
  expect(() => readFileSync(join(folder, "upkeep.json"))).toThrow("ENOENT");
});

test("nothing is asked for, nothing is done", async () => {
  const { begin, pass, faults } = lab();
  await using _ = begin();
  await pass(100 * HOUR_MS);
  expect(faults).toEqual([]);
});
