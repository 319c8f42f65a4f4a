/** `banyan backup create --follow`, as a process of its own beside one that works. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { restoreFolder } from "../../src/runtime/backup-restore.ts";
import { openFleet } from "../support/fleet.ts";

const PROGRAM = fileURLToPath(new URL("../../bin/banyan.js", import.meta.url));

test("it goes on while nothing happens, ships what comes then, and ends when it is asked to", async () => {
  await using fleet = await openFleet();
  const place = mkdtempSync(join(tmpdir(), "banyan-backup-"));
  const store = join(place, "store");
  try {
    const lead = await fleet.lead();
    const words = ["backup", "create", "--follow", "--data", fleet.folder, "--store", store];
    const child = spawn(process.execPath, [PROGRAM, ...words], { stdio: ["ignore", "pipe", "pipe"] });
    const exit = new Promise<number | null>((resolve) => child.once("exit", resolve));
    let shipped = 0;
    for await (const line of createInterface({ input: child.stderr })) {
      shipped = Number(/all up to (\d+)/.exec(line)?.[1] ?? shipped);
      const { journal } = fleet.banyan.runtime.services;
      if (shipped < (await journal.position())) continue;
      if ((await fleet.banyan.runtime.coordinator.state(lead.id)).checkpoints.length > 0) child.kill("SIGTERM");
      else await lead.checkpoint("later");
    }
    expect(await exit).toBe(0);
    const restored = await restoreFolder(join(place, "data"), { store });
    expect(restored).toMatchObject({ records: shipped, verified: { ok: true } });
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
});
