/**
 * Who may ask the HTTP server: tokens by name, each with a role and perhaps an end. A file in the data folder, that the command
 * line changes and the server reads again whenever it has changed.
 *
 * K1  A token is 256 bits of chance. The file has its hash alone, and only the data's owner can read it.
 * K2  The first token, an admin's, is made once, with the first start, and is nowhere to be read afterwards: the data folder may stand
 *     where agents read files.
 * K3  A token that is revoked or has expired opens nothing from then on, whatever the server has read before.
 */
import { createHash } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Clock } from "../base/clock.ts";
import { BanyanError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import { name, time } from "./contract/shapes.ts";

/** Each may do all that those before it may: look; command agents; stop the process. */
export const ROLES = ["viewer", "operator", "admin"] as const;
export type Role = (typeof ROLES)[number];

const token = z.strictObject({
  name,
  role: z.enum(ROLES),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  createdTime: time,
  /** When it ends; null for never. */
  endTime: time.nullable(),
});
export type AccessToken = z.infer<typeof token>;
const contents = z.strictObject({ version: z.literal(1), tokens: z.array(token).max(LIMITS.accessTokensMax) });

const FILE = "access.json";
const FIRST_NAME = "owner";
const TOKEN_BYTES = 32;

export class AccessTokens {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #random: Random;
  #read: { readonly stamp: string; readonly tokens: readonly AccessToken[] } = { stamp: "", tokens: [] };

  constructor(folder: string, { clock, random }: { clock: Clock; random: Random }) {
    this.#folder = folder;
    this.#clock = clock;
    this.#random = random;
  }

  /** Makes the first token; undefined when there was a first start already. @throws DISK_FAILED */
  first(): string | undefined {
    if (this.#stamp() !== "") return undefined;
    const made = this.#draw();
    this.#add(made, { name: FIRST_NAME, role: "admin", endTime: null });
    return made;
  }

  /** Returns the token, which is nowhere to be read afterwards. @throws INPUT_INVALID when the name is taken */
  create(wanted: Pick<AccessToken, "name" | "role" | "endTime">): string {
    const made = this.#draw();
    this.#add(made, wanted);
    return made;
  }

  list(): readonly AccessToken[] {
    const stamp = this.#stamp();
    if (stamp !== this.#read.stamp) this.#read = { stamp, tokens: stamp === "" ? [] : this.#parse() };
    return this.#read.tokens;
  }

  /** K3. @throws TOKEN_NOT_FOUND */
  revoke(revoked: string): void {
    const left = this.list().filter((each) => each.name !== revoked);
    if (left.length === this.list().length) throw new BanyanError("TOKEN_NOT_FOUND", `no token ${revoked}`);
    this.#write(left);
  }

  /** K3: the same as it is now, for who was let in with it; undefined once it was revoked or replaced, or has expired. */
  still({ name, sha256 }: AccessToken): AccessToken | undefined {
    const kept = this.list().find((each) => each.name === name && each.sha256 === sha256);
    return kept && this.#lasts(kept) ? kept : undefined;
  }

  /** Whose token that is (K3). */
  find(text: string): AccessToken | undefined {
    const sha256 = hashOf(text);
    const found = this.list().find((each) => each.sha256 === sha256);
    return found && this.#lasts(found) ? found : undefined;
  }

  #lasts({ endTime }: AccessToken): boolean {
    return (endTime ?? Number.POSITIVE_INFINITY) > this.#clock.now();
  }

  #draw(): string {
    return Buffer.from(this.#random.bytes(TOKEN_BYTES)).toString("base64url");
  }

  #add(made: string, wanted: Pick<AccessToken, "name" | "role" | "endTime">): void {
    const tokens = this.list();
    const added = token.safeParse({ ...wanted, sha256: hashOf(made), createdTime: this.#clock.now() });
    if (!added.success) throw new BanyanError("INPUT_INVALID", z.prettifyError(added.error));
    if (tokens.some((each) => each.name === wanted.name)) {
      throw new BanyanError("INPUT_INVALID", `there is a token ${wanted.name}: revoke it first`);
    }
    if (tokens.length >= LIMITS.accessTokensMax) throw new BanyanError("INPUT_INVALID", "there are too many tokens");
    this.#write([...tokens, added.data]);
  }

  #write(tokens: readonly AccessToken[]): void {
    writeWhole(join(this.#folder, FILE), `${JSON.stringify({ version: 1, tokens }, null, 2)}\n`);
  }

  /** Changes whenever the file is replaced; empty when there is none. */
  #stamp(): string {
    const found = statSync(join(this.#folder, FILE), { throwIfNoEntry: false, bigint: true });
    return found ? `${found.ino} ${found.mtimeNs} ${found.size}` : "";
  }

  #parse(): readonly AccessToken[] {
    try {
      return contents.parse(JSON.parse(readFileSync(join(this.#folder, FILE), "utf8"))).tokens;
    } catch (cause) {
      throw new BanyanError("CONFIG_INVALID", `${FILE} in the data folder cannot be read`, { cause });
    }
  }
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Replaces a file by a whole one, for its owner alone (K1). */
function writeWhole(path: string, text: string): void {
  const fresh = `${path}.new`;
  try {
    rmSync(fresh, { force: true });
    const file = openSync(fresh, "wx", 0o600);
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(fresh, path);
  } catch (cause) {
    throw new BanyanError("DISK_FAILED", `${path} cannot be written: ${(cause as Error).message}`, { cause });
  }
}
