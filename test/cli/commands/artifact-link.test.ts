/** `banyan artifact link`, with and without a server. */
import { expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { systemRandom } from "../../../src/base/random.ts";
import { AccessTokens } from "../../../src/server/access-tokens.ts";
import { startHttp } from "../../../src/server/http-server.ts";
import { banyan } from "../../support/command-line.ts";
import { openFleet } from "../../support/fleet.ts";

test("a link is printed that opens the artifact, until all are revoked", async () => {
  await using fleet = await openFleet();
  const lead = await fleet.lead();
  await lead.send("write map of the north");
  await fleet.became(lead, "waiting message");
  const tokens = new AccessTokens(fleet.folder, { clock: systemClock(), random: systemRandom });
  const token = tokens.first() ?? "";
  await using http = await startHttp(fleet.banyan.runtime, { port: 0, tokens });
  const environment = { BANYAN_URL: http.url, BANYAN_TOKEN: token };
  const { out, err } = await banyan(["artifact", "link", "map", "--for", "2h"], { environment });
  expect(out.trim()).toMatch(new RegExp(`^${http.url}/v1/link/[\\w.-]+$`));
  expect(err).toContain("revoke-links");
  expect(await (await fetch(out.trim())).text()).toBe("of the north");
  expect((await banyan(["artifact", "revoke-links"], { environment })).exit).toBe(0);
  expect((await fetch(out.trim())).status).toBe(403);
  await http.stop();
  await fleet.banyan.close();
  const closed = await banyan(["artifact", "link", "map", "--json", "--data", fleet.folder]);
  expect(JSON.parse(closed.out)).toMatchObject({ url: null, path: expect.stringMatching(/^\/v1\/link\//) });
  expect(await banyan(["artifact", "link", "map", "--for", "90d", "--data", fleet.folder])).toMatchObject({ exit: 2 });
});
