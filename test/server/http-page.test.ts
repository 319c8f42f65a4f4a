/** The dashboard's files and the browser's session, as a browser asks for them. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ManualClock, systemClock } from "../../src/base/clock.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { systemRandom } from "../../src/base/random.ts";
import { AccessTokens } from "../../src/server/access-tokens.ts";
import { BrowserSessions } from "../../src/server/browser-sessions.ts";
import { startHttp } from "../../src/server/http-server.ts";
import { openFleet } from "../support/fleet.ts";

async function openPage({ isBuilt = true } = {}) {
  const fleet = await openFleet();
  await fleet.lead();
  const page = join(fleet.folder, "page");
  if (isBuilt) {
    await mkdir(join(page, "assets"), { recursive: true });
    await writeFile(join(page, "index.html"), "<!doctype html><title>Banyan</title>");
    await writeFile(join(page, "assets", "index-1.js"), "start();");
  }
  const tokens = new AccessTokens(fleet.folder, { clock: systemClock(), random: systemRandom });
  const owner = tokens.first() ?? "";
  const http = await startHttp(fleet.banyan.runtime, { port: 0, tokens, page });
  const own = { origin: http.url, "sec-fetch-site": "same-origin" };
  const get = (path: string, headers = {}) => fetch(`${http.url}${path}`, { headers });
  const send = (method: string, path: string, body: unknown, headers: Record<string, string> = own) =>
    fetch(`${http.url}${path}`, {
      method,
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
  /** The cookie that logging in gives, as the browser sends it. */
  const logIn = async (secret: string) =>
    (await send("POST", "/v1/session", { secret })).headers.get("set-cookie")?.split(";", 1)[0] ?? "";
  return {
    ...{ fleet, tokens, owner, http, own, get, send, logIn },
    async [Symbol.asyncDispose]() {
      await http.stop();
      await fleet[Symbol.asyncDispose]();
    },
  };
}

const HTML = { accept: "text/html,application/xhtml+xml" };

describe("the page", () => {
  test("P2: is served to a browser under a policy that lets nothing else in", async () => {
    await using open = await openPage();
    const page = await open.get("/", HTML);
    expect(await page.text()).toContain("<title>Banyan");
    const policy = page.headers.get("content-security-policy") ?? "";
    for (const rule of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"]) {
      expect(policy.split("; ")).toContain(rule);
    }
    expect(policy).not.toContain("unsafe");
    expect(page.headers.get("x-content-type-options")).toBe("nosniff");
  });

  test("files whose name changes with them are kept, the page itself is asked for again", async () => {
    await using open = await openPage();
    const script = await open.get("/assets/index-1.js");
    expect(script.headers.get("content-type")).toContain("text/javascript");
    expect(script.headers.get("cache-control")).toContain("immutable");
    const page = await open.get("/");
    expect(page.headers.get("cache-control")).toBe("no-cache");
    const again = await open.get("/", { "if-none-match": page.headers.get("etag") });
    expect(again.status).toBe(304);
  });

  test("an address within the page is the page, and nothing else is there", async () => {
    await using open = await openPage();
    expect((await open.get("/agents/a?tab=cost", HTML)).status).toBe(200);
    for (const path of ["/access.json", "/..%2faccess.json", "/assets/..%2f..%2faccess.json", "/v1/nothing"]) {
      expect((await open.get(path)).status).toBe(400);
    }
  });

  test("a dashboard that was not built says so", async () => {
    await using open = await openPage({ isBuilt: false });
    const answer = await open.get("/", HTML);
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain("npm run build");
  });
});

describe("logging in", () => {
  test("N1: a link works once, and its cookie is the browser's alone", async () => {
    await using open = await openPage();
    const code = new URL(open.http.loginLink() ?? "").hash.slice("#code=".length);
    const answer = await open.send("POST", "/v1/session", { secret: code });
    expect(await answer.json()).toEqual({ name: "owner", role: "admin" });
    const cookie = answer.headers.get("set-cookie") ?? "";
    for (const part of ["HttpOnly", "SameSite=Strict", "Path=/"]) expect(cookie.split("; ")).toContain(part);
    expect((await open.send("POST", "/v1/session", { secret: code })).status).toBe(401);
    const asked = await open.send("POST", "/v1/agent", { agent: "lead" }, { ...open.own, cookie });
    expect(await asked.json()).toMatchObject({ path: "/lead" });
  });

  test("a token makes a code for somebody's browser, and logs in by itself", async () => {
    await using open = await openPage();
    const viewer = open.tokens.create({ name: "eva", role: "viewer", endTime: null });
    const made = await open.send("POST", "/v1/code", {}, { authorization: `Bearer ${viewer}` });
    const { code } = (await made.json()) as { code: string };
    for (const secret of [code, viewer]) {
      const cookie = await open.logIn(secret);
      expect(await (await open.get("/v1/session", { cookie })).json()).toEqual({ name: "eva", role: "viewer" });
      const paused = await open.send("POST", "/v1/pause", { agent: "lead" }, { ...open.own, cookie });
      expect(paused.status).toBe(403);
    }
  });

  test("N2: a session ends with its token, and with logging out", async () => {
    await using open = await openPage();
    open.tokens.create({ name: "eva", role: "viewer", endTime: null });
    const eva = open.tokens.list().find(({ name }) => name === "eva");
    expect(eva).toBeDefined();
    const cookie = await open.logIn(open.owner);
    const status = async () => (await open.get("/v1/session", { cookie })).status;
    expect(await status()).toBe(200);
    expect((await open.send("DELETE", "/v1/session", {}, { ...open.own, cookie })).status).toBe(200);
    expect(await status()).toBe(401);
    const other = await open.logIn(open.owner);
    open.tokens.revoke("owner");
    expect((await open.get("/v1/session", { cookie: other })).status).toBe(401);
    expect(open.http.loginLink()).toBeUndefined();
  });

  test("D2: a cookie changes nothing without an Origin of our own", async () => {
    await using open = await openPage();
    const cookie = await open.logIn(open.owner);
    const pause = (headers: Record<string, string>) =>
      open.send("POST", "/v1/pause", { agent: "lead" }, { cookie, ...headers });
    expect((await pause({})).status).toBe(403);
    expect((await pause({ origin: "http://evil.test" })).status).toBe(403);
    expect((await pause({ origin: open.http.url, "sec-fetch-site": "cross-site" })).status).toBe(403);
    expect((await open.get("/v1/session", { cookie, "sec-fetch-site": "same-site" })).status).toBe(403);
    expect((await pause(open.own)).status).toBe(200);
  });

  test("D4: whoever guesses codes is slowed down", async () => {
    await using open = await openPage();
    const guesses = Array.from({ length: 2 * LIMITS.httpStrangersPerSecondMax + 1 }, () =>
      open.send("POST", "/v1/session", { secret: "guess" }),
    );
    const statuses = (await Promise.all(guesses)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([401, 429]));
  });

  test("N1, N3: codes end by time, and there are never more than the limit", async () => {
    await using fleet = await openFleet();
    const clock = new ManualClock();
    const tokens = new AccessTokens(fleet.folder, { clock, random: systemRandom });
    tokens.first();
    const [owner] = tokens.list();
    if (!owner) throw new Error("there is an owner");
    const sessions = new BrowserSessions(tokens, { clock, random: systemRandom });
    const late = sessions.makeCode(owner);
    clock.advance(LIMITS.loginCodeMs);
    expect(() => sessions.begin(late)).toThrow(expect.objectContaining({ code: "TOKEN_REFUSED" }));
    const [oldest = "", ...others] = Array.from({ length: LIMITS.sessionsMax + 1 }, () => sessions.makeCode(owner));
    expect(() => sessions.begin(oldest)).toThrow(expect.objectContaining({ code: "TOKEN_REFUSED" }));
    const secret = sessions.begin(others[0] ?? "");
    expect(sessions.find(secret)?.name).toBe("owner");
    clock.advance(LIMITS.sessionMs);
    expect(sessions.find(secret)).toBeUndefined();
  });
});
