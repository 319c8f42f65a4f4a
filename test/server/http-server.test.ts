/** The HTTP server against honest clients, strangers, and readers that come and go. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ManualClock, systemClock } from "../../src/base/clock.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { systemRandom } from "../../src/base/random.ts";
import { AccessTokens, type Role } from "../../src/server/access-tokens.ts";
import { BrowserSessions } from "../../src/server/browser-sessions.ts";
import { OPERATIONS } from "../../src/server/contract/operations.ts";
import { Guard } from "../../src/server/http-guard.ts";
import { startHttp } from "../../src/server/http-server.ts";
import { openFleet } from "../support/fleet.ts";

async function openServer() {
  const fleet = await openFleet();
  const lead = await fleet.lead();
  const tokens = new AccessTokens(fleet.folder, { clock: systemClock(), random: systemRandom });
  const owner = tokens.first() ?? "";
  const asked = { shutDown: false };
  const shutDown = () => {
    asked.shutDown = true;
  };
  const http = await startHttp(fleet.banyan.runtime, { port: 0, tokens, shutDown });
  const post = (name: string, input: unknown = {}, token = owner, headers = {}) =>
    fetch(`${http.url}/v1/${name}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}`, ...headers },
      body: JSON.stringify(input),
    });
  const as = (role: Role) => tokens.create({ name: role, role, endTime: null });
  const follow = async (query: string, headers = {}) => {
    const gone = new AbortController();
    const authorization = `Bearer ${owner}`;
    const answer = await fetch(`${http.url}/v1/events?${query}`, {
      headers: { authorization, ...headers },
      signal: gone.signal,
    });
    return { answer, messages: messagesOf(answer), leave: () => gone.abort() };
  };
  return {
    fleet,
    lead,
    tokens,
    owner,
    asked,
    http,
    post,
    as,
    follow,
    async [Symbol.asyncDispose]() {
      await http.stop();
      await fleet[Symbol.asyncDispose]();
    },
  };
}

async function* messagesOf({ body }: Response): AsyncGenerator<{ id: string; event: string; data: unknown }> {
  let text = "";
  for await (const chunk of (body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const fields = Object.fromEntries(
        text
          .slice(0, end)
          .split("\n")
          .map((line) => line.split(/: (.*)/)),
      );
      text = text.slice(end + 2);
      yield { id: fields.id, event: fields.event, data: JSON.parse(fields.data) };
    }
  }
}

/** With headers that `fetch` does not let one choose. */
function raw(url: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    asked.on("error", reject);
    asked.end();
  });
}

describe("the fleet as it changes", () => {
  const read = async (url: string, token: string, headers = {}) => {
    const gone = new AbortController();
    const answer = await fetch(`${url}/v1/fleet`, {
      headers: { authorization: `Bearer ${token}`, ...headers },
      signal: gone.signal,
    });
    return { answer, messages: messagesOf(answer), leave: () => gone.abort() };
  };

  test("all agents come first, then changes, until the token is revoked", async () => {
    await using open = await openServer();
    const viewer = open.as("viewer");
    const { answer, messages } = await read(open.http.url, viewer);
    expect(answer.headers.get("content-type")).toBe("text/event-stream");
    const all = await messages.next();
    expect(all.value).toMatchObject({ event: "agents", data: { total: 1, agents: { name: ["lead"] } } });
    await open.lead.send("again");
    await open.fleet.became(open.lead, "waiting message");
    const changes = await messages.next();
    expect(changes.value).toMatchObject({ event: "changes", data: { rows: { agent: [0] } } });
    expect(Number(changes.value?.id)).toBeGreaterThan(Number(all.value?.id));
    open.tokens.revoke("viewer");
    const events: string[] = [];
    for await (const { event } of messages) events.push(event);
    expect(events.at(-1)).toBe("problem");
  });

  test("without a token, or with a place that is none, nothing is told", async () => {
    await using open = await openServer();
    expect((await fetch(`${open.http.url}/v1/fleet`)).status).toBe(401);
    const { answer } = await read(open.http.url, open.owner, { "last-event-id": "x" });
    expect(answer.status).toBe(400);
  });
});

describe("operations", () => {
  test("one answer is JSON, many are lines with an end", async () => {
    await using open = await openServer();
    expect(await (await open.post("agent", { agent: "lead" })).json()).toMatchObject({ path: "/lead" });
    const tree = await open.post("tree");
    expect(tree.headers.get("content-type")).toBe("application/x-ndjson");
    const lines = (await tree.text()).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ item: { name: "lead" } }, { end: true }]);
  });

  test("H6: who commands an agent is in its journal", async () => {
    await using open = await openServer();
    const operator = open.as("operator");
    expect((await open.post("pause", { agent: "lead" }, operator)).status).toBe(200);
    expect(open.lead.status).toBe("held");
    const logged = await (await open.post("logs", { agent: "lead" })).text();
    expect(logged).toContain('"by":{"kind":"person","id":"operator"}');
  });

  test("H6: who interrupts an agent is in its journal; what interrupts nothing is not", async () => {
    await using open = await openServer();
    const operator = open.as("operator");
    expect(await (await open.post("interrupt", { agent: "lead" }, operator)).json()).toMatchObject({ interrupted: 0 });
    await open.lead.send("wait");
    await open.fleet.became(open.lead, "running");
    const asked = { agent: "lead", subtree: true };
    expect(await (await open.post("interrupt", asked, operator)).json()).toMatchObject({ interrupted: 1 });
    const logged = (await (await open.post("logs", { agent: "lead" })).text()).trim().split("\n");
    const events = logged.map((line) => JSON.parse(line).item?.event).filter(Boolean);
    expect(events.filter(({ type }) => type === "agent.interrupted")).toEqual([
      { type: "agent.interrupted", by: { kind: "person", id: "operator" }, subtree: true },
    ]);
  });

  test("H4: refusals are problems with the status of the registry, before and in a stream", async () => {
    await using open = await openServer();
    for (const name of ["agent", "tree"]) {
      const refused = await open.post(name, { agent: "nobody" });
      expect(refused.status).toBe(404);
      expect(refused.headers.get("content-type")).toContain("application/problem+json");
      expect(await refused.json()).toMatchObject({ code: "AGENT_NOT_FOUND", status: 404, remedy: expect.any(String) });
    }
  });

  test("H4: a secret in what was asked is not in the refusal", async () => {
    await using open = await openServer();
    const secret = `sk-ant-${"a".repeat(40)}`;
    expect(await (await open.post("agent", { agent: secret })).text()).not.toContain(secret);
  });

  test.for([
    ["an unknown operation", "nonsense", {}],
    ["an unknown field", "stats", { more: 1 }],
    ["no JSON object", "agent", "lead"],
    ["a path for an id", "artifact", { digest: "../../etc/passwd" }],
    ["following", "logs", { follow: true }],
  ] as const)("H3: %s is refused", async ([, name, input]) => {
    await using open = await openServer();
    const refused = await open.post(name, input);
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([400, "INPUT_INVALID"]);
  });

  test("are all described, by the schemas that check them", async () => {
    await using open = await openServer();
    const answer = await fetch(`${open.http.url}/v1/openapi.json`, {
      headers: { authorization: `Bearer ${open.owner}` },
    });
    const { openapi, paths } = (await answer.json()) as { openapi: string; paths: object };
    expect(openapi).toBe("3.1.0");
    expect(Object.keys(paths)).toEqual(Object.keys(OPERATIONS).map((name) => `/v1/${name}`));
  });
});

describe("who is let in", () => {
  test("H2: nobody without a token, with or without an Origin; health and readiness alone are open", async () => {
    await using open = await openServer();
    const { url } = open.http;
    for (const headers of [{}, { origin: url }, { authorization: "Bearer " }, { authorization: "Bearer wrong" }]) {
      expect((await fetch(`${url}/v1/events`, { headers: headers as Record<string, string> })).status).toBe(401);
    }
    expect((await fetch(`${url}/v1/stats?token=${open.owner}`, { method: "POST" })).status).toBe(401);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    expect((await fetch(`${url}/ready`)).status).toBe(200);
  });

  test("D1: no request for another host, and none of a page of another origin", async () => {
    await using open = await openServer();
    const { host } = new URL(open.http.url);
    const authorization = `Bearer ${open.owner}`;
    for (const path of ["/v1/openapi.json", "/v1/events", "/health"]) {
      const url = `${open.http.url}${path}`;
      expect(await raw(url, { authorization, host: "evil.example" })).toBe(403);
      expect(await raw(url, { authorization, host, origin: "http://evil.example" })).toBe(403);
      expect(await raw(url, { authorization, host, origin: "null" })).toBe(403);
    }
    expect(await raw(`${open.http.url}/v1/openapi.json`, { authorization, host, origin: `http://${host}` })).toBe(200);
  });

  test("D3: a viewer looks, an operator commands, an admin stops the process", async () => {
    await using open = await openServer();
    const [viewer, operator] = [open.as("viewer"), open.as("operator")];
    const status = async (name: string, token: string) => (await open.post(name, { agent: "lead" }, token)).status;
    expect([await status("agent", viewer), await status("pause", viewer)]).toEqual([200, 403]);
    expect(await status("pause", operator)).toBe(200);
    expect((await open.post("shutdown", {}, operator)).status).toBe(403);
    expect(open.asked.shutDown).toBe(false);
    expect((await open.post("shutdown")).status).toBe(200);
    expect(open.asked.shutDown).toBe(true);
  });

  test("K3: a token that is revoked, by another process too, or has expired opens nothing", async () => {
    await using open = await openServer();
    const viewer = open.as("viewer");
    expect((await open.post("stats", {}, viewer)).status).toBe(200);
    new AccessTokens(open.fleet.folder, { clock: systemClock(), random: systemRandom }).revoke("viewer");
    expect((await open.post("stats", {}, viewer)).status).toBe(401);
    const past = open.tokens.create({ name: "past", role: "admin", endTime: 1 });
    expect((await open.post("stats", {}, past)).status).toBe(401);
  });

  test("K1, K2: hashes alone are in the data folder, for the owner; the first token is made once", async () => {
    await using open = await openServer();
    const viewer = open.as("viewer");
    const folder = join(open.fleet.folder, "access");
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder).sort()).toEqual(["owner.json", "viewer.json"]);
    for (const file of ["owner.json", "viewer.json"]) {
      expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
      const text = readFileSync(join(folder, file), "utf8");
      for (const token of [open.owner, viewer]) expect(text).not.toContain(token);
    }
    expect(Buffer.from(open.owner, "base64url")).toHaveLength(32);
    expect(open.tokens.first()).toBeUndefined();
  });

  test("D4: who guesses tokens is slowed down, and nobody else, for a second", async () => {
    await using fleet = await openFleet();
    const clock = new ManualClock();
    const tokens = new AccessTokens(fleet.folder, { clock, random: systemRandom });
    const asking = (token: string | undefined) => ({ method: "GET", headers: { authorization: `Bearer ${token}` } });
    const owner = asking(tokens.first());
    const guard = new Guard(tokens, new BrowserSessions(tokens, { clock, random: systemRandom }), clock);
    const guess = () => guard.identify(asking("a".repeat(43)));
    const refused = (code: string) => expect.objectContaining({ code });
    for (let i = 0; i < LIMITS.httpStrangersPerSecondMax; i++) expect(guess).toThrow(refused("TOKEN_REFUSED"));
    expect(guess).toThrow(refused("REQUESTS_EXCEEDED"));
    for (let i = 0; i < LIMITS.httpRequestsPerSecondMax; i++) expect(guard.identify(owner).name).toBe("owner");
    expect(() => guard.identify(owner)).toThrow(refused("REQUESTS_EXCEEDED"));
    clock.advance(1_000);
    expect(guard.identify(owner).name).toBe("owner");
    expect(guess).toThrow(refused("TOKEN_REFUSED"));
  });

  test("H3: bodies and headers are bounded", async () => {
    await using open = await openServer();
    expect((await open.post("send", { agent: "lead", text: "x".repeat(17 * 1024 ** 2) })).status).toBe(413);
    const headers = { host: new URL(open.http.url).host, more: "x".repeat(20_000) };
    expect(await raw(`${open.http.url}/health`, headers)).toBe(431);
  });
});

describe("live events", () => {
  test("H3: so many streams and no more; one that leaves makes room, and requests are answered all the while", async () => {
    await using open = await openServer();
    const streams = await Promise.all(Array.from({ length: LIMITS.httpStreamsMax }, () => open.follow("agent=lead")));
    expect(streams.filter(({ answer }) => answer.status !== 200)).toEqual([]);
    const more = async () => {
      const { answer, leave } = await open.follow("agent=lead");
      const body = answer.status === 200 ? {} : await answer.json();
      leave();
      return { status: answer.status, code: (body as { code?: string }).code };
    };
    expect(await more()).toEqual({ status: 429, code: "REQUESTS_EXCEEDED" });
    expect((await open.post("stats")).status).toBe(200);
    streams.pop()?.leave();
    await expect.poll(more).toEqual({ status: 200, code: undefined });
    for (const { leave } of streams) leave();
  });

  test("come with their positions, and go on where a reader left", async () => {
    await using open = await openServer();
    const first = await open.follow("agent=lead");
    const { value } = await first.messages.next();
    expect(value).toMatchObject({ event: "events" });
    first.leave();
    await open.post("pause", { agent: "lead" });
    const again = await open.follow("agent=lead", { "last-event-id": value?.id });
    const { value: missed } = await again.messages.next();
    expect(missed?.data).toMatchObject([{ event: { type: "hold.set" } }]);
    again.leave();
  });

  test("an agent that is not there is refused before the stream begins", async () => {
    await using open = await openServer();
    expect((await open.follow("agent=nobody")).answer.status).toBe(404);
    expect((await open.follow("from=-1")).answer.status).toBe(400);
  });

  test("H5: followers are told when the server stops, which may be asked for twice", async () => {
    await using open = await openServer();
    const { messages } = await open.follow("");
    expect((await messages.next()).value).toMatchObject({ event: "events" });
    await Promise.all([open.http.stop(), open.http.stop()]);
    expect((await messages.next()).value).toMatchObject({ event: "problem", data: { code: "SHUTTING_DOWN" } });
    await expect(fetch(`${open.http.url}/health`)).rejects.toThrow();
  });

  test("K3: a stream ends with its token", async () => {
    await using open = await openServer();
    const { messages } = await open.follow("");
    await messages.next();
    open.tokens.revoke("owner");
    await open.lead.pause();
    expect((await messages.next()).value).toMatchObject({ event: "problem", data: { code: "TOKEN_REFUSED" } });
  });
});
