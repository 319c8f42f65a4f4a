import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findSocketPath, makeSocketPath, removeSocketPath } from "../../src/server/control-path.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "banyan-path-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function listening(path: string) {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return { [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())) };
}

const longFolder = () => {
  const folder = join(root, "x".repeat(60), "y".repeat(60));
  mkdirSync(folder, { recursive: true });
  return folder;
};

describe("a folder with a short path", () => {
  test("holds its socket itself", async () => {
    const path = await makeSocketPath(root);
    expect(path).toBe(join(root, "control.sock"));
    await using _server = await listening(path);
    expect(await findSocketPath(root)).toBe(path);
  });

  test("has none before, and none after it was removed", async () => {
    expect(await findSocketPath(root)).toBeUndefined();
    await using _server = await listening(await makeSocketPath(root));
    await removeSocketPath(root);
    await removeSocketPath(root);
    expect(await findSocketPath(root)).toBeUndefined();
  });
});

describe("a folder whose path is too long for a socket", () => {
  test("A1: says where it is: in a folder for this user alone", async () => {
    const folder = longFolder();
    const path = await makeSocketPath(folder);
    expect(Buffer.byteLength(path)).toBeLessThanOrEqual(103);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(folder, "control.path"), "utf8").trim()).toBe(path);
    await using _server = await listening(path);
    expect(await findSocketPath(folder)).toBe(path);
  });

  test("leaves nothing behind, neither when it is removed nor when it is made again", async () => {
    const folder = longFolder();
    const first = await makeSocketPath(folder);
    const second = await makeSocketPath(folder);
    expect(existsSync(dirname(first))).toBe(false);
    await removeSocketPath(folder);
    expect(existsSync(dirname(second))).toBe(false);
    expect(existsSync(join(folder, "control.path"))).toBe(false);
  });
});

describe("what is no socket of ours", () => {
  test.each([
    ["a file", () => writeFileSync(join(root, "control.sock"), "x")],
    ["a link to a socket elsewhere", () => symlinkSync("/run/some.sock", join(root, "control.sock"))],
    ["a pointer to a file", () => writeFileSync(join(root, "control.path"), `${join(root, "precious")}\n`)],
  ])("%s is not found, and not removed", async (_, make) => {
    const precious = join(root, "precious");
    writeFileSync(precious, "x");
    make();
    expect(await findSocketPath(root)).toBeUndefined();
    await removeSocketPath(root);
    expect(existsSync(precious)).toBe(true);
  });

  test("a folder that a pointer names is left alone when it is not a temporary one of ours", async () => {
    const other = join(root, "other");
    mkdirSync(other);
    writeFileSync(join(root, "control.path"), `${join(other, "control.sock")}\n`);
    await removeSocketPath(root);
    expect(lstatSync(other).isDirectory()).toBe(true);
  });
});
