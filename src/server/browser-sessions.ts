/**
 * How a browser logs in: with a code that works once, or with a token, for which it is given a cookie that no script can read.
 *
 * N1  A code works once, and for LIMITS.loginCodeMs.
 * N2  A session is its token's: it may do what that may, and ends with it.
 * N3  Codes and sessions are in memory alone, as hashes, and there are never more than LIMITS.sessionsMax of each.
 */
import type { Clock } from "../base/clock.ts";
import { BanyanError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import { type AccessToken, type AccessTokens, hashOf } from "./access-tokens.ts";

const SECRET_BYTES = 32;

interface Kept {
  readonly token: AccessToken;
  readonly endTime: number;
}

export class BrowserSessions {
  readonly #tokens: AccessTokens;
  readonly #clock: Clock;
  readonly #random: Random;
  /** By hash, the oldest first. */
  readonly #codes = new Map<string, Kept>();
  readonly #sessions = new Map<string, Kept>();

  constructor(tokens: AccessTokens, { clock, random }: { clock: Clock; random: Random }) {
    this.#tokens = tokens;
    this.#clock = clock;
    this.#random = random;
  }

  /** N1. A code for whoever holds the token. */
  makeCode(token: AccessToken): string {
    return this.#keep(this.#codes, token, LIMITS.loginCodeMs);
  }

  /** The secret of a new session, for a code or a token. @throws TOKEN_REFUSED */
  begin(codeOrToken: string): string {
    const hash = hashOf(codeOrToken);
    const kept = this.#codes.get(hash);
    this.#codes.delete(hash);
    const token = kept ? this.#valid(kept) : this.#tokens.find(codeOrToken);
    if (!token)
      throw new BanyanError("TOKEN_REFUSED", "neither a token that is valid nor a code that was not used yet");
    return this.#keep(this.#sessions, token, LIMITS.sessionMs);
  }

  /** N2: whose session it is. */
  find(secret: string): AccessToken | undefined {
    const kept = this.#sessions.get(hashOf(secret));
    return kept && this.#valid(kept);
  }

  end(secret: string): void {
    this.#sessions.delete(hashOf(secret));
  }

  #valid({ token, endTime }: Kept): AccessToken | undefined {
    return endTime > this.#clock.now() ? this.#tokens.still(token) : undefined;
  }

  #keep(into: Map<string, Kept>, token: AccessToken, lifeMs: number): string {
    const secret = Buffer.from(this.#random.bytes(SECRET_BYTES)).toString("base64url");
    // N3: the oldest goes.
    for (const oldest of into.keys()) {
      if (into.size < LIMITS.sessionsMax) break;
      into.delete(oldest);
    }
    into.set(hashOf(secret), { token, endTime: this.#clock.now() + lifeMs });
    return secret;
  }
}
