import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { backUp } from "../../src/runtime/backup.ts";
import { openRuntime } from "../../src/runtime/open.ts";
import { scrubRuntime } from "../../src/runtime/scrub.ts";
import { harmFirst } from "../blobs/fs/world.ts";
import { openFleet } from "../support/fleet.ts";

test("a blob that rotted is found, told of as a fault, and mended from the backup", async () => {
  const store = mkdtempSync(join(tmpdir(), "banyan-scrub-"));
  try {
    await using fleet = await openFleet();
    const agent = await fleet.lead();
    await (await agent.spawn({ name: "kid", task: `write map ${"x".repeat(10_000)}` })).result();
    await fleet.banyan.close();
    await backUp(fleet.folder, { store });
    const digest = harmFirst(join(fleet.folder, "blobs"), "bytes");
    const runtime = await openRuntime(fleet.folder, { work: false });
    expect(await scrubRuntime(runtime)).toMatchObject({ damaged: 1, mended: 0, unsound: [{ digest, mended: false }] });
    expect(await scrubRuntime(runtime, { backup: store })).toMatchObject({ damaged: 1, mended: 1 });
    expect(await scrubRuntime(runtime)).toMatchObject({ damaged: 0, missing: 0 });
    expect(runtime.faults.read().map(({ code, message }) => [code, message])).toEqual([
      ["BLOB_DAMAGED", `the blob ${digest} is damaged`],
      ["BLOB_DAMAGED", `the blob ${digest} is damaged; it was mended from the backup`],
    ]);
    await runtime.stop();
  } finally {
    rmSync(store, { recursive: true, force: true });
  }
});
