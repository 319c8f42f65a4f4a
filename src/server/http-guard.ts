/**
 * Who is let in over HTTP.
 *
 * D1  A request is for one of this server's own names, so that no foreign name can be made to lead here (DNS rebinding), and comes
 *     from no page of another origin. Without an Origin it needs the token all the same.
 * D2  A token comes in the header `Authorization` alone: never in an address, which is logged, nor by itself, as a cookie would.
 * D3  Reads need a viewer, commands an operator, and stopping the process an admin.
 * D4  Nobody asks more often than the limits say, and whoever guesses tokens slows nobody else down.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { Clock } from "../base/clock.ts";
import { BanyanError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { type AccessToken, type AccessTokens, ROLES, type Role } from "./access-tokens.ts";
import { OPERATIONS, type OperationName } from "./contract/operations.ts";

const BEARER = /^Bearer ([\w-]{43})$/;

export class Guard {
  readonly #tokens: AccessTokens;
  readonly #clock: Clock;
  readonly #hosts = new Set<string>();
  #second = -1;
  readonly #asked = new Map<string, number>();

  constructor(tokens: AccessTokens, clock: Clock) {
    this.#tokens = tokens;
    this.#clock = clock;
  }

  /** The names under which the server is to be asked. */
  listensAt(port: number): void {
    for (const host of ["127.0.0.1", "localhost"]) this.#hosts.add(`${host}:${port}`);
  }

  /** D1. @throws ORIGIN_REFUSED */
  checkOrigin({ host, origin }: IncomingHttpHeaders): void {
    if (host === undefined || !this.#hosts.has(host.toLowerCase())) {
      throw new BanyanError("ORIGIN_REFUSED", "the request is for a host that is not this server");
    }
    const isOwn =
      origin === undefined || (/^http:\/\//.test(origin) && this.#hosts.has(origin.slice("http://".length)));
    if (!isOwn) throw new BanyanError("ORIGIN_REFUSED", "the request comes from a page of another origin");
  }

  /** D2, D4. @throws TOKEN_REFUSED, REQUESTS_EXCEEDED */
  identify({ authorization }: IncomingHttpHeaders): AccessToken {
    const text = BEARER.exec(authorization ?? "")?.[1];
    const token = text === undefined ? undefined : this.#tokens.find(text);
    if (token) this.#count(`token ${token.name}`, LIMITS.httpRequestsPerSecondMax);
    else {
      this.#count("strangers", LIMITS.httpStrangersPerSecondMax);
      throw new BanyanError("TOKEN_REFUSED", "the request has no token that is valid");
    }
    return token;
  }

  /** K3, for what lasts: false once the token has been revoked, replaced or has expired. */
  isStillValid({ name, sha256, endTime }: AccessToken): boolean {
    const kept = this.#tokens.list().some((each) => each.name === name && each.sha256 === sha256);
    return kept && (endTime === null || endTime > this.#clock.now());
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

/** D3. @throws ROLE_REFUSED */
export function checkRole({ role }: AccessToken, operation: OperationName): void {
  const needed = roleFor(operation);
  if (ROLES.indexOf(role) >= ROLES.indexOf(needed)) return;
  throw new BanyanError("ROLE_REFUSED", `${operation} needs the role ${needed}; the token's is ${role}`);
}

export function roleFor(operation: OperationName): Role {
  if (operation === "shutdown") return "admin";
  return OPERATIONS[operation].does === "read" ? "viewer" : "operator";
}
