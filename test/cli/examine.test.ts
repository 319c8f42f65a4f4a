/** What `banyan doctor` says of a process whose agents wait, and what `banyan top` shows of it. */
import { expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { examinations, type Finding } from "../../src/cli/examine.ts";
import { startControl } from "../../src/server/control-socket.ts";
import { banyan } from "../support/command-line.ts";
import { openFleet } from "../support/fleet.ts";

async function findingsIn(folder: string): Promise<Record<string, Finding>> {
  const findings: Record<string, Finding> = {};
  for await (const finding of examinations(folder, systemClock())) findings[finding.about] = finding;
  return findings;
}

test("forks that wait for their turn are named, with the rate and the tree", async () => {
  await using fleet = await openFleet({ forksPerMinute: 1 });
  await using _control = await startControl(fleet.banyan.runtime, { shutDown: () => undefined });
  const lead = await fleet.lead();
  await lead.fork();
  const waiting = lead.fork().catch(() => undefined);
  const { coordinator } = fleet.banyan.runtime;
  while (coordinator.throttled.forks.waiting === 0) await new Promise(setImmediate);
  const { forks, spawns, sessions } = await findingsIn(fleet.folder);
  expect(forks).toMatchObject({
    level: "ok",
    says: `1 waiting for their turn (1 a minute a tree, any number a tenant): ${lead.id} 1`,
  });
  expect([spawns, sessions]).toEqual([undefined, undefined]);
  await fleet.banyan.close();
  await waiting;
});

test("what is found of agents' programs is told", async () => {
  await using fleet = await openFleet();
  const { processes } = await findingsIn(fleet.folder);
  expect(processes).toEqual({
    ...{ level: "ok", about: "processes" },
    says: "what agents' programs start is found when they end, what left its group and cleaned its environment included",
  });
});

test("sessions are told of, with what to do when agents wait for their memory", async () => {
  await using fleet = await openFleet();
  await using _control = await startControl(fleet.banyan.runtime, { shutDown: () => undefined });
  await fleet.lead();
  const { coordinator } = fleet.banyan.runtime;
  const some = { ready: 1, target: 2, claimed: 3, parked: 4, waiting: 5, memoryBytes: 950, memoryBytesMax: 1_000 };
  const claims = { hitRatio: 0.5, claimWaitMs: { p50: 0, p99: 1_500 } };
  const pool = { ...coordinator.pool, ...some, ...claims };
  Object.defineProperty(coordinator, "pool", { get: () => pool });
  const { sessions } = await findingsIn(fleet.folder);
  expect(sessions).toMatchObject({
    level: "warn",
    says: expect.stringMatching(
      /^3 working, 4 at rest, 1 of 2 ready, 5 waited for; .*, 50 % of claims met at once, waits /,
    ),
    remedy: expect.stringContaining("poolMemoryBytes"),
  });
  const { out } = await banyan(["top", "--data", fleet.folder]);
  expect(out).toContain("sessions: 3 working, 4 at rest, 1 of 2 ready; 5 agents waiting for one");
});
