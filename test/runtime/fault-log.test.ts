/** What went wrong, written down beside the journal. */
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { ManualClock } from "../../src/base/clock.ts";
import { BanyanError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { openFaultLog } from "../../src/runtime/fault-log.ts";
import { openRuntime } from "../../src/runtime/open.ts";
import { openFleet } from "../support/fleet.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function world() {
  const folder = mkdtempSync(join(tmpdir(), "banyan-faults-"));
  folders.push(folder);
  const clock = new ManualClock();
  const open = () => openFaultLog({ folder, clock, redact: (text) => text.replaceAll("secret", "[redacted]") });
  return { folder, clock, open };
}

const fault = (message = "not whole") => new BanyanError("SNAPSHOT_DAMAGED", message);

test("faults are there after a restart, without secrets, and without a line that a crash cut short", async () => {
  const { folder, open } = world();
  open().note("a", fault("the secret is out"));
  open().note("b", new Error("a bug"));
  appendFileSync(join(folder, "faults.jsonl"), '{"time":1,"ag');
  expect(open().read()).toMatchObject([
    { agent: "a", code: "SNAPSHOT_DAMAGED", message: "the [redacted] is out" },
    { agent: "b", code: "INTERNAL", message: "a bug" },
  ]);
});

test("Y1: a disk that takes nothing loses no fault of this process", () => {
  const { folder, open } = world();
  mkdirSync(join(folder, "faults.jsonl"));
  const log = open();
  log.note("a", fault());
  expect(log.read()).toMatchObject([{ agent: "a" }]);
});

test("Y2: of a storm some are counted alone, and a full file is set aside once", async () => {
  const { folder, clock, open } = world();
  const log = open();
  for (let n = 0; n < LIMITS.faultsPerSecondMax + 50; n++) log.note("a", fault());
  expect(log.read()).toHaveLength(LIMITS.faultsPerSecondMax);
  await clock.advance(1_000);
  log.note("a", fault());
  expect(log.read().at(-1)).toMatchObject({ left: 50 });
  writeFileSync(join(folder, "faults.jsonl"), "x".repeat(LIMITS.faultLogBytesMax + 1));
  log.note("b", fault());
  expect(readdirSync(folder).toSorted()).toEqual(["faults.jsonl", "faults.old.jsonl"]);
  expect(statSync(join(folder, "faults.jsonl")).size).toBeLessThan(1_000);
});

test("a snapshot that cannot be used is passed over and told of, and the agent is the same as without it", async () => {
  await using fleet = await openFleet({ snapshotTailMin: 1 });
  const lead = await fleet.lead();
  for (let turn = 0; turn < 3; turn++) {
    await lead.send(`message ${turn}`);
    await fleet.became(lead, "waiting message");
  }
  const before = await fleet.banyan.runtime.coordinator.state(lead.id);
  await fleet.banyan.close();
  const folder = join(fleet.folder, "snapshots", lead.id.slice(-2), lead.id);
  expect(readdirSync(folder).length).toBeGreaterThan(0);
  for (const name of readdirSync(folder)) writeFileSync(join(folder, name), "not a snapshot");
  const runtime = await openRuntime(fleet.folder, { work: false });
  const after = await runtime.coordinator.state(lead.id);
  expect({
    ...after,
    receivedIds: [...after.receivedIds],
    children: [...after.children.values()],
    entries: [...after.entries],
  }).toEqual({
    ...before,
    receivedIds: [...before.receivedIds],
    children: [...before.children.values()],
    entries: [...before.entries],
  });
  const told = runtime.faults.read().map(({ agent, code }) => [agent, code]);
  expect(told).toContainEqual([lead.id, "SNAPSHOT_DAMAGED"]);
  await runtime.stop();
});
