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

test("points that no policy keeps are forgotten, and their room is given back", async () => {
  await using fleet = await openFleet();
  const place = mkdtempSync(join(tmpdir(), "banyan-backup-"));
  const where = ["--data", fleet.folder, "--store", join(place, "store")];
  const backup = (...words: string[]) => banyan(["backup", ...words, ...where]);
  const none = ["hourly", "daily", "weekly", "monthly"].flatMap((period) => [`--keep-${period}`, "0"]);
  try {
    for (let n = 0; n < 4; n++) {
      await fleet.became(await fleet.lead(`lead-${n}`), "waiting message");
      expect((await backup("create")).exit).toBe(0);
    }
    const dry = await backup("forget", "--keep-last", "2", ...none, "--dry-run");
    expect(dry.out).toMatch(/forgotten\n[\s\S]*kept: last\n2 points kept, 2 would be forgotten\n$/);
    const done = await backup("forget", "--keep-last", "2", ...none);
    expect(done.out).toMatch(/2 points kept, 2 forgotten: .* are .*\n$/);
    expect((await backup("prune", "--dry-run")).out).toMatch(/^3 objects of .* would be removed/);
    expect(JSON.parse((await backup("prune", "--json")).out)).toMatchObject({ objects: 3 });
    expect((await backup("verify")).exit).toBe(0);
    expect(JSON.parse((await backup("ls", "--json")).out)).toHaveLength(2);
    expect(await backup("forget", "--keep-last", "few")).toMatchObject({ exit: 2 });
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
});
