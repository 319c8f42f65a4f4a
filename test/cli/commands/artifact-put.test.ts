/** `banyan artifact put`: what an operator gives to an agent. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { LIMITS } from "../../../src/base/limits.ts";
import { systemRandom } from "../../../src/base/random.ts";
import { AccessTokens } from "../../../src/server/access-tokens.ts";
import { startHttp } from "../../../src/server/http-server.ts";
import { banyan } from "../../support/command-line.ts";
import { openFleet } from "../../support/fleet.ts";

test("a file becomes an artifact of the agent, and the journal has the name of who put it", async () => {
  await using fleet = await openFleet();
  const lead = await fleet.lead();
  const tokens = new AccessTokens(fleet.folder, { clock: systemClock(), random: systemRandom });
  await using http = await startHttp(fleet.banyan.runtime, { port: 0, tokens });
  const folder = mkdtempSync(join(tmpdir(), "banyan-put-"));
  const put = (role: "viewer" | "operator", ...words: string[]) => {
    const BANYAN_TOKEN = tokens.create({ name: `${role}-${words.length}-${made++}`, role, endTime: null });
    return banyan(["artifact", "put", ...words], { environment: { BANYAN_URL: http.url, BANYAN_TOKEN }, folder });
  };
  let made = 0;
  try {
    writeFileSync(join(folder, "plan.csv"), "north,1\n");
    const done = await put("operator", "plan.csv", "--agent", "lead", "--media-type", "text/csv", "--json");
    expect(JSON.parse(done.out)).toMatchObject({ agent: lead.id, name: "plan.csv", bytes: 8, mediaType: "text/csv" });
    expect((await banyan(["artifact", "get", "plan.csv", "--data", fleet.folder])).out).toBe("north,1\n");
    expect((await banyan(["logs", "lead", "--data", fleet.folder])).out).toMatch(
      /plan\.csv, 8 bytes, by .*operator-6-0/,
    );
    // A new version, under another name of file.
    writeFileSync(join(folder, "new"), "north,2\n");
    expect((await put("operator", "new", "--agent", "lead", "--name", "plan.csv")).exit).toBe(0);
    expect((await banyan(["artifact", "get", "plan.csv", "--data", fleet.folder])).out).toBe("north,2\n");

    const versions = JSON.parse(
      (await banyan(["artifact", "versions", "plan.csv", "--data", fleet.folder, "--json"])).out,
    );
    expect(versions).toMatchObject([
      { version: 1, callId: null, by: { kind: "person", id: "operator-6-0" }, current: false },
      { version: 2, callId: null, by: { kind: "person" }, current: true },
    ]);

    const journal = fleet.banyan.runtime.services.journal;
    const before = await journal.position();
    expect((await put("viewer", "new", "--agent", "lead")).err).toContain("ROLE_REFUSED");
    expect((await put("operator", "new", "--agent", "nobody")).err).toContain("AGENT_NOT_FOUND");
    for (const name of ["../plan", "a/b", "", "x".repeat(300), "a\nb", "\u202eb"])
      expect((await put("operator", "new", "--agent", "lead", "--name", name)).exit).toBe(2);
    expect((await put("operator", "new", "--agent", "lead", "--media-type", "text/html\r\nX: y")).exit).toBe(2);
    for (const file of ["missing", "."]) expect((await put("operator", file, "--agent", "lead")).exit).toBe(2);
    writeFileSync(join(folder, "large"), Buffer.alloc(LIMITS.artifactPutBytesMax + 1));
    expect((await put("operator", "large", "--agent", "lead")).err).toContain("CONTENT_TOO_LARGE");
    expect(await journal.position()).toBe(before);
    writeFileSync(join(folder, "large"), Buffer.alloc(LIMITS.artifactPutBytesMax));
    expect((await put("operator", "large", "--agent", "lead")).exit).toBe(0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("Q2: a tree's bound holds for what a person puts, and an agent that has ended is given nothing", async () => {
  await using fleet = await openFleet({ treeArtifactBytesMax: 4 });
  const lead = await fleet.lead();
  const control = fleet.banyan.runtime.coordinator.control;
  const wanted = { name: "plan", bytes: Buffer.from("north"), mediaType: "text/plain" };
  await expect(control.putArtifact(lead.id, wanted)).rejects.toMatchObject({ code: "QUOTA_EXCEEDED" });
  await control.putArtifact(lead.id, { ...wanted, bytes: Buffer.from("east") });
  await lead.cancel();
  await expect(control.putArtifact(lead.id, wanted)).rejects.toMatchObject({ code: "AGENT_ENDED" });
});
