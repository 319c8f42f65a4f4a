/** The client: the same answers from a process that runs the agents and from data that none runs. */
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { connect } from "../../src/client.ts";
import { Banyan } from "../../src/runtime/banyan.ts";
import { startControl } from "../../src/server/control-socket.ts";
import { openFleet } from "../support/fleet.ts";

describe("with a process that runs the agents", () => {
  test("asks it, and sees what it does", async () => {
    await using fleet = await openFleet();
    const lead = await fleet.lead();
    await using _control = await startControl(fleet.banyan.runtime);
    await using client = await connect(fleet.folder);
    expect(client.live).toBe(true);
    expect(await client.stats()).toMatchObject({ pid: process.pid, agents: 1 });
    expect(await client.pause({ agent: "lead" })).toMatchObject({ status: "held" });
    expect(lead.status).toBe("held");
    await expect(client.pause({ agent: "nobody" })).rejects.toMatchObject({
      code: "AGENT_NOT_FOUND",
      remedy: expect.stringContaining("banyan tree"),
    });
  });

  test("an operation inside the stream of another does not wait for it", async () => {
    await using fleet = await openFleet();
    await fleet.lead();
    await using _control = await startControl(fleet.banyan.runtime);
    await using client = await connect(fleet.folder);
    let seen = 0;
    for await (const { event } of client.logs({ agent: "lead", follow: true })) {
      seen += 1;
      if (event.type === "hold.set") await client.resume({ agent: "lead" });
      if (event.type === "hold.released") break;
      if (seen === 1) await client.pause({ agent: "lead" });
    }
    expect(seen).toBeGreaterThan(2);
  });

  test("what nobody waits for any more is given up", async () => {
    await using fleet = await openFleet();
    await fleet.lead();
    await using _control = await startControl(fleet.banyan.runtime);
    await using client = await connect(fleet.folder);
    const abort = new AbortController();
    const following = client.logs({ follow: true }, { signal: abort.signal }).toArray();
    abort.abort(new Error("enough"));
    await expect(following).rejects.toThrow("enough");
    await expect(client.stats({}, { signal: abort.signal })).rejects.toThrow("enough");
    expect(await client.stats()).toMatchObject({ agents: 1 });
  });

  test("when it is gone, what was under way fails, and the next operation works on the data", async () => {
    await using fleet = await openFleet();
    await fleet.lead();
    const control = await startControl(fleet.banyan.runtime);
    await using client = await connect(fleet.folder);
    const following = client.logs({ follow: true }).toArray();
    following.catch(() => undefined);
    await client.stats();
    await control.stop();
    await fleet.banyan.close();
    await expect(following).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
    expect(await client.tree().toArray()).toMatchObject([{ name: "lead" }]);
    expect(client.live).toBe(false);
  });

  test("when it comes, the client finds it by itself", async () => {
    await using fleet = await openFleet();
    await fleet.lead();
    await using client = await connect(fleet.folder);
    expect(await client.stats()).toMatchObject({ pid: null, agents: 1 });
    expect(client.live).toBe(false);
    await using _control = await startControl(fleet.banyan.runtime);
    expect(await client.stats()).toMatchObject({ pid: process.pid });
    expect(client.live).toBe(true);
  });
});

describe("with data that no process runs", () => {
  test("reads write nothing", async () => {
    await using fleet = await openFleet();
    await fleet.lead();
    await fleet.banyan.close();
    // SQLite keeps an index of its log beside the database while someone reads.
    const files = () =>
      readdirSync(fleet.folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && !/-(wal|shm)$/.test(entry.name))
        .map(({ parentPath, name }) => [name, statSync(join(parentPath, name)).mtimeMs]);
    const before = files();
    await using client = await connect(fleet.folder);
    expect(await client.tree().toArray()).toMatchObject([{ name: "lead", status: "waiting" }]);
    expect(await client.logs({ agent: "lead" }).toArray()).not.toEqual([]);
    expect(await client.agent({ agent: "lead" })).toMatchObject({ path: "/lead" });
    expect(files()).toEqual(before);
  });

  test("commands are journaled, and carried out by the next process", async () => {
    await using fleet = await openFleet();
    const lead = await fleet.lead();
    await fleet.banyan.close();
    await using client = await connect(fleet.folder);
    expect(await client.send({ agent: "lead", text: "and now" })).toMatchObject({ agent: lead.id });
    expect(await client.fork({ agent: "lead", name: "twin" })).toMatchObject({ name: "twin" });
    expect(await client.tree().toArray()).toMatchObject([{ name: "lead", turns: 1 }, { name: "twin" }]);

    await using again = await Banyan.open(fleet.folder, { models: [fleet.model] });
    const agent = again.agent(lead.id);
    for await (const { event } of agent.events())
      if (event.type === "turn.ended" && JSON.stringify(event.parts).includes("and now")) break;
  });

  test("following ends with what there is", async () => {
    await using fleet = await openFleet();
    await fleet.lead();
    await fleet.banyan.close();
    await using client = await connect(fleet.folder);
    expect(await client.logs({ follow: true }).toArray()).not.toEqual([]);
  });

  test("shutdown is refused", async () => {
    await using fleet = await openFleet();
    await fleet.banyan.close();
    await using client = await connect(fleet.folder);
    await expect(client.shutdown()).rejects.toMatchObject({ code: "NOT_RUNNING" });
  });

  test("several commands at once take turns", async () => {
    await using fleet = await openFleet();
    await fleet.lead();
    await fleet.banyan.close();
    const clients = await Promise.all([1, 2, 3].map(() => connect(fleet.folder)));
    await Promise.all(clients.map((client, index) => client.send({ agent: "lead", text: `message ${index}` })));
    expect(await clients[0]?.agent({ agent: "lead" })).toMatchObject({ unread: 3 });
    for (const client of clients) await client.close();
  });
});

test("a folder without data is refused, and none is made", async () => {
  const folder = mkdtempSync(join(tmpdir(), "banyan-none-"));
  await expect(connect(folder)).rejects.toMatchObject({ code: "DATA_NOT_FOUND" });
  await expect(connect(join(folder, "none"))).rejects.toMatchObject({ code: "DATA_NOT_FOUND" });
  expect(readdirSync(folder)).toEqual([]);
  rmSync(folder, { recursive: true });
});
