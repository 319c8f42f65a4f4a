/** The client of a server: the same as that of a data folder, and careful with its token. */
import { expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { systemRandom } from "../../src/base/random.ts";
import { connect } from "../../src/client.ts";
import { AccessTokens } from "../../src/server/access-tokens.ts";
import { startControl } from "../../src/server/control-socket.ts";
import { startHttp } from "../../src/server/http-server.ts";
import { banyan } from "../support/command-line.ts";
import { openFleet } from "../support/fleet.ts";

async function openServer() {
  const fleet = await openFleet();
  const lead = await fleet.lead();
  const tokens = new AccessTokens(fleet.folder, { clock: systemClock(), random: systemRandom });
  const token = tokens.first() ?? "";
  const http = await startHttp(fleet.banyan.runtime, { port: 0, tokens });
  const client = await connect({ url: http.url, token });
  return {
    fleet,
    lead,
    tokens,
    token,
    http,
    client,
    async [Symbol.asyncDispose]() {
      await client.close();
      await http.stop();
      await fleet[Symbol.asyncDispose]();
    },
  };
}

test("answers, items and refusals are those of the data folder's client", async () => {
  await using open = await openServer();
  const { client, lead } = open;
  await using near = await connect(open.fleet.folder);
  expect(client.live).toBe(true);
  expect(await client.agent({ agent: "lead" })).toEqual(await near.agent({ agent: "lead" }));
  expect(await client.tree().toArray()).toEqual(await near.tree().toArray());
  expect(await client.logs().toArray()).toEqual(await near.logs().toArray());
  expect(await client.pause({ agent: "lead" })).toMatchObject({ agent: lead.id, status: "held" });
  await expect(client.agent({ agent: "nobody" })).rejects.toMatchObject({ code: "AGENT_NOT_FOUND" });
  await expect(client.tree({ agent: "nobody" }).toArray()).rejects.toMatchObject({ code: "AGENT_NOT_FOUND" });
  await expect(client.agent({ agent: "" })).rejects.toMatchObject({ code: "INPUT_INVALID" });
});

test("events are followed from a position, until the reader leaves or the server stops", async () => {
  await using open = await openServer();
  const { client, lead, http } = open;
  const { position } = await client.stats();
  await lead.send("again");
  const seen: number[] = [];
  for await (const each of client.logs({ agent: "lead", subtree: true, from: position, follow: true })) {
    seen.push(each.position);
    if (each.event.type === "turn.ended") break;
  }
  expect(seen[0]).toBe(position + 1);
  const gone = new AbortController();
  const followed = client.logs({ follow: true }, { signal: gone.signal })[Symbol.asyncIterator]();
  await followed.next();
  gone.abort(new Error("enough"));
  await expect(
    (async () => {
      while (!(await followed.next()).done);
    })(),
  ).rejects.toThrow("enough");
  const left = client.logs({ follow: true })[Symbol.asyncIterator]();
  await left.next();
  await http.stop();
  await expect(
    (async () => {
      while (!(await left.next()).done);
    })(),
  ).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
});

test("the token goes over no network in the clear, and the commands use it where BANYAN_URL names a server", async () => {
  await using open = await openServer();
  for (const url of ["http://banyan.example", "ftp://127.0.0.1", "here"]) {
    await expect(connect({ url, token: "x" })).rejects.toMatchObject({ code: "INPUT_INVALID" });
  }
  await using nobody = await connect({ url: "http://127.0.0.1:1", token: "x" });
  await expect(nobody.stats()).rejects.toMatchObject({ code: "SERVER_UNREACHABLE" });

  const run = (line: string, BANYAN_TOKEN: string) =>
    banyan(line.split(" "), { environment: { BANYAN_URL: open.http.url, BANYAN_TOKEN } });
  expect(JSON.parse((await run("tree --json", open.token)).out)).toMatchObject([{ id: open.lead.id }]);
  const viewer = open.tokens.create({ name: "ada", role: "viewer", endTime: null });
  expect((await run("pause lead", viewer)).err).toContain("error ROLE_REFUSED");
  open.tokens.revoke("ada");
  const refused = await run("tree", viewer);
  expect(refused.err).toContain("error TOKEN_REFUSED");
  expect(refused.err).not.toContain(viewer);
});

test("the fleet is followed through either client, and told once to whom does not follow", async () => {
  await using open = await openServer();
  await using _control = await startControl(open.fleet.banyan.runtime);
  await using near = await connect(open.fleet.folder);
  for (const client of [open.client, near]) {
    expect(await client.fleet().toArray()).toMatchObject([{ kind: "agents", agents: { name: ["lead"] } }]);
    const kinds: string[] = [];
    for await (const { kind } of client.fleet({ follow: true })) {
      if (kind === "agents") await open.lead.send("again");
      kinds.push(kind);
      if (kind === "changes") break;
    }
    expect(kinds.filter((kind) => kind !== "beat")).toEqual(["agents", "changes"]);
  }
});
