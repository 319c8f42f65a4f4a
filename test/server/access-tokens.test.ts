/** Tokens that several processes make, revoke and read. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ManualClock } from "../../src/base/clock.ts";
import { systemRandom } from "../../src/base/random.ts";
import { AccessTokens } from "../../src/server/access-tokens.ts";

let folder: string;
let clock: ManualClock;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "banyan-test-"));
  clock = new ManualClock();
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = () => new AccessTokens(folder, { clock, random: systemRandom });
const viewer = (name: string) => ({ name, role: "viewer" as const, endTime: null });
const names = (tokens: AccessTokens) => tokens.list().map(({ name }) => name);

test("K4: changes by several processes that know nothing of each other lose none", () => {
  const processes = [open(), open(), open()];
  for (const [at, tokens] of processes.entries()) {
    tokens.list();
    for (let made = 0; made < 5; made++) tokens.create(viewer(`token-${at}-${made}`));
  }
  processes[0]?.revoke("token-2-0");
  for (const tokens of processes) expect(names(tokens)).toHaveLength(14);
  expect(names(open())).not.toContain("token-2-0");
});

test("K2: a first start that is cut short at any point leaves a first start", () => {
  // Wherever it is cut short: before a name is drawn, with the folder begun under that name, with the token in it.
  for (let draws = 0; draws < 2; draws++) {
    let left = draws;
    const random = {
      ...systemRandom,
      bytes: (length: number) => {
        if (left-- === 0) throw new Error("cut short");
        return systemRandom.bytes(length);
      },
    };
    expect(() => new AccessTokens(folder, { clock, random }).first()).toThrow("cut short");
  }
  mkdirSync(join(folder, ".access.begun"));
  mkdirSync(join(folder, ".access.done"));
  writeFileSync(join(folder, ".access.done", "owner.json"), "{}");
  const tokens = open();
  const made = tokens.first() ?? "";
  expect(tokens.find(made)).toMatchObject({ name: "owner", role: "admin" });
  expect(open().first()).toBeUndefined();
  expect(readdirSync(join(folder, "access"))).toEqual(["owner.json"]);
});

test("K2: a folder without a token is an older start that was cut short; one whose tokens were revoked is not", () => {
  mkdirSync(join(folder, "access"));
  writeFileSync(join(folder, "access", ".cut"), '{"version":');
  const told: string[] = [];
  const tokens = open();
  const made = tokens.first((why) => told.push(why)) ?? "";
  expect(tokens.find(made)).toMatchObject({ name: "owner", role: "admin" });
  expect(told).toEqual([expect.stringContaining("was there without a token")]);
  tokens.revoke("owner");
  expect([open().first((why) => told.push(why)), names(open()), told.length]).toEqual([undefined, [], 1]);
  const again = open().create({ name: "owner", role: "admin", endTime: null });
  expect([tokens.find(made), tokens.find(again)?.name]).toEqual([undefined, "owner"]);
});

test("K2: of two first starts at once each loses nothing", () => {
  const other = open();
  let isFirst = true;
  const random = {
    ...systemRandom,
    bytes: (length: number) => {
      // Right before its folder gets its name.
      if (!isFirst) other.create(viewer("ada"));
      isFirst = false;
      return systemRandom.bytes(length);
    },
  };
  const made = new AccessTokens(folder, { clock, random }).first() ?? "";
  expect(open().find(made)?.name).toBe("owner");
  expect(names(open()).toSorted()).toEqual(["ada", "owner"]);
});

test("a name is one token's until that is revoked", () => {
  const [one, two] = [open(), open()];
  const first = one.create(viewer("ada"));
  expect(() => two.create(viewer("ada"))).toThrow(expect.objectContaining({ code: "INPUT_INVALID" }));
  two.revoke("ada");
  expect(one.find(first)).toBeUndefined();
  expect(() => one.revoke("ada")).toThrow(expect.objectContaining({ code: "TOKEN_NOT_FOUND" }));
  const second = one.create(viewer("ada"));
  expect(two.find(second)?.name).toBe("ada");
  expect(two.find(first)).toBeUndefined();
});

test("a name that is a path, or none, makes no file", () => {
  for (const name of ["../ada", "a/b", "", ".hidden", "a\0b", "x".repeat(65)]) {
    expect(() => open().create(viewer(name))).toThrow(expect.objectContaining({ code: "INPUT_INVALID" }));
  }
  expect(readdirSync(folder)).toEqual([]);
});

test("K3: a token ends at its time, for who was let in with it too", () => {
  const tokens = open();
  const made = tokens.create({ name: "ada", role: "operator", endTime: clock.now() + 1_000 });
  const ada = tokens.find(made);
  expect(ada).toMatchObject({ name: "ada", role: "operator" });
  clock.advance(1_000);
  expect(tokens.find(made)).toBeUndefined();
  expect(ada && tokens.still(ada)).toBeUndefined();
});

test("tokens of older data open, and can be revoked and replaced", () => {
  const old = open();
  const made = old.create(viewer("ada"));
  const [token] = old.list();
  rmSync(join(folder, "access"), { recursive: true });
  writeFileSync(join(folder, "access.json"), JSON.stringify({ version: 1, tokens: [token] }));
  const tokens = open();
  expect(tokens.first()).toBeUndefined();
  expect(tokens.find(made)?.name).toBe("ada");
  expect(() => tokens.create(viewer("ada"))).toThrow(expect.objectContaining({ code: "INPUT_INVALID" }));
  tokens.revoke("ada");
  expect([tokens.find(made), names(open())]).toEqual([undefined, []]);
  const again = tokens.create(viewer("ada"));
  expect([tokens.find(made), tokens.find(again)?.name]).toEqual([undefined, "ada"]);
  tokens.revoke("ada");
  expect(names(open())).toEqual([]);
});

test("what is left of a write that was cut short is no token, and one that cannot be read is said", () => {
  mkdirSync(join(folder, "access"));
  writeFileSync(join(folder, "access", ".cut"), '{"version":');
  expect(names(open())).toEqual([]);
  writeFileSync(join(folder, "access", "ada.json"), '{"version":');
  expect(() => open().list()).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
});
