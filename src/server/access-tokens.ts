/**
 * Who may ask the HTTP server: tokens by name, each with a role and perhaps an end. One file each in a folder of the data, which the command
 * line changes and the server reads again whenever it has changed. Older data has one file of them all; it is read and never written.
 *
 * K1  A token is 256 bits of chance. Its file has its hash alone, and only the data's owner can read it.
 * K2  The first token, an admin's, is made once, with the first start, and is nowhere to be read afterwards: the data folder may stand
 *     where agents read files. The folder and the token that it was made for come in one piece: a start that is cut short made neither.
 *     A folder without any token's file is what a start of an older version left that was cut short, and gets its first token; the first
 *     token's own file therefore stays when it is revoked.
 * K4  Whoever makes and revokes tokens at the same time loses none: no change touches another token's file.
 * K3  A token that is revoked or has expired opens nothing from then on, whatever the server has read before.
 */
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Clock } from "../base/clock.ts";
import { makeFolder, syncFolderNow } from "../base/durable-folder.ts";
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
/** `revoked` stands over a token of the older file, and where the first one stood. */
const contents = z.strictObject({
  version: z.literal(1),
  token: token.optional(),
  revoked: z.literal(true).optional(),
});
const olderContents = z.strictObject({ version: z.literal(1), tokens: z.array(token).max(LIMITS.accessTokensMax) });

const FOLDER = "access";
const OLDER_FILE = "access.json";
const SUFFIX = ".json";
/** A change so young may be followed by one with the same time. */
const SETTLED_MS = 1_000;
const FIRST_NAME = "owner";
const TOKEN_BYTES = 32;

export class AccessTokens {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #random: Random;
  #read: { readonly stamp: string; readonly isSettled: boolean; readonly tokens: readonly AccessToken[] } | undefined;

  constructor(folder: string, { clock, random }: { clock: Clock; random: Random }) {
    this.#folder = folder;
    this.#clock = clock;
    this.#random = random;
  }

  /** Makes the first token; undefined when there was a first start already. Tells when one had begun (K2). @throws DISK_FAILED */
  first(tell?: (why: string) => void): string | undefined {
    const folder = join(this.#folder, FOLDER);
    if (existsSync(join(this.#folder, OLDER_FILE)) || ownersIn(folder).length > 0) return undefined;
    const isBegun = existsSync(folder);
    const made = this.#draw();
    this.#add(made, { name: FIRST_NAME, role: "admin", endTime: null });
    if (isBegun)
      tell?.(`${folder} was there without a token, as an earlier start that was cut short leaves it: made one`);
    return made;
  }

  /** Returns the token, which is nowhere to be read afterwards. @throws INPUT_INVALID when the name is taken */
  create(wanted: Pick<AccessToken, "name" | "role" | "endTime">): string {
    const made = this.#draw();
    this.#add(made, wanted);
    return made;
  }

  list(): readonly AccessToken[] {
    const stamps = this.#stamps();
    const stamp = stamps.map(({ text }) => text).join(" ");
    if (this.#read?.isSettled && stamp === this.#read.stamp) return this.#read.tokens;
    const isSettled = stamps.every(({ mtimeMs }) => this.#clock.now() - mtimeMs > SETTLED_MS);
    this.#read = { stamp, isSettled, tokens: this.#parse() };
    return this.#read.tokens;
  }

  /** K3. @throws TOKEN_NOT_FOUND */
  revoke(revoked: string): void {
    if (!this.list().some((each) => each.name === revoked))
      throw new BanyanError("TOKEN_NOT_FOUND", `no token ${revoked}`);
    if (revoked === FIRST_NAME || this.#older().some((each) => each.name === revoked))
      this.#write(revoked, { version: 1, revoked: true }, "over");
    else rmSync(this.#fileOf(revoked), { force: true });
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
    if (tokens.length >= LIMITS.accessTokensMax) throw new BanyanError("INPUT_INVALID", "there are too many tokens");
    if (tokens.some((each) => each.name === wanted.name)) throw taken(wanted.name);
    const isRevoked = readJson(this.#fileOf(wanted.name), contents)?.revoked === true;
    const isOver = isRevoked || this.#older().some((each) => each.name === wanted.name);
    this.#write(wanted.name, { version: 1, token: added.data }, isOver ? "over" : "new");
  }

  /** What changes whenever a token does; none before the first one. */
  #stamps(): { readonly text: string; readonly mtimeMs: number }[] {
    return [FOLDER, OLDER_FILE].flatMap((each) => {
      const found = statSync(join(this.#folder, each), { throwIfNoEntry: false, bigint: true });
      return found ? [{ text: `${found.ino} ${found.mtimeNs} ${found.size}`, mtimeMs: Number(found.mtimeMs) }] : [];
    });
  }

  #fileOf(owner: string): string {
    return join(this.#folder, FOLDER, `${owner}${SUFFIX}`);
  }

  #parse(): readonly AccessToken[] {
    const kept = new Map<string, AccessToken | undefined>(this.#older().map((each) => [each.name, each]));
    for (const owner of ownersIn(join(this.#folder, FOLDER))) {
      const found = readJson(this.#fileOf(owner), contents);
      // Revoked since it was listed.
      if (found) kept.set(owner, found.token);
    }
    return [...kept.values()].filter((each) => each !== undefined).sort((a, b) => a.createdTime - b.createdTime);
  }

  #older(): readonly AccessToken[] {
    return readJson(join(this.#folder, OLDER_FILE), olderContents)?.tokens ?? [];
  }

  /** Whole or not at all, for its owner alone (K1); `new` only where there is none of the name. @throws INPUT_INVALID, DISK_FAILED */
  #write(owner: string, kept: z.infer<typeof contents>, how: "new" | "over"): void {
    const folder = join(this.#folder, FOLDER);
    const text = `${JSON.stringify(kept, null, 2)}\n`;
    // No name begins with a dot.
    const mark = `.${this.#draw()}`;
    if (!existsSync(folder) && this.#makeFolderWith(owner, text, `.${FOLDER}${mark}`)) return;
    const fresh = join(folder, mark);
    try {
      writeSynced(fresh, text);
      if (how === "over") renameSync(fresh, this.#fileOf(owner));
      else linkSync(fresh, this.#fileOf(owner));
      syncFolderNow(folder);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "EEXIST") throw taken(owner);
      throw new BanyanError("DISK_FAILED", `${folder} cannot be written: ${(cause as Error).message}`, { cause });
    } finally {
      rmSync(fresh, { force: true });
    }
  }

  /** K2: the folder under another name, with the token in it, and then under its own. False when another process was before. @throws DISK_FAILED */
  #makeFolderWith(owner: string, text: string, mark: string): boolean {
    const fresh = join(this.#folder, mark);
    makeFolder(fresh);
    try {
      writeSynced(join(fresh, `${owner}${SUFFIX}`), text);
      syncFolderNow(fresh);
      renameSync(fresh, join(this.#folder, FOLDER));
      syncFolderNow(this.#folder);
      return true;
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException;
      if (code === "ENOTEMPTY" || code === "EEXIST") return false;
      throw new BanyanError("DISK_FAILED", `${this.#folder} cannot be written: ${message}`, { cause });
    } finally {
      rmSync(fresh, { recursive: true, force: true });
    }
  }
}

function taken(owner: string): BanyanError {
  return new BanyanError("INPUT_INVALID", `there is a token ${owner}: revoke it first`);
}

function ownersIn(folder: string): string[] {
  try {
    const files = readdirSync(folder).filter((file) => !file.startsWith(".") && file.endsWith(SUFFIX));
    return files.map((file) => file.slice(0, -SUFFIX.length));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Undefined when there is no such file. @throws CONFIG_INVALID */
function readJson<Schema extends z.ZodType>(path: string, schema: Schema): z.output<Schema> | undefined {
  try {
    return schema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new BanyanError("CONFIG_INVALID", `${path} cannot be read`, { cause });
  }
}

/** How a secret is kept: it is chance enough to need neither salt nor a slow hash. */
export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function writeSynced(path: string, text: string): void {
  const file = openSync(path, "wx", 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
