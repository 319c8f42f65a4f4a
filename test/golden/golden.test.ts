/** Data of every released format are read for ever: verified, folded to the same states, and worked on. */
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Banyan } from "../../src/index.ts";
import { verifyFolder } from "../../src/runtime/verify.ts";
import { FORMAT_FOLDER, statesOf } from "./states.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "banyan-golden-"));
  await cp(join(import.meta.dirname, FORMAT_FOLDER), folder, { recursive: true });
});

afterEach(() => rm(folder, { recursive: true, force: true }));

test("format 1 is whole", async () => {
  const found = await verifyFolder(folder);
  expect(found.damaged).toEqual([]);
  expect(found.agents).toBeGreaterThanOrEqual(5);
  expect(found.blobs).toBeGreaterThanOrEqual(2);
});

test("format 1 folds to the states it had", async () => {
  expect(await statesOf(folder)).toEqual(JSON.parse(await readFile(join(folder, "states.json"), "utf8")));
});

test("format 1 is worked on: its agents stand where they stood, and take commands", async () => {
  await using banyan = await Banyan.open(folder);
  expect(banyan.recovery.damaged).toEqual([]);
  const status = Object.fromEntries(banyan.roots().map((root) => [root.head.name, root.status]));
  expect(status).toMatchObject({ lead: "completed", alone: "completed", chat: "held" });
  await banyan.agent("chat").resume();
  expect(banyan.agent("chat").status).toBe("waiting");
});
