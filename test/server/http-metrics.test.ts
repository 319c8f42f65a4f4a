/** `GET /metrics` against whoever may ask and whoever may not, read with a parser of the format. */
import { request } from "node:http";
import parse from "parse-prometheus-text-format";
import { expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { systemRandom } from "../../src/base/random.ts";
import { AccessTokens } from "../../src/server/access-tokens.ts";
import { startHttp } from "../../src/server/http-server.ts";
import { METRICS, type Metric } from "../../src/telemetry/metrics.ts";
import { openFleet } from "../support/fleet.ts";

async function openServer() {
  const fleet = await openFleet();
  const tokens = new AccessTokens(fleet.folder, { clock: systemClock(), random: systemRandom });
  const viewer = tokens.create({ name: "prometheus", role: "viewer", endTime: null });
  const http = await startHttp(fleet.banyan.runtime, { port: 0, tokens });
  const ask = (headers: Record<string, string> = { authorization: `Bearer ${viewer}` }) =>
    fetch(`${http.url}/metrics`, { headers });
  return {
    fleet,
    tokens,
    viewer,
    http,
    ask,
    async [Symbol.asyncDispose]() {
      await http.stop();
      await fleet[Symbol.asyncDispose]();
    },
  };
}

test("what is told is every metric of the table, with its kind, its words and the labels' values", async () => {
  await using open = await openServer();
  const lead = await open.fleet.lead();
  await lead.send("write notes something");
  await open.fleet.became(lead, "waiting message");
  const answer = await open.ask();
  expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const families = new Map(parse(await answer.text()).map((family) => [family.name, family]));
  expect([...families.keys()].sort()).toEqual(Object.keys(METRICS).sort());
  for (const [name, { is, says, labels = {} }] of Object.entries<Metric>(METRICS)) {
    const family = families.get(name);
    expect([family?.type, family?.help]).toEqual([is.toUpperCase(), says]);
    if (is === "histogram") continue;
    for (const sample of family?.metrics ?? []) {
      expect(Object.keys(sample.labels ?? {}).sort()).toEqual(Object.keys(labels).sort());
      for (const [label, values] of Object.entries(labels)) {
        if (typeof values === "object") expect(values).toContain(sample.labels?.[label]);
      }
    }
  }
  const value = (name: string, labels: Record<string, string> = {}) =>
    Number(
      families
        .get(name)
        ?.metrics.find((each) => Object.entries(labels).every(([label, of]) => each.labels?.[label] === of))?.value,
    );
  const { turns, usage, costUsd } = lead.head;
  const told = {
    trees: value("banyan_trees"),
    waiting: value("banyan_agents", { status: "waiting" }),
    held: value("banyan_agents", { status: "held" }),
    turns: value("banyan_turns_total"),
    output: value("banyan_tokens_total", { class: "output" }),
    costUsd: value("banyan_cost_usd_total"),
    artifacts: value("banyan_artifacts"),
    artifactBytes: value("banyan_artifact_bytes"),
    spawns: value("banyan_throttle_passed_total", { what: "spawns" }),
    calls: value("banyan_provider_calls", { family: "test/scripted" }),
  };
  expect(told).toEqual({
    ...{ trees: 1, waiting: 1, held: 0, turns, output: usage.output, costUsd },
    ...{ artifacts: 1, artifactBytes: "something".length, spawns: 1, calls: 0 },
  });
  // The server has been there since before the first append. What is told later may be more by then.
  const appends = families.get("banyan_journal_append_seconds")?.metrics[0];
  expect(Number(appends?.count)).toBeGreaterThanOrEqual(value("banyan_journal_appends_total"));
  expect(Number(appends?.sum)).toBeGreaterThan(0);
  const position = value("banyan_journal_position");
  expect(position).toBeGreaterThan(5);
  // All that this data has was written by this process.
  expect(value("banyan_journal_records_total")).toBeGreaterThanOrEqual(position);
  for (const name of ["banyan_journal_bytes", "process_cpu_seconds_total"]) {
    expect(value(name)).toBeGreaterThan(0);
  }
});

test("H2, D3: a viewer's token is needed and is enough", async () => {
  await using open = await openServer();
  const refused = await open.ask({});
  expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
  expect(await refused.text()).not.toContain("banyan_");
  expect((await open.ask({ authorization: `Bearer ${"a".repeat(43)}` })).status).toBe(401);
  expect((await open.ask()).status).toBe(200);
  open.tokens.revoke("prometheus");
  expect((await open.ask()).status).toBe(401);
});

test("D1: a foreign name that leads here is told nothing, nor is a page of another origin", async () => {
  await using open = await openServer();
  const authorization = `Bearer ${open.viewer}`;
  const status = await new Promise((resolve, reject) => {
    const asked = request(
      `${open.http.url}/metrics`,
      { headers: { authorization, host: "evil.example" } },
      (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      },
    );
    asked.on("error", reject).end();
  });
  expect(status).toBe(403);
  expect((await open.ask({ authorization, origin: "https://evil.example" })).status).toBe(403);
});

test("M1: many that ask at once all get one moment's figures", async () => {
  await using open = await openServer();
  await open.fleet.lead();
  const texts = await Promise.all(Array.from({ length: 8 }, async () => (await open.ask()).text()));
  for (const text of texts) expect(text).toContain('banyan_agents{status="waiting"} 1\n');
});
