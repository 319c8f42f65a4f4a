/** `banyan backup`, as an operator uses it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { banyan } from "../../support/command-line.ts";
import { openFleet } from "../../support/fleet.ts";

test("a backup is listed, drilled and restored up to an event, and doctor tells what the newest drill found", async () => {
  await using fleet = await openFleet();
  const place = mkdtempSync(join(tmpdir(), "banyan-backup-"));
  const store = join(place, "store");
  const backup = (...words: string[]) => banyan(["backup", ...words, "--data", fleet.folder, "--store", store]);
  const doctor = async () => (await banyan(["doctor", "--data", fleet.folder])).out;
  try {
    await fleet.lead();
    expect((await backup("create")).exit).toBe(0);
    expect(await doctor()).toContain("never drilled");
    expect((await backup("status")).out).toContain("never drilled");
    expect((await backup("drill")).out).toMatch(/^the drill at .* restored and verified \d+ records and \d+ blobs?, /);
    expect((await backup("status")).out).toContain("restored and verified");
    expect(await doctor()).toContain(`${store} was restored in`);

    const listed = await backup("ls");
    const [, event = ""] = /(\w{26}:\d+)/.exec(listed.out) ?? [];
    expect(listed.out).toMatch(/^SEGMENT +TIME +EVENT/);
    const into = ["--data", join(place, "data"), "--store", store];
    expect((await banyan(["backup", "restore", ...into, "--at", event])).out).toContain("verified: 1 agent");
    expect(await banyan(["backup", "restore", ...into, "--at", "soon"])).toMatchObject({ exit: 2 });

    const segment = join(store, "journal", "000001", "000000000001.seg");
    writeFileSync(segment, readFileSync(segment).subarray(0, -3));
    expect(await backup("drill")).toMatchObject({ exit: 5, out: expect.stringContaining("failed: BLOB_DAMAGED") });
    expect((await backup("status")).out).toMatch(/newest segment is damaged[\s\S]*failed: BLOB_DAMAGED/);
    expect(await doctor()).toMatch(/the drill of .* failed: BLOB_DAMAGED/);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
});
