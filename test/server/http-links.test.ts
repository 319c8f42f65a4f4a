/** Links to artifacts: what they open, to whom, for how long, and what opens nothing. */
import { readFileSync, statSync } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { decodeEvent } from "../../src/agent/codec.ts";
import { systemClock } from "../../src/base/clock.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { systemRandom } from "../../src/base/random.ts";
import { AccessTokens, type Role } from "../../src/server/access-tokens.ts";
import { ArtifactLinks } from "../../src/server/artifact-links.ts";
import { startHttp } from "../../src/server/http-server.ts";
import { openFleet } from "../support/fleet.ts";

const TEXT = "<script>alert(1)</script> far and wide";

async function openServer() {
  const fleet = await openFleet();
  const lead = await fleet.lead();
  const kid = await lead.spawn({ name: "kid", task: `write map ${TEXT}` });
  await kid.result();
  const tokens = new AccessTokens(fleet.folder, { clock: systemClock(), random: systemRandom });
  const owner = tokens.first() ?? "";
  const http = await startHttp(fleet.banyan.runtime, { port: 0, tokens });
  const ask = async (name: string, input: object, token = owner) => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
    const answer = await fetch(`${http.url}/v1/${name}`, { method: "POST", headers, body: JSON.stringify(input) });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  return {
    ...{ fleet, kid, http, ask },
    as: (role: Role) => tokens.create({ name: role, role, endTime: null }),
    link: async (input: object = {}) =>
      `${http.url}${(await ask("linkArtifact", { name: "map", ...input })).body.path}`,
    async [Symbol.asyncDispose]() {
      await http.stop();
      await fleet[Symbol.asyncDispose]();
    },
  };
}

test("a link hands over the bytes without a token, as a file that no browser runs, and the journal says who made it", async () => {
  await using server = await openServer();
  const answer = await fetch(await server.link({ agent: server.kid.id }));
  expect(answer.status).toBe(200);
  expect(await answer.text()).toBe(TEXT);
  expect(answer.headers.get("content-disposition")).toBe("attachment; filename*=UTF-8''map");
  expect(answer.headers.get("content-security-policy")).toBe("default-src 'none'; sandbox");
  expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
  expect(answer.headers.get("cache-control")).toBe("private, no-store");
  const types: unknown[] = [];
  for await (const batch of server.fleet.banyan.runtime.services.journal.read(server.kid.id)) {
    for (const { type, body } of batch) if (type === "artifact.linked") types.push(decodeEvent(type, body));
  }
  expect(types).toMatchObject([{ name: "map", by: { kind: "person", id: "owner" }, endTime: expect.any(Number) }]);
});

test.each([
  ["bytes=0-3", 206, TEXT.slice(0, 4), `bytes 0-3/${TEXT.length}`],
  ["bytes=5-", 206, TEXT.slice(5), `bytes 5-${TEXT.length - 1}/${TEXT.length}`],
  ["bytes=-4", 206, TEXT.slice(-4), `bytes ${TEXT.length - 4}-${TEXT.length - 1}/${TEXT.length}`],
  ["bytes=2-9999", 206, TEXT.slice(2), `bytes 2-${TEXT.length - 1}/${TEXT.length}`],
  ["bytes=9999-", 416, "", `bytes */${TEXT.length}`],
  ["bytes=-0", 416, "", `bytes */${TEXT.length}`],
  ["bytes=3-1", 200, TEXT, null],
  ["bytes=-", 200, TEXT, null],
  ["bytes=0-1,4-5", 200, TEXT, null],
  ["lines=1-2", 200, TEXT, null],
])("a range: %s", async (range, status, text, contentRange) => {
  await using server = await openServer();
  const answer = await fetch(await server.link(), { headers: { range } });
  expect([answer.status, await answer.text(), answer.headers.get("content-range")]).toEqual([
    status,
    text,
    contentRange,
  ]);
});

test("what a reader has already is not sent again, and a range is one of those very bytes", async () => {
  await using server = await openServer();
  const link = await server.link();
  const ask = async (headers: Record<string, string>, method = "GET") => {
    const answer = await fetch(link, { method, headers });
    return [answer.status, await answer.text(), answer.headers.get("content-length")];
  };
  const head = await fetch(link, { method: "HEAD" });
  const etag = head.headers.get("etag") ?? "";
  expect(etag).toMatch(/^"sha256:[0-9a-f]{64}"$/);
  expect([head.status, head.headers.get("content-length"), head.headers.get("accept-ranges")]).toEqual([
    ...[200, String(TEXT.length), "bytes"],
  ]);
  for (const tags of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
    expect(await ask({ "if-none-match": tags })).toEqual([304, "", null]);
    expect((await ask({ "if-none-match": tags }, "HEAD"))[0]).toBe(304);
  }
  expect((await ask({ "if-none-match": '"other"' }))[0]).toBe(200);
  const range = "bytes=0-3";
  expect(await ask({ range, "if-range": etag })).toEqual([206, TEXT.slice(0, 4), "4"]);
  for (const other of ['"other"', `W/${etag}`, new Date(0).toUTCString()])
    expect((await ask({ range, "if-range": other })).slice(0, 2)).toEqual([200, TEXT]);
  expect(await ask({ range }, "HEAD")).toEqual([200, "", String(TEXT.length)]);
});

test("T3: who guesses links is slowed down, and nobody whose link works", async () => {
  await using server = await openServer();
  const link = await server.link();
  const guesses = await Promise.all(
    Array.from({ length: 3 * LIMITS.httpStrangersPerSecondMax }, async () => (await fetch(`${link}x`)).status),
  );
  expect(new Set(guesses)).toEqual(new Set([403, 429]));
  expect((await fetch(link)).status).toBe(200);
});

test("a link that was altered, was revoked, or is of another server opens nothing", async () => {
  await using server = await openServer();
  await using other = await openServer();
  const link = await server.link();
  const [content = "", signature = ""] = link.slice(link.lastIndexOf("/") + 1).split(".");
  const base = `${server.http.url}/v1/link/`;
  const longer = JSON.parse(Buffer.from(content, "base64url").toString());
  const forged = Buffer.from(JSON.stringify({ ...longer, endTime: longer.endTime + 1 })).toString("base64url");
  const broken = [
    `${base}${forged}.${signature}`,
    `${base}${content}.${"A".repeat(43)}`,
    `${base}${content}`,
    `${base}.${signature}`,
    `${base}${"x".repeat(3_000)}.${signature}`,
    `${base}..%2f..%2fetc%2fpasswd`,
    (await other.link()).replace(other.http.url, server.http.url),
  ];
  for (const each of broken) {
    const answer = await fetch(each);
    expect([answer.status, ((await answer.json()) as { code: string }).code], each).toEqual([403, "LINK_REFUSED"]);
  }
  expect((await fetch(link)).status).toBe(200);
  expect((await server.ask("revokeLinks", {})).body).toEqual({ revoked: true });
  expect((await fetch(link)).status).toBe(403);
  expect((await fetch(await server.link())).status).toBe(200);
});

test("a link works up to its end and no longer, and its key is its owner's alone", async () => {
  await using fleet = await openFleet();
  const links = new ArtifactLinks(fleet.folder, systemRandom);
  const of = { name: "map", digest: `sha256:${"a".repeat(64)}`, mediaType: "text/html", endTime: 1_000 };
  const link = links.make(of).replace("/v1/link/", "");
  expect(new ArtifactLinks(fleet.folder, systemRandom).read(link, 999)).toEqual(of);
  expect(() => links.read(link, 1_000)).toThrow(expect.objectContaining({ code: "LINK_REFUSED" }));
  expect(statSync(join(fleet.folder, "link.key")).mode & 0o777).toBe(0o600);
  expect(link).not.toContain(readFileSync(join(fleet.folder, "link.key")).toString("base64url"));
});

test("who may only look makes no link, and a link lasts no longer than the limits say", async () => {
  await using server = await openServer();
  expect(await server.ask("linkArtifact", { name: "map" }, server.as("viewer"))).toMatchObject({ status: 403 });
  expect(await server.ask("linkArtifact", { name: "map" }, server.as("operator"))).toMatchObject({ status: 200 });
  expect(await server.ask("linkArtifact", { name: "map", forMs: 1e12 })).toMatchObject({ status: 400 });
  expect(await server.ask("linkArtifact", { name: "none" })).toMatchObject({ body: { code: "ARTIFACT_NOT_FOUND" } });
});

/** More than the buffers of a connection take. */
const BYTES = 20 * 1024 * 1024;

/** A link to that many bytes. */
async function largeLink({ fleet, http }: Awaited<ReturnType<typeof openServer>>): Promise<string> {
  const { services, folder } = fleet.banyan.runtime;
  const { digest } = await services.blobs.put(Buffer.alloc(BYTES, "x"));
  const of = { name: "large", digest, mediaType: "text/plain", endTime: services.clock.now() + 60_000 };
  return `${http.url}${new ArtifactLinks(folder, systemRandom).make(of)}`;
}

/** An answer of which nothing has been read yet. */
function begin(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => void get(url, { agent: false }, resolve).on("error", reject));
}

/** Reads the rest, and says how much there was, whether it broke off or not. */
function bytesOf(answer: IncomingMessage): Promise<number> {
  let bytes = 0;
  return new Promise((resolve) => {
    answer.on("error", () => undefined).on("close", () => resolve(bytes));
    answer.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
    });
  });
}

test("T1: so many downloads at once and no more, until one of them ends", async () => {
  await using server = await openServer();
  const link = await largeLink(server);
  const held = await Promise.all(Array.from({ length: LIMITS.httpLinkStreamsMax }, () => begin(link)));
  expect(held.map(({ statusCode }) => statusCode)).toEqual(held.map(() => 200));
  expect((await fetch(link)).status).toBe(429);
  for (const each of held.slice(1)) each.destroy();
  expect(await bytesOf(held[0] as IncomingMessage)).toBe(BYTES);
  expect((await fetch(await server.link())).status).toBe(200);
});

test("T1: a reader that takes nothing is cut off", async () => {
  await using server = await openServer();
  const { clock } = server.fleet.banyan.runtime.services;
  const { timer } = systemClock();
  const cut = Promise.withResolvers<void>();
  vi.spyOn(clock, "timer").mockImplementation((ms, fire) => {
    if (ms !== LIMITS.httpRequestMsMax) return timer(ms, fire);
    return timer(20, () => {
      fire();
      cut.resolve();
    });
  });
  const answer = await begin(await largeLink(server));
  await cut.promise;
  expect(await bytesOf(answer)).toBeLessThan(BYTES);
});

test("T2: a download that is under way ends when all links are revoked", async () => {
  await using server = await openServer();
  const answer = await begin(await largeLink(server));
  await server.ask("revokeLinks", {});
  expect(await bytesOf(answer)).toBeLessThan(BYTES);
});
