/**
 * Links that expire: an address at which one version of an artifact can be read without a token. What it is of, and when it ends, stands
 * in the link itself, signed with a key of the data folder.
 *
 * K1  A link says nothing of the server but what it is of; altered in any way it is refused.
 * K2  It ends by itself, and all end when the key is replaced.
 * K3  The key is 256 bits of chance in a file that only the data's owner can read, and comes into no address, log or answer.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { BanyanError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import { digest, time } from "./contract/shapes.ts";

/** Where links are served. */
export const LINK_PATH = "/v1/link/";

const FILE = "link.key";
const KEY_BYTES = 32;
/** Base64url of a link's content, and of its HMAC-SHA-256. */
const SYNTAX = /^([\w-]{1,1024})\.([\w-]{43})$/;

const link = z.strictObject({ name: z.string().max(256), digest, mediaType: z.string().max(256), endTime: time });
export type ArtifactLink = z.infer<typeof link>;

export class ArtifactLinks {
  readonly #path: string;
  readonly #random: Random;

  constructor(folder: string, random: Random) {
    this.#path = join(folder, FILE);
    this.#random = random;
  }

  /** The path of an address. @throws DISK_FAILED */
  make(of: ArtifactLink): string {
    const content = Buffer.from(JSON.stringify(of)).toString("base64url");
    return `${LINK_PATH}${content}.${signed(content, this.#key() ?? this.#makeKey("first"))}`;
  }

  /** What a link is of. @throws LINK_REFUSED (K1, K2), DISK_FAILED */
  read(text: string, now: number): ArtifactLink {
    const [, content = "", signature = ""] = SYNTAX.exec(text) ?? [];
    const key = this.#key();
    const expected = key && signed(content, key);
    if (!expected || content === "" || !timingSafeEqual(Buffer.from(signature), Buffer.from(expected))) throw refused();
    const found = link.parse(JSON.parse(Buffer.from(content, "base64url").toString("utf8")));
    if (found.endTime <= now) throw refused();
    return found;
  }

  /** K2. @throws DISK_FAILED */
  revokeAll(): void {
    this.#makeKey("over");
  }

  #key(): Buffer | undefined {
    try {
      const key = readFileSync(this.#path);
      return key.length === KEY_BYTES ? key : undefined;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw failed(cause);
    }
  }

  /** `first` keeps a whole key that another process made meanwhile. */
  #makeKey(how: "first" | "over"): Buffer {
    const key = Buffer.from(this.#random.bytes(KEY_BYTES));
    const beside = `${this.#path}.${key.toString("hex").slice(0, 16)}`;
    try {
      writeFileSync(beside, key, { mode: 0o600, flush: true });
      if (how === "over") renameSync(beside, this.#path);
      else linkSync(beside, this.#path);
      return key;
    } catch (cause) {
      const other = how === "first" ? this.#key() : undefined;
      if (other) return other;
      throw failed(cause);
    } finally {
      rmSync(beside, { force: true });
    }
  }
}

function signed(content: string, key: Buffer): string {
  return createHmac("sha256", key).update(content).digest("base64url");
}

function refused(): BanyanError {
  return new BanyanError("LINK_REFUSED", "the link has expired, was revoked, or was changed");
}

function failed(cause: unknown): BanyanError {
  return new BanyanError("DISK_FAILED", `the key of links: ${(cause as Error).message}`, { cause });
}
