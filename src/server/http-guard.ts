/**
 * Who is let in over HTTP.
 *
 * D1  A request is for one of this server's own names, so that no foreign name can be made to lead here (DNS rebinding), and comes
 *     from no page of another origin. Without an Origin it needs the token all the same.
 * D2  A token comes in the header `Authorization` alone, never in an address, which is logged. A browser has a cookie instead, which stands
 *     for a session: no script reads it, no other site's page sends it, and it changes nothing without an Origin of our own.
 * D3  Reads need a viewer, commands an operator; an admin alone begins trees, scrubs the store, archives and stops the process.
 * D4  Nobody asks more often than the limits say, and whoever guesses tokens slows nobody else down.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { FastifyRequest } from "fastify";
import type { Clock } from "../base/clock.ts";
import { BanyanError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { type AccessToken, type AccessTokens, ROLES, type Role } from "./access-tokens.ts";
import type { BrowserSessions } from "./browser-sessions.ts";
import { OPERATIONS, type OperationName } from "./contract/operations.ts";
import type { Place } from "./listening.ts";

const BEARER = /^Bearer ([\w-]{43})$/;
const SECRET = /^[\w-]{43}$/;

export class Guard {
  readonly #tokens: AccessTokens;
  readonly #clock: Clock;
  readonly #hosts = new Set<string>();
  #second = -1;
  readonly #asked = new Map<string, number>();

  readonly #sessions: BrowserSessions;
  #port = 0;
  #scheme = "http";

  constructor(tokens: AccessTokens, sessions: BrowserSessions, clock: Clock) {
    this.#tokens = tokens;
    this.#sessions = sessions;
    this.#clock = clock;
  }

  /** The names under which the server is to be asked. */
  listensAt(port: number, { scheme, names }: Pick<Place, "scheme" | "names">): void {
    this.#port = port;
    this.#scheme = scheme;
    for (const name of names) {
      this.#hosts.add(`${name}:${port}`);
      // A browser leaves out the port that goes without saying.
      if (port === (scheme === "https" ? 443 : 80)) this.#hosts.add(name);
    }
  }

  /** D1. @throws ORIGIN_REFUSED */
  checkOrigin({ host, origin }: IncomingHttpHeaders): void {
    if (host === undefined || !this.#hosts.has(host.toLowerCase())) {
      throw new BanyanError("ORIGIN_REFUSED", "the request is for a host that is not this server");
    }
    const start = `${this.#scheme}://`;
    const isOwn = origin === undefined || (origin.startsWith(start) && this.#hosts.has(origin.slice(start.length)));
    if (!isOwn) throw new BanyanError("ORIGIN_REFUSED", "the request comes from a page of another origin");
  }

  /** D2, D4. @throws TOKEN_REFUSED, ORIGIN_REFUSED, REQUESTS_EXCEEDED */
  identify(asked: Pick<FastifyRequest, "headers" | "method">): AccessToken {
    const text = BEARER.exec(asked.headers.authorization ?? "")?.[1];
    const secret = text === undefined ? this.cookieOf(asked.headers) : undefined;
    const token = text === undefined ? this.#sessionOf(secret) : this.#tokens.find(text);
    if (!token) this.#refuseStranger();
    if (secret !== undefined) checkOwnPage(asked);
    this.#count(`token ${token.name}`, LIMITS.httpRequestsPerSecondMax);
    return token;
  }

  /** A request that brings a token or a code to log in with: a stranger's until it is known; or a link that does not work. @throws REQUESTS_EXCEEDED */
  admitStranger(): void {
    this.#count("strangers", LIMITS.httpStrangersPerSecondMax);
  }

  /** Browsers know no ports in cookies: two servers of one machine have one each. */
  get cookieName(): string {
    return `banyan-${this.#port}`;
  }

  cookieOf({ cookie }: IncomingHttpHeaders): string | undefined {
    const start = `${this.cookieName}=`;
    const found = cookie?.split("; ").find((each) => each.startsWith(start));
    return found === undefined ? undefined : SECRET.exec(found.slice(start.length))?.[0];
  }

  /** K3, for what lasts: false once the token has been revoked, replaced or has expired. */
  isStillValid(token: AccessToken): boolean {
    return this.#tokens.still(token) !== undefined;
  }

  #sessionOf(secret: string | undefined): AccessToken | undefined {
    return secret === undefined ? undefined : this.#sessions.find(secret);
  }

  #refuseStranger(): never {
    this.#count("strangers", LIMITS.httpStrangersPerSecondMax);
    throw new BanyanError("TOKEN_REFUSED", "the request has no token that is valid");
  }

  /** D4, in whole seconds. Keys are names of tokens, which are bounded. */
  #count(key: string, max: number): void {
    const second = Math.floor(this.#clock.monotonic() / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#asked.clear();
    }
    const asked = (this.#asked.get(key) ?? 0) + 1;
    this.#asked.set(key, asked);
    if (asked > max) throw new BanyanError("REQUESTS_EXCEEDED", `more than ${max} requests a second`);
  }
}

/**
 * D2: a cookie comes by itself, so the browser has to say that a page of ours asks. It says so of all but plain reads. @throws ORIGIN_REFUSED
 */
function checkOwnPage({ headers, method }: Pick<FastifyRequest, "headers" | "method">): void {
  const site = headers["sec-fetch-site"];
  const isForeign = site !== undefined && site !== "same-origin" && site !== "none";
  if (isForeign || (method !== "GET" && headers.origin === undefined)) {
    throw new BanyanError("ORIGIN_REFUSED", "a browser that is logged in asks from a page of this server alone");
  }
}

/** D3. @throws ROLE_REFUSED */
export function checkRole({ role }: AccessToken, operation: OperationName): void {
  const needed = roleFor(operation);
  if (ROLES.indexOf(role) >= ROLES.indexOf(needed)) return;
  throw new BanyanError("ROLE_REFUSED", `${operation} needs the role ${needed}; the token's is ${role}`);
}

/** These end everything, or name a folder of this machine: one to read, one that agents see and may run commands in. */
const ADMINS: ReadonlySet<OperationName> = new Set<OperationName>([
  "shutdown",
  "scrubArtifacts",
  "archiveTrees",
  "restoreArchived",
  "checkArchived",
  "spawn",
]);

export function roleFor(operation: OperationName): Role {
  if (ADMINS.has(operation)) return "admin";
  return OPERATIONS[operation].does === "read" ? "viewer" : "operator";
}
