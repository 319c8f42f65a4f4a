/** Where the server listens, and whom it answers there. */
import { request } from "node:https";
import { expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { systemRandom } from "../../src/base/random.ts";
import { AccessTokens } from "../../src/server/access-tokens.ts";
import { startHttp } from "../../src/server/http-server.ts";
import { placeOf } from "../../src/server/listening.ts";
import { CERTIFICATE, NAMELESS } from "../support/certificate.ts";
import { openFleet } from "../support/fleet.ts";

const NOW = systemClock().now();
const refused = (code: string, what: RegExp) => expect.objectContaining({ code, message: expect.stringMatching(what) });

test("L1: what others can reach needs a certificate", () => {
  for (const host of ["0.0.0.0", "::", "10.0.0.1", "banyan.test"]) {
    expect(() => placeOf({ host }, NOW)).toThrow(refused("INPUT_INVALID", /needs a certificate/));
  }
  expect(placeOf({}, NOW)).toMatchObject({ host: "127.0.0.1", scheme: "http" });
  expect(() => placeOf({ certificate: CERTIFICATE.certificate }, NOW)).toThrow(refused("INPUT_INVALID", /together/));
});

test("a certificate that is no good is refused, and says why", () => {
  const place = (certificate: string, key: string, now = NOW) => placeOf({ certificate, key }, now);
  expect(() => place("nothing", "of the kind")).toThrow(refused("CONFIG_INVALID", /no PEM/));
  expect(() => place(CERTIFICATE.certificate, NAMELESS.key)).toThrow(refused("CONFIG_INVALID", /not that of/));
  expect(() => place(NAMELESS.certificate, NAMELESS.key)).toThrow(refused("CONFIG_INVALID", /names no host/));
  expect(() => place(CERTIFICATE.certificate, CERTIFICATE.key, 0)).toThrow(refused("CONFIG_INVALID", /valid from/));
});

/** Status, cookie and body of an answer, asked under a name. */
function ask(port: string, token: string, { host, ...headers }: Record<string, string>, method = "GET", body = "") {
  return new Promise<{ status: number; cookie: string; body: string }>((resolve, reject) => {
    const asked = request(
      {
        ...{
          host: "127.0.0.1",
          port,
          path: "/v1/session",
          method,
          ca: CERTIFICATE.certificate,
          servername: "banyan.test",
        },
        headers: { host, authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
      },
      (answer) => {
        let text = "";
        answer.on("data", (chunk) => {
          text += chunk;
        });
        answer.on("end", () => {
          const cookie = answer.headers["set-cookie"]?.[0] ?? "";
          resolve({ status: answer.statusCode ?? 0, cookie, body: text });
        });
      },
    );
    asked.on("error", reject);
    asked.end(body);
  });
}

test("L2: it is encrypted, and answers under the names of its certificate alone", async () => {
  await using fleet = await openFleet();
  const tokens = new AccessTokens(fleet.folder, { clock: systemClock(), random: systemRandom });
  const token = tokens.first() ?? "";
  const listening = { host: "0.0.0.0", ...CERTIFICATE };
  await using http = await startHttp(fleet.banyan.runtime, { port: 0, tokens, listening });
  const { protocol, port, hostname } = new URL(http.url);
  expect({ protocol, hostname }).toEqual({ protocol: "https:", hostname: "banyan.test" });
  expect(http.loginLink()).toContain(`https://banyan.test:${port}/#code=`);
  const own = { host: `banyan.test:${port}` };
  expect((await ask(port, token, own)).status).toBe(200);
  expect((await ask(port, token, { host: `127.0.0.1:${port}` })).status).toBe(200);
  expect((await ask(port, token, { host: `evil.test:${port}` })).status).toBe(403);
  expect((await ask(port, "x".repeat(43), own)).status).toBe(401);
  const foreign = { ...own, origin: `http://banyan.test:${port}` };
  expect((await ask(port, token, foreign)).status).toBe(403);
  const login = await ask(port, "", { ...own, origin: http.url }, "POST", JSON.stringify({ secret: token }));
  expect(login.cookie.split("; ")).toContain("Secure");
  await expect(fetch(`http://127.0.0.1:${port}/health`)).rejects.toThrow();
});
