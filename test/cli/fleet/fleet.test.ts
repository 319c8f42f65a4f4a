/** A simulated fleet as a person starts it: it is there, it lives, and it is steered as any other. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { connect } from "../../../src/client.ts";
import { banyan } from "../../support/command-line.ts";

test("simulate --fleet keeps a fleet alive until Ctrl-C, in the folder that it is given", async () => {
  const folder = await mkdtemp(join(tmpdir(), "banyan-test-"));
  const interrupt = new AbortController();
  const started = Promise.withResolvers<{ data: string; agents: number; url: string; token: string }>();
  const command = banyan(["simulate", "--fleet", "60", "--depth", "6", "--rate", "5000", "--data", folder, "--json"], {
    interrupted: interrupt.signal,
    onOut: (text) => started.resolve(JSON.parse(text)),
  });
  try {
    const told = await started.promise;
    expect(told).toMatchObject({ data: folder, agents: 60, levels: 6 });
    await using far = await connect(told);
    expect((await far.stats()).trees).toBe(1);
    await using client = await connect(folder);
    const seen = { spawned: 0, tools: 0, ended: 0 };
    for await (const { event } of client.logs({ follow: true })) {
      if (event.type === "child.spawned") seen.spawned += 1;
      if (event.type === "tool.ended") seen.tools += 1;
      if (event.type === "child.ended") seen.ended += 1;
      // Some of them have ended, and others were sent after them.
      if (seen.spawned > 60 && seen.ended > 1 && seen.tools > 100) break;
    }
    const { total } = await client.overview({ lines: 10 });
    expect(total.levels).toBe(6);
    expect(total.live).toBeGreaterThan(50);
    await client.pause({ agent: "fleet" });
  } finally {
    interrupt.abort();
    expect((await command).exit).toBe(0);
    await rm(folder, { recursive: true, force: true });
  }
});

test("a fleet that cannot be is refused", async () => {
  for (const [fleet, depth, rate] of [
    ["3", "4", "10"],
    ["10", "0", "10"],
    ["10", "1000", "10"],
    ["10", "3", "0"],
  ] as const) {
    const { exit, err } = await banyan(["simulate", "--fleet", fleet, "--depth", depth, "--rate", rate]);
    expect([exit, err]).toEqual([2, expect.stringContaining("INPUT_INVALID")]);
  }
});
